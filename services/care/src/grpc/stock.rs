//! The RPCs of `StockService`.

use steward_kit::error::Violations;
use steward_kit::proto::to_timestamp;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::stock_service_server::StockService;
use tonic::{Request, Response};
use uuid::Uuid;

use super::request::{call, id, page, received, target, text};
use super::{Answer, Edge};
use crate::app::{NewItem, StockAnswer};
use crate::contract::{Code, required};
use crate::domain::community_codes::StockMovementKind as Kind;
use crate::domain::stock::{Item, Movement, Moving};

/// How a movement is answered, and which it was is read out of an answer.
macro_rules! answer {
    ($response:ident) => {
        StockAnswer {
            of: |row: &Movement| pb::$response { movement: Some(encode_movement(row)) },
            movement_id: |stored: &pb::$response| Uuid::try_parse(&stored.movement.as_ref()?.id).ok(),
        }
    };
}

#[tonic::async_trait]
impl StockService for Edge {
    async fn put_stock_item(&self, request: Request<pb::PutStockItemRequest>) -> Answer<pb::PutStockItemResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "PutStockItem", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        // The estate stands where a target has its id; what is meant is the etag.
        let target = target(&mut bad, "estate_id", &request.estate_id, &request.etag);
        let (estate, kind) = (bad.id("estate_id", &request.estate_id), required(&mut bad, "kind", request.kind));
        let (estate, kind, target) = bad.build(|| Some((estate?, kind?, target?)))?;
        let new = NewItem {
            estate,
            code: request.code,
            name_zh: request.name_zh,
            name_en: request.name_en,
            kind,
            unit_code: request.unit_code,
            low_mark: request.low_mark,
            etag: target.etag,
        };
        let answer = |row: &Item| pb::PutStockItemResponse { item: Some(encode(row)) };
        Ok(Response::new(self.app.put_stock_item(&call, new, answer).await?))
    }

    async fn get_stock_item(&self, request: Request<pb::GetStockItemRequest>) -> Answer<pb::GetStockItemResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "item_id", &request.item_id);
        let row = self.app.stock_item(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetStockItemResponse { item: Some(encode(&row)) }))
    }

    async fn list_stock_items(&self, request: Request<pb::ListStockItemsRequest>) -> Answer<pb::ListStockItemsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let (app, estate, low_only) = (&self.app, bad.build(|| estate)?, request.low_only);
        let place = |row: &Item| row.code.clone();
        let page = page!(self, "ListStockItems", request, |page| app.list_stock_items(&access, estate, low_only, &page), place);
        let items = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListStockItemsResponse { items, next_page_token: page.next_page_token }))
    }

    async fn list_stock_movements(&self, request: Request<pb::ListStockMovementsRequest>) -> Answer<pb::ListStockMovementsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let item = id(&mut bad, "item_id", &request.item_id);
        let (app, item) = (&self.app, bad.build(|| item)?);
        let place = |row: &Movement| row.number;
        let page = page!(self, "ListStockMovements", request, |page| app.list_stock_movements(&access, item, &page), place);
        let movements = page.rows.iter().map(encode_movement).collect();
        Ok(Response::new(pb::ListStockMovementsResponse { movements, next_page_token: page.next_page_token }))
    }

    async fn receive_stock(&self, request: Request<pb::ReceiveStockRequest>) -> Answer<pb::ReceiveStockResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ReceiveStock", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let item = id(&mut bad, "item_id", &request.item_id);
        let item = bad.build(|| item)?;
        let moving = Moving::new(Kind::Received, request.quantity, request.reason)?;
        Ok(Response::new(self.app.move_stock(&call, item, moving, answer!(ReceiveStockResponse)).await?))
    }

    async fn issue_stock(&self, request: Request<pb::IssueStockRequest>) -> Answer<pb::IssueStockResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "IssueStock", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let item = id(&mut bad, "item_id", &request.item_id);
        let household_id = bad.optional_id("household_id", &request.household_id);
        let subject_id = if request.subject_id.is_empty() { None } else { id(&mut bad, "subject_id", &request.subject_id) };
        let item = bad.build(|| item)?;
        let moving = Moving {
            household_id,
            subject_kind: request.subject_kind,
            subject_id,
            sign_reference: request.recipient_sign_reference,
            attachments: request.attachment_references,
            ..Moving::new(Kind::Issued, request.quantity, request.reason)?
        };
        Ok(Response::new(self.app.move_stock(&call, item, moving, answer!(IssueStockResponse)).await?))
    }

    async fn return_stock(&self, request: Request<pb::ReturnStockRequest>) -> Answer<pb::ReturnStockResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ReturnStock", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let issue = id(&mut bad, "movement_id", &request.movement_id);
        let issue = bad.build(|| issue)?;
        Ok(Response::new(self.app.return_stock(&call, issue, &request.reason, answer!(ReturnStockResponse)).await?))
    }

    async fn write_off_stock(&self, request: Request<pb::WriteOffStockRequest>) -> Answer<pb::WriteOffStockResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "WriteOffStock", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let item = id(&mut bad, "item_id", &request.item_id);
        let item = bad.build(|| item)?;
        let moving = Moving::new(Kind::WrittenOff, request.quantity, request.reason)?;
        Ok(Response::new(self.app.move_stock(&call, item, moving, answer!(WriteOffStockResponse)).await?))
    }

    async fn count_stock(&self, request: Request<pb::CountStockRequest>) -> Answer<pb::CountStockResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CountStock", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let item = id(&mut bad, "item_id", &request.item_id);
        let item = bad.build(|| item)?;
        let moving = Moving::new(Kind::Counted, request.quantity, request.reason)?;
        Ok(Response::new(self.app.move_stock(&call, item, moving, answer!(CountStockResponse)).await?))
    }
}

fn encode(row: &Item) -> pb::StockItem {
    pb::StockItem {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        code: row.code.clone(),
        name_zh: row.name_zh.clone(),
        name_en: row.name_en.clone(),
        kind: row.kind.number(),
        unit_code: row.unit_code.clone(),
        on_hand: row.on_hand,
        low_mark: row.low_mark,
        movement_count: row.movement_count,
        etag: row.row_version.to_string(),
        create_time: Some(to_timestamp(row.create_time)),
    }
}

fn encode_movement(row: &Movement) -> pb::StockMovement {
    let moving = &row.moving;
    pb::StockMovement {
        id: row.id.to_string(),
        item_id: row.item_id.to_string(),
        estate_id: row.estate_id.to_string(),
        number: row.number,
        kind: moving.kind.number(),
        change: row.change,
        on_hand: row.on_hand,
        household_id: text(moving.household_id),
        subject_kind: moving.subject_kind.clone(),
        subject_id: text(moving.subject_id),
        recipient_sign_reference: moving.sign_reference.clone(),
        attachment_references: moving.attachments.clone(),
        reason: moving.reason.clone(),
        returned_movement_id: text(moving.returned),
        actor_subject: row.actor_subject.clone(),
        move_time: Some(to_timestamp(row.move_time)),
    }
}
