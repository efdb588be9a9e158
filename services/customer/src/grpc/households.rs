//! HouseholdService.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::paging::{PageRequest, PageSize, Query};
use steward_proto::customer::v1 as pb;
use tonic::{Request, Response, Status};

use super::{decode, encode, received};
use crate::app::App;
use crate::domain::household::Household;
use crate::store::households::HouseholdFilter;
use crate::store::units::UnitCursor;

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Households(pub(super) Arc<App>);

#[tonic::async_trait]
impl pb::household_service_server::HouseholdService for Households {
    async fn get_household(&self, request: Request<pb::GetHouseholdRequest>) -> Result<Response<pb::GetHouseholdResponse>, Status> {
        let (access, request) = received(request)?;
        let unit = decode::only_id(&request, "unit_id", &request.unit_id)?;
        let one = PageRequest { size: PageSize::of(1)?, after: None };
        let household = self.0.get_household(&access, unit, &one).await?;
        Ok(Response::new(pb::GetHouseholdResponse { household: Some(encode::household(&household)) }))
    }

    async fn list_households(&self, request: Request<pb::ListHouseholdsRequest>) -> Result<Response<pb::ListHouseholdsResponse>, Status> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = decode::id(&mut bad, "estate_id", &request.estate_id);
        let estate = access.scope.estate(bad.build(|| estate)?)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListHouseholds", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let filter = HouseholdFilter { estate: Some(estate), unit_id: None, incomplete_only: request.incomplete_only };
        let found = self.0.list_households(&access, &filter, &page).await?;
        let page = self.0.pages.page(&query, page.size, found, |household: &Household| UnitCursor(household.unit_full_code.clone()))?;
        let households = page.rows.iter().map(encode::household).collect();
        Ok(Response::new(pb::ListHouseholdsResponse { households, next_page_token: page.next_page_token }))
    }
}
