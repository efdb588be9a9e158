//! Whom somebody has to phone, the most urgent first (WO-29). One trip.

use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;

use super::App;
use crate::domain::WorkOrder;
use crate::store::{self, CallKey};

impl App {
    /// Orders of an estate that are owed a phone call, one more than the page shows.
    pub(crate) async fn list_owed_calls(&self, access: &Access, estate: EstateId, page: &PageRequest<CallKey>) -> Result<Vec<WorkOrder>> {
        let estate = access.scope.estate(estate)?;
        store::list_owed_calls(self.db.pool(), &self.cipher, &access.scope, estate, page).await
    }
}
