//! Tenures as the caller may see them. One trip, one more to tell an empty list from a unit or customer that is not there.

use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::paging::PageRequest;

use super::App;
use crate::store::tenures::{ShownTenure, TenureCursor, TenureFilter, list_tenures};

impl App {
    pub(crate) async fn list_tenures(
        &self,
        access: &Access,
        filter: &TenureFilter,
        page: &PageRequest<TenureCursor>,
    ) -> Result<Vec<ShownTenure>> {
        let found = list_tenures(self.db.pool(), &self.vault, &access.scope, filter, page, self.clock.now()).await?;
        if found.is_empty() && page.after.is_none() {
            if let Some(unit) = filter.unit_id {
                self.get_unit(access, unit).await?;
            }
            if let Some(customer) = filter.customer_id {
                self.get_customer(access, customer).await?;
            }
        }
        Ok(found)
    }
}
