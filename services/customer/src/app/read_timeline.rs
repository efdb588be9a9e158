//! The timeline as the caller may see it. One trip, one more to tell an empty list from a unit or customer that is not there.

use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::paging::PageRequest;

use super::App;
use crate::domain::timeline::TimelineEntry;
use crate::store::timeline::{TimelineCursor, TimelineFilter, list_entries};

impl App {
    pub(crate) async fn list_timeline_entries(
        &self,
        access: &Access,
        filter: &TimelineFilter,
        page: &PageRequest<TimelineCursor>,
    ) -> Result<Vec<TimelineEntry>> {
        let found = list_entries(self.db.pool(), &access.scope, filter, page).await?;
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
