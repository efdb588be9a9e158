//! UnitService.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::paging::Query;
use steward_proto::customer::v1 as pb;
use tonic::{Request, Response, Status};

use super::{decode, encode, mutation, received};
use crate::app::App;
use crate::contract::Code;
use crate::domain::unit::Unit;
use crate::store::units::{UnitCursor, UnitFilter};

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Units(pub(super) Arc<App>);

#[tonic::async_trait]
impl pb::unit_service_server::UnitService for Units {
    async fn create_building(&self, request: Request<pb::CreateBuildingRequest>) -> Result<Response<pb::CreateBuildingResponse>, Status> {
        let (access, request) = received(request)?;
        let new = decode::create_building(&request)?;
        Ok(Response::new(self.0.create_building(&mutation::call(&access, &request)?, new).await?))
    }

    async fn create_entrance(&self, request: Request<pb::CreateEntranceRequest>) -> Result<Response<pb::CreateEntranceResponse>, Status> {
        let (access, request) = received(request)?;
        let new = decode::create_entrance(&request)?;
        Ok(Response::new(self.0.create_entrance(&mutation::call(&access, &request)?, new).await?))
    }

    async fn get_estate_tree(&self, request: Request<pb::GetEstateTreeRequest>) -> Result<Response<pb::GetEstateTreeResponse>, Status> {
        let (access, request) = received(request)?;
        let id = decode::only_id(&request, "estate_id", &request.estate_id)?;
        let tree = self.0.get_estate_tree(&access, id).await?;
        let unit_count = tree.iter().map(|node| node.unit_count).sum();
        let buildings = tree.iter().map(encode::building_node).collect();
        Ok(Response::new(pb::GetEstateTreeResponse { buildings, unit_count }))
    }

    async fn create_unit(&self, request: Request<pb::CreateUnitRequest>) -> Result<Response<pb::CreateUnitResponse>, Status> {
        let (access, request) = received(request)?;
        let new = decode::create_unit(&request)?;
        Ok(Response::new(self.0.create_unit(&mutation::call(&access, &request)?, new).await?))
    }

    async fn get_unit(&self, request: Request<pb::GetUnitRequest>) -> Result<Response<pb::GetUnitResponse>, Status> {
        let (access, request) = received(request)?;
        let id = decode::only_id(&request, "unit_id", &request.unit_id)?;
        let unit = self.0.get_unit(&access, id).await?;
        Ok(Response::new(pb::GetUnitResponse { unit: Some(encode::unit(&unit)) }))
    }

    async fn list_units(&self, request: Request<pb::ListUnitsRequest>) -> Result<Response<pb::ListUnitsResponse>, Status> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = decode::id(&mut bad, "estate_id", &request.estate_id);
        let filter = UnitFilter {
            building_id: decode::optional_id(&mut bad, "building_id", &request.building_id),
            entrance_id: decode::optional_id(&mut bad, "entrance_id", &request.entrance_id),
            occupancy: Code::of_number(request.occupancy).filter(|_| request.occupancy != 0),
            full_code_prefix: request.full_code_prefix.clone(),
        };
        let estate = bad.build(|| estate)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListUnits", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let found = self.0.list_units(&access, estate, &filter, &page).await?;
        let page = self.0.pages.page(&query, page.size, found, |unit: &Unit| UnitCursor(unit.full_code()))?;
        let units = page.rows.iter().map(encode::unit).collect();
        Ok(Response::new(pb::ListUnitsResponse { units, next_page_token: page.next_page_token }))
    }

    async fn update_unit(&self, request: Request<pb::UpdateUnitRequest>) -> Result<Response<pb::UpdateUnitResponse>, Status> {
        let (access, request) = received(request)?;
        let (target, change) = decode::update_unit(&request)?;
        Ok(Response::new(self.0.update_unit(&mutation::call(&access, &request)?, target, change).await?))
    }
}
