//! EstateService.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::paging::Query;
use steward_proto::customer::v1 as pb;
use tonic::{Request, Response, Status};

use super::{decode, encode, mutation, received};
use crate::app::App;
use crate::store::estates::{EstateCursor, EstateFilter};

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Estates(pub(super) Arc<App>);

#[tonic::async_trait]
impl pb::estate_service_server::EstateService for Estates {
    async fn register_estate(&self, request: Request<pb::RegisterEstateRequest>) -> Result<Response<pb::RegisterEstateResponse>, Status> {
        let (access, request) = received(request)?;
        let new = decode::register_estate(&request)?;
        Ok(Response::new(self.0.register_estate(&mutation::call(&access, &request)?, new).await?))
    }

    async fn get_estate(&self, request: Request<pb::GetEstateRequest>) -> Result<Response<pb::GetEstateResponse>, Status> {
        let (access, request) = received(request)?;
        let id = decode::only_id(&request, "estate_id", &request.estate_id)?;
        let estate = self.0.get_estate(&access, id).await?;
        Ok(Response::new(pb::GetEstateResponse { estate: Some(encode::estate(&estate)) }))
    }

    async fn list_estates(&self, request: Request<pb::ListEstatesRequest>) -> Result<Response<pb::ListEstatesResponse>, Status> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let region_id = decode::optional_id(&mut bad, "region_id", &request.region_id);
        bad.finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListEstates", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let filter = EstateFilter { region_id, name_prefix: request.name_prefix };
        let found = self.0.list_estates(&access, &filter, &page).await?;
        let cursor = |estate: &crate::domain::estate::Estate| EstateCursor { name: estate.name.clone(), id: estate.id.as_uuid() };
        let page = self.0.pages.page(&query, page.size, found, cursor)?;
        let estates = page.rows.iter().map(encode::estate).collect();
        Ok(Response::new(pb::ListEstatesResponse { estates, next_page_token: page.next_page_token }))
    }

    async fn update_estate(&self, request: Request<pb::UpdateEstateRequest>) -> Result<Response<pb::UpdateEstateResponse>, Status> {
        let (access, request) = received(request)?;
        let (target, change) = decode::update_estate(&request)?;
        Ok(Response::new(self.0.update_estate(&mutation::call(&access, &request)?, target, change).await?))
    }
}
