//! TenureService.

use std::sync::Arc;

use steward_kit::paging::Query;
use steward_proto::customer::v1 as pb;
use tonic::{Request, Response, Status};

use super::{decode_customers, encode, mutation, received};
use crate::app::App;
use crate::store::tenures::{ShownTenure, TenureCursor};

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Tenures(pub(super) Arc<App>);

#[tonic::async_trait]
impl pb::tenure_service_server::TenureService for Tenures {
    async fn create_tenure(&self, request: Request<pb::CreateTenureRequest>) -> Result<Response<pb::CreateTenureResponse>, Status> {
        let (access, request) = received(request)?;
        let new = decode_customers::create_tenure(&request)?;
        Ok(Response::new(self.0.create_tenure(&mutation::call(&access, &request)?, new).await?))
    }

    async fn end_tenure(&self, request: Request<pb::EndTenureRequest>) -> Result<Response<pb::EndTenureResponse>, Status> {
        let (access, request) = received(request)?;
        let (target, end) = decode_customers::end_tenure(&request)?;
        Ok(Response::new(self.0.end_tenure(&mutation::call(&access, &request)?, target, end).await?))
    }

    async fn list_tenures(&self, request: Request<pb::ListTenuresRequest>) -> Result<Response<pb::ListTenuresResponse>, Status> {
        let (access, mut request) = received(request)?;
        let filter = decode_customers::list_tenures(&request)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListTenures", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let found = self.0.list_tenures(&access, &filter, &page).await?;
        let cursor = |shown: &ShownTenure| TenureCursor { from_date: shown.tenure.from_date, id: shown.tenure.id.as_uuid() };
        let page = self.0.pages.page(&query, page.size, found, cursor)?;
        let tenures = page.rows.iter().map(encode::tenure).collect();
        Ok(Response::new(pb::ListTenuresResponse { tenures, next_page_token: page.next_page_token }))
    }
}
