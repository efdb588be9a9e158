//! Plain personal data, with purpose and reason, audited in the statement that reads (CP-03, XC-31). One trip.

use serde_json::{Map, json};
use steward_kit::auth::Access;
use steward_kit::ids::{CustomerId, WorkOrderId};
use steward_kit::{Error, Result};

use super::App;
use crate::domain::customer::{Personal, PersonalField};
use crate::domain::ids::AuditId;
use crate::store::audit::{self, Actor};
use crate::store::customers::reveal_customer;

/// Whose data, which, and why.
#[derive(Debug)]
pub(crate) struct RevealRequest {
    pub(crate) customer_id: CustomerId,
    pub(crate) fields: Vec<PersonalField>,
    /// Code of the purpose.
    pub(crate) purpose: String,
    /// In words.
    pub(crate) reason: String,
    pub(crate) work_order_id: Option<WorkOrderId>,
}

/// What was revealed, and the audit entry that says so.
#[derive(Debug)]
pub(crate) struct Revealed {
    pub(crate) audit_id: AuditId,
    pub(crate) personal: Personal,
}

impl App {
    pub(crate) async fn reveal_customer(&self, access: &Access, request: &RevealRequest) -> Result<Revealed> {
        let (now, audit_id) = (self.clock.now(), AuditId::new());
        let fields: Vec<&str> = request.fields.iter().map(|field| field.as_str()).collect();
        let details = Map::from_iter([
            ("purpose".to_owned(), json!(request.purpose)),
            ("reason".to_owned(), json!(request.reason)),
            ("fields".to_owned(), json!(fields)),
            ("work_order_id".to_owned(), json!(request.work_order_id)),
        ]);
        let actor = Actor { subject: &access.principal.subject, kind: access.principal.kind.as_str() };
        let entry = audit::entry(audit_id, "reveal", request.customer_id, &actor, now, details);
        let found = reveal_customer(self.db.pool(), &self.vault, &access.scope, request.customer_id, json!([entry]), now).await?;
        let stored = found.ok_or_else(|| {
            // A refusal is audited as well; there is no customer to chain it to.
            tracing::warn!(target: "audit", subject = access.principal.subject, customer = %request.customer_id, "reveal refused");
            Error::not_found("customer", request.customer_id)
        })?;
        stored.customer.check_not_erased()?;
        Ok(Revealed { audit_id, personal: stored.customer.personal })
    }
}
