//! TimelineService.

use std::sync::Arc;

use steward_kit::paging::Query;
use steward_proto::customer::v1 as pb;
use tonic::{Request, Response, Status};

use super::{decode_customers, encode, received};
use crate::app::App;
use crate::domain::timeline::TimelineEntry;
use crate::store::timeline::TimelineCursor;

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Timeline(pub(super) Arc<App>);

#[tonic::async_trait]
impl pb::timeline_service_server::TimelineService for Timeline {
    async fn list_timeline_entries(
        &self,
        request: Request<pb::ListTimelineEntriesRequest>,
    ) -> Result<Response<pb::ListTimelineEntriesResponse>, Status> {
        let (access, mut request) = received(request)?;
        let filter = decode_customers::list_timeline_entries(&request)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListTimelineEntries", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let found = self.0.list_timeline_entries(&access, &filter, &page).await?;
        let cursor = |entry: &TimelineEntry| TimelineCursor { occur_time: entry.occur_time, id: entry.id.as_uuid() };
        let page = self.0.pages.page(&query, page.size, found, cursor)?;
        let entries = page.rows.iter().map(encode::timeline_entry).collect();
        Ok(Response::new(pb::ListTimelineEntriesResponse { entries, next_page_token: page.next_page_token }))
    }
}
