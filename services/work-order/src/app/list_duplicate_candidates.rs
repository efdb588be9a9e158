//! Orders that may be the same matter as one (WO-04). Two trips.

use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::ids::WorkOrderId;
use steward_kit::paging::PageRequest;

use super::App;
use crate::domain::{DuplicateReason, WorkOrder, duplicate_reasons};
use crate::store::{self, OrderKey};

impl App {
    /// Candidates with what speaks for each, newest first, one more than the page shows.
    pub(crate) async fn list_duplicate_candidates(
        &self,
        access: &Access,
        id: WorkOrderId,
        page: &PageRequest<OrderKey>,
    ) -> Result<Vec<(WorkOrder, Vec<DuplicateReason>)>> {
        let order = self.load(access, id).await?;
        let rules = self.rules.of(order.estate_id, order.receive_time).await?;
        let Some(window) = rules.context().policies.duplicate_window() else { return Ok(Vec::new()) };
        let others = store::list_duplicate_candidates(self.db.pool(), &self.cipher, &access.scope, &order, window, page).await?;
        Ok(others.into_iter().map(|other| (duplicate_reasons(&order, &other), other)).map(|(reasons, other)| (other, reasons)).collect())
    }
}
