//! Who leaves in the quarter: tenures that end with a reason, and what is given up without one (CP-48).

use anyhow::{Context, Result};
use steward_proto::customer::v1::{
    EndTenureRequest, ListTenuresRequest, RecordExitRequest, TenureRole, exit_service_client::ExitServiceClient,
    tenure_service_client::TenureServiceClient,
};

use super::{
    place::{Place, id},
    register::Leaver,
};

/// The last day of all of them.
const DAY: &str = "2026-09-26";

impl Place {
    /// Somebody leaves today.
    pub(super) async fn leave(&self, leaver: &Leaver) -> Result<()> {
        let home = &self.homes[leaver.home];
        if !leaver.is_tenant {
            let record = RecordExitRequest {
                request_id: id(),
                estate_id: self.id.clone(),
                customer_id: home.customer_id.clone(),
                kind: leaver.kind.into(),
                exit_date: DAY.to_owned(),
                cause_work_order_ids: Vec::new(),
            };
            ExitServiceClient::new(self.gateway.clone()).record_exit(self.by("manager", record)).await?;
            return Ok(());
        }
        let mut tenures = TenureServiceClient::new(self.gateway.clone());
        let list = ListTenuresRequest { unit_id: home.unit_id.clone(), on_date: DAY.to_owned(), ..ListTenuresRequest::default() };
        let held = tenures.list_tenures(self.by("steward", list)).await?.into_inner().tenures;
        let tenure = held.into_iter().find(|tenure| tenure.role() == TenureRole::Tenant).context("a tenant")?;
        let end = EndTenureRequest {
            request_id: id(),
            tenure_id: tenure.id,
            etag: String::new(),
            to_date: DAY.to_owned(),
            exit_kind: leaver.kind.into(),
        };
        tenures.end_tenure(self.by("steward", end)).await?;
        Ok(())
    }
}
