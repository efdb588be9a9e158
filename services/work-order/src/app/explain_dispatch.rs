//! Why an order came to whom it came, as it was written down then. Two trips.

use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::ids::WorkOrderId;

use super::App;
use crate::domain::{DispatchRun, dispatch_run};
use crate::store::list_actions;

impl App {
    /// Every look for somebody, oldest first.
    pub(crate) async fn explain_dispatch(&self, access: &Access, id: WorkOrderId) -> Result<Vec<DispatchRun>> {
        let order = self.load(access, id).await?;
        let lines = list_actions(self.db.pool(), &order, &DispatchRun::ACTIONS).await?;
        Ok(lines.iter().filter_map(dispatch_run).collect())
    }
}
