//! RenovationService.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::paging::Query;
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::customer::v1 as pb;
use tonic::{Request, Response, Status};

use super::{decode, encode, mutation, received};
use crate::app::{App, NewOccupancy, NewRenovation};
use crate::contract::Code;
use crate::domain::renovation::{Renovation, RenovationStep};
use crate::store::renovations::{Period, RenovationFilter};

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Renovations(pub(super) Arc<App>);

mutation::mutations! {
    "RecordOccupancy": RecordOccupancyRequest -> RecordOccupancyResponse { unit: crate::domain::unit::Unit = encode::unit },
    "DeclareRenovation": DeclareRenovationRequest -> DeclareRenovationResponse { renovation: Renovation = renovation },
    "StartRenovation": StartRenovationRequest -> StartRenovationResponse { renovation: Renovation = renovation },
    "FinishRenovation": FinishRenovationRequest -> FinishRenovationResponse { renovation: Renovation = renovation },
    "CancelRenovation": CancelRenovationRequest -> CancelRenovationResponse { renovation: Renovation = renovation },
}

macro_rules! step {
    ($self:ident, $request:ident, $step:ident, $day:expr) => {{
        let (access, request) = received($request)?;
        let mut bad = Violations::of(&request);
        let target = decode::target(&mut bad, "renovation_id", &request.renovation_id, &request.etag);
        let day = $day(&mut bad, &request);
        let target = bad.build(|| target)?;
        let call = mutation::call(&access, &request)?;
        Ok(Response::new($self.0.step_renovation(&call, target, RenovationStep::$step, day).await?))
    }};
}

#[tonic::async_trait]
impl pb::renovation_service_server::RenovationService for Renovations {
    async fn record_occupancy(
        &self,
        request: Request<pb::RecordOccupancyRequest>,
    ) -> Result<Response<pb::RecordOccupancyResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let target = decode::target(&mut bad, "unit_id", &request.unit_id, &request.etag);
        let occupancy = decode::required(&mut bad, "occupancy", request.occupancy);
        let from_date = decode::date(&mut bad, "from_date", &request.from_date);
        let source = request.source.clone();
        let (target, new) = bad.build(|| Some((target?, NewOccupancy { occupancy: occupancy?, from_date: from_date?, source })))?;
        Ok(Response::new(self.0.record_occupancy(&mutation::call(&access, &request)?, target, new).await?))
    }

    async fn list_occupancy_periods(
        &self,
        request: Request<pb::ListOccupancyPeriodsRequest>,
    ) -> Result<Response<pb::ListOccupancyPeriodsResponse>, Status> {
        let (access, mut request) = received(request)?;
        let unit = decode::only_id(&request, "unit_id", &request.unit_id)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListOccupancyPeriods", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let found = self.0.list_occupancy_periods(&access, unit, &page).await?;
        let page = self.0.pages.page(&query, page.size, found, |period: &Period| period.from_date)?;
        let periods = page.rows.iter().map(period).collect();
        Ok(Response::new(pb::ListOccupancyPeriodsResponse { periods, next_page_token: page.next_page_token }))
    }

    async fn declare_renovation(
        &self,
        request: Request<pb::DeclareRenovationRequest>,
    ) -> Result<Response<pb::DeclareRenovationResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let unit_id = decode::id(&mut bad, "unit_id", &request.unit_id);
        let from = decode::date(&mut bad, "planned_from_date", &request.planned_from_date);
        let to = decode::date(&mut bad, "planned_to_date", &request.planned_to_date);
        let new = bad.build(|| {
            let (contractor, permit) = (request.contractor.clone(), request.permit.clone());
            Some(NewRenovation { unit_id: unit_id?, planned_from_date: from?, planned_to_date: to?, contractor, permit })
        })?;
        Ok(Response::new(self.0.declare_renovation(&mutation::call(&access, &request)?, new).await?))
    }

    async fn start_renovation(
        &self,
        request: Request<pb::StartRenovationRequest>,
    ) -> Result<Response<pb::StartRenovationResponse>, Status> {
        step!(self, request, Start, |bad: &mut Violations, request: &pb::StartRenovationRequest| decode::optional_date(
            bad,
            "start_date",
            &request.start_date
        ))
    }

    async fn finish_renovation(
        &self,
        request: Request<pb::FinishRenovationRequest>,
    ) -> Result<Response<pb::FinishRenovationResponse>, Status> {
        step!(self, request, Finish, |bad: &mut Violations, request: &pb::FinishRenovationRequest| decode::optional_date(
            bad,
            "finish_date",
            &request.finish_date
        ))
    }

    async fn cancel_renovation(
        &self,
        request: Request<pb::CancelRenovationRequest>,
    ) -> Result<Response<pb::CancelRenovationResponse>, Status> {
        step!(self, request, Cancel, |_: &mut Violations, _: &pb::CancelRenovationRequest| None)
    }

    async fn list_renovations(
        &self,
        request: Request<pb::ListRenovationsRequest>,
    ) -> Result<Response<pb::ListRenovationsResponse>, Status> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = decode::id(&mut bad, "estate_id", &request.estate_id);
        let filter =
            RenovationFilter { state: Code::of_number(request.state), unit_id: decode::optional_id(&mut bad, "unit_id", &request.unit_id) };
        let estate = bad.build(|| estate)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListRenovations", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let found = self.0.list_renovations(&access, estate, &filter, &page).await?;
        let page = self.0.pages.page(&query, page.size, found, |renovation: &Renovation| renovation.id.as_uuid())?;
        let renovations = page.rows.iter().map(renovation).collect();
        Ok(Response::new(pb::ListRenovationsResponse { renovations, next_page_token: page.next_page_token }))
    }
}

fn period(period: &Period) -> pb::OccupancyPeriod {
    pb::OccupancyPeriod {
        unit_id: period.unit_id.to_string(),
        occupancy: period.occupancy.number(),
        from_date: to_date(period.from_date),
        to_date: period.to_date.map(to_date).unwrap_or_default(),
        source: period.source.clone(),
    }
}

fn renovation(renovation: &Renovation) -> pb::Renovation {
    pb::Renovation {
        id: renovation.id.to_string(),
        estate_id: renovation.estate_id.to_string(),
        unit_id: renovation.unit_id.to_string(),
        state: renovation.state.number(),
        planned_from_date: to_date(renovation.planned_from_date),
        planned_to_date: to_date(renovation.planned_to_date),
        start_date: renovation.start_date.map(to_date).unwrap_or_default(),
        finish_date: renovation.finish_date.map(to_date).unwrap_or_default(),
        contractor: renovation.contractor.clone(),
        permit: renovation.permit.clone(),
        etag: renovation.row_version.to_string(),
        create_time: Some(to_timestamp(renovation.create_time)),
        update_time: Some(to_timestamp(renovation.update_time)),
    }
}
