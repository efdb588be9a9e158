//! The RPCs of `DeliveryBatchService`.

use steward_kit::error::Violations;
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::delivery_batch_service_server::DeliveryBatchService;
use tonic::{Request, Response};

use super::request::{call, id, page, received, target, time};
use super::{Answer, Edge};
use crate::app::{Handover, NewBatch};
use crate::domain::base::Stored;
use crate::domain::batch::{Batch, Figures, Slots, Unit};
use crate::store::documents::Place;

#[tonic::async_trait]
impl DeliveryBatchService for Edge {
    async fn create_delivery_batch(&self, request: Request<pb::CreateDeliveryBatchRequest>) -> Answer<pb::CreateDeliveryBatchResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateDeliveryBatch", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let (from_date, to_date) = (bad.date("from_date", &request.from_date), bad.date("to_date", &request.to_date));
        let mut units = bad.ids("unit_ids", &request.unit_ids);
        units.sort();
        units.dedup();
        let slots = Slots {
            from_minute: request.slot_from_minute,
            to_minute: request.slot_to_minute,
            minutes: request.slot_minutes,
            capacity: request.slot_capacity,
        };
        let (code, delivery_items) = (request.code, request.delivery_items);
        let new =
            bad.build(|| Some(NewBatch { estate: estate?, code, from_date: from_date?, to_date: to_date?, units, delivery_items, slots }))?;
        let answer = |row: &Stored<Batch>| pb::CreateDeliveryBatchResponse { delivery_batch: Some(encode(row, None)) };
        Ok(Response::new(self.app.create_delivery_batch(&call, new, answer).await?))
    }

    async fn move_delivery_batch(&self, request: Request<pb::MoveDeliveryBatchRequest>) -> Answer<pb::MoveDeliveryBatchResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "MoveDeliveryBatch", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "delivery_batch_id", &request.delivery_batch_id, &request.etag);
        let (from, to) = (bad.date("from_date", &request.from_date), bad.date("to_date", &request.to_date));
        let (target, from, to) = bad.build(|| Some((target?, from?, to?)))?;
        let answer = |row: &Stored<Batch>| pb::MoveDeliveryBatchResponse { delivery_batch: Some(encode(row, None)) };
        Ok(Response::new(self.app.move_delivery_batch(&call, target, from, to, answer).await?))
    }

    async fn get_delivery_batch(&self, request: Request<pb::GetDeliveryBatchRequest>) -> Answer<pb::GetDeliveryBatchResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "delivery_batch_id", &request.delivery_batch_id);
        let (row, figures) = self.app.delivery_batch(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetDeliveryBatchResponse { delivery_batch: Some(encode(&row, Some(figures))) }))
    }

    async fn list_delivery_batches(&self, request: Request<pb::ListDeliveryBatchesRequest>) -> Answer<pb::ListDeliveryBatchesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let page = page!(self, "ListDeliveryBatches", request, |page| self.app.list_delivery_batches(&access, estate, &page), Place::of);
        let delivery_batches = page.rows.iter().map(|row| encode(row, None)).collect();
        Ok(Response::new(pb::ListDeliveryBatchesResponse { delivery_batches, next_page_token: page.next_page_token }))
    }

    async fn list_batch_units(&self, request: Request<pb::ListBatchUnitsRequest>) -> Answer<pb::ListBatchUnitsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "delivery_batch_id", &request.delivery_batch_id);
        let (id, without_notice) = (bad.build(|| id)?, request.without_notice);
        let list = |after, limit| self.app.list_batch_units(&access, id, without_notice, after, limit);
        let page = page!(self, "ListBatchUnits", request, |page| list(page.after, page.size.limit()), |unit| unit.unit_id.as_uuid());
        let units = page.rows.iter().map(encode_unit).collect();
        Ok(Response::new(pb::ListBatchUnitsResponse { units, next_page_token: page.next_page_token }))
    }

    async fn record_unit_notice(&self, request: Request<pb::RecordUnitNoticeRequest>) -> Answer<pb::RecordUnitNoticeResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RecordUnitNotice", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (batch, unit) = (id(&mut bad, "delivery_batch_id", &request.delivery_batch_id), bad.id("unit_id", &request.unit_id));
        let (batch, unit) = bad.build(|| Some((batch?, unit?)))?;
        let answer = |unit: &Unit| pb::RecordUnitNoticeResponse { unit: Some(encode_unit(unit)) };
        let (tracking, enclosures) = (&request.tracking_number, &request.enclosures);
        Ok(Response::new(self.app.record_unit_notice(&call, batch, unit, tracking, enclosures, answer).await?))
    }

    async fn record_mock_acceptance(&self, request: Request<pb::RecordMockAcceptanceRequest>) -> Answer<pb::RecordMockAcceptanceResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RecordMockAcceptance", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (batch, unit) = (id(&mut bad, "delivery_batch_id", &request.delivery_batch_id), bad.id("unit_id", &request.unit_id));
        let defects = i32::try_from(request.defect_count).ok();
        let (batch, unit, defects) = bad.build(|| Some((batch?, unit?, defects?)))?;
        let answer = |unit: &Unit| pb::RecordMockAcceptanceResponse { unit: Some(encode_unit(unit)) };
        Ok(Response::new(self.app.record_mock_acceptance(&call, batch, unit, defects, answer).await?))
    }

    async fn book_handover_slot(&self, request: Request<pb::BookHandoverSlotRequest>) -> Answer<pb::BookHandoverSlotResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "BookHandoverSlot", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (batch, unit) = (id(&mut bad, "delivery_batch_id", &request.delivery_batch_id), bad.id("unit_id", &request.unit_id));
        let slot = bad.timestamp("slot_time", request.slot_time.as_ref());
        let (batch, unit, slot) = bad.build(|| Some((batch?, unit?, slot?)))?;
        let answer = |unit: &Unit| pb::BookHandoverSlotResponse { unit: Some(encode_unit(unit)) };
        Ok(Response::new(self.app.book_handover_slot(&call, batch, unit, slot, answer).await?))
    }

    async fn record_handover(&self, request: Request<pb::RecordHandoverRequest>) -> Answer<pb::RecordHandoverResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RecordHandover", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (batch, unit) = (id(&mut bad, "delivery_batch_id", &request.delivery_batch_id), bad.id("unit_id", &request.unit_id));
        let date = bad.date("handover_date", &request.handover_date);
        let (batch, unit, date) = bad.build(|| Some((batch?, unit?, date?)))?;
        let answer = |unit: &Unit| pb::RecordHandoverResponse { unit: Some(encode_unit(unit)) };
        let handover = Handover { date, is_first_visit: request.is_first_visit, items: request.delivered_items };
        Ok(Response::new(self.app.record_handover(&call, batch, unit, &handover, answer).await?))
    }
}

fn encode(row: &Stored<Batch>, figures: Option<Figures>) -> pb::DeliveryBatch {
    let one = &row.value;
    let figures = figures.unwrap_or(Figures { unit_count: one.unit_count.into(), ..Figures::default() });
    pb::DeliveryBatch {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        code: one.code.clone(),
        from_date: to_date(one.from_date),
        to_date: to_date(one.to_date),
        enclosures: one.enclosures.clone(),
        delivery_items: one.delivery_items.clone(),
        slot_from_minute: one.slots.from_minute,
        slot_to_minute: one.slots.to_minute,
        slot_minutes: one.slots.minutes,
        slot_capacity: one.slots.capacity,
        unit_count: figures.unit_count,
        noticed_count: figures.noticed_count,
        handed_over_count: figures.handed_over_count,
        first_visit_count: figures.first_visit_count,
        defect_count: figures.defect_count,
        etag: row.row_version.to_string(),
        create_time: Some(to_timestamp(row.create_time)),
    }
}

fn encode_unit(unit: &Unit) -> pb::BatchUnit {
    pb::BatchUnit {
        unit_id: unit.unit_id.to_string(),
        notice_time: time(unit.notice_time),
        tracking_number: unit.tracking_number.clone(),
        defect_count: unit.defect_count,
        slot_time: time(unit.slot_time),
        handover_date: unit.handover_date.map(to_date).unwrap_or_default(),
        is_first_visit: unit.is_first_visit,
        delivered_items: unit.delivered_items.clone(),
    }
}
