//! The RPCs of `ParcelService`.

use steward_kit::error::Violations;
use steward_kit::proto::to_timestamp;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::parcel_service_server::ParcelService;
use tonic::{Request, Response};

use super::request::{call, id, page, received, states, target, time};
use super::{Answer, Edge};
use crate::app::NewParcel;
use crate::contract::Code;
use crate::domain::base::Stored;
use crate::domain::community_codes::ParcelState;
use crate::domain::parcel::Parcel;
use crate::store::documents::Place;

#[tonic::async_trait]
impl ParcelService for Edge {
    async fn receive_parcel(&self, request: Request<pb::ReceiveParcelRequest>) -> Answer<pb::ReceiveParcelResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ReceiveParcel", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let enrolment = id(&mut bad, "enrolment_id", &request.enrolment_id);
        // Whoever is told of the parcel is told where it lies.
        let shelf_code = bad.text("shelf_code", &request.shelf_code);
        let pb::ReceiveParcelRequest { item_code, tracking_number, .. } = request;
        let new = bad.build(|| Some(NewParcel { enrolment: enrolment?, item_code, tracking_number, shelf_code: shelf_code? }))?;
        let answer = |row: &Stored<Parcel>| pb::ReceiveParcelResponse { parcel: Some(encode(row)) };
        Ok(Response::new(self.app.receive_parcel(&call, new, answer).await?))
    }

    async fn hand_out_parcel(&self, request: Request<pb::HandOutParcelRequest>) -> Answer<pb::HandOutParcelResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "HandOutParcel", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "parcel_id", &request.parcel_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Parcel>| pb::HandOutParcelResponse { parcel: Some(encode(row)) };
        Ok(Response::new(self.app.hand_out_parcel(&call, target, answer).await?))
    }

    async fn get_parcel(&self, request: Request<pb::GetParcelRequest>) -> Answer<pb::GetParcelResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "parcel_id", &request.parcel_id);
        let row = self.app.parcel(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetParcelResponse { parcel: Some(encode(&row)) }))
    }

    async fn list_parcels(&self, request: Request<pb::ListParcelsRequest>) -> Answer<pb::ListParcelsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let states = states::<ParcelState>(&mut bad, &request.states);
        let (app, estate) = (&self.app, bad.build(|| estate)?);
        let page = page!(self, "ListParcels", request, |page| app.list_parcels(&access, estate, &states, &page), Place::of);
        let parcels = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListParcelsResponse { parcels, next_page_token: page.next_page_token }))
    }
}

fn encode(row: &Stored<Parcel>) -> pb::Parcel {
    let one = &row.value;
    pb::Parcel {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        enrolment_id: one.enrolment_id.to_string(),
        household_id: one.household_id.to_string(),
        tracking_number: one.tracking_number.clone(),
        shelf_code: one.shelf_code.clone(),
        state: one.state.number(),
        receive_time: Some(to_timestamp(one.receive_time)),
        due_time: Some(to_timestamp(one.due_time)),
        hand_out_time: time(one.hand_out_time),
        etag: row.row_version.to_string(),
    }
}
