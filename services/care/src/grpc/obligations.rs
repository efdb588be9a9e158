//! The RPCs of `ObligationService`.

use steward_kit::error::Violations;
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::obligation_service_server::ObligationService;
use tonic::{Request, Response};

use super::request::{call, id, page, received, states, target, time};
use super::{Answer, Edge};
use crate::app::NewDate;
use crate::contract::Code;
use crate::domain::base::Stored;
use crate::domain::codes::ObligationState;
use crate::domain::obligation::{Item, Obligation};
use crate::store::dates::EstateDate;
use crate::store::documents::Place;

#[tonic::async_trait]
impl ObligationService for Edge {
    async fn set_estate_date(&self, request: Request<pb::SetEstateDateRequest>) -> Answer<pb::SetEstateDateResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "SetEstateDate", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (estate, date) = (bad.id("estate_id", &request.estate_id), bad.date("date", &request.date));
        let (estate, date) = bad.build(|| Some((estate?, date?)))?;
        let new = NewDate { kind: request.kind, subject: request.subject_code, date, is_reached: request.is_reached };
        let id = estate;
        let answer = |date: &EstateDate, count: usize| pb::SetEstateDateResponse {
            estate_date: Some(encode_date(date, id)),
            obligation_count: i32::try_from(count).unwrap_or(i32::MAX),
        };
        Ok(Response::new(self.app.set_estate_date(&call, estate, new, answer).await?))
    }

    async fn list_estate_dates(&self, request: Request<pb::ListEstateDatesRequest>) -> Answer<pb::ListEstateDatesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let list = |after: Option<(String, String)>, limit| async move {
            let after = after.as_ref().map(|(kind, subject)| (kind.as_str(), subject.as_str()));
            self.app.list_estate_dates(&access, estate, after, limit).await
        };
        let page = page!(self, "ListEstateDates", request, |page| list(page.after.clone(), page.size.limit()), |date| (
            date.kind.clone(),
            date.subject_code.clone()
        ));
        let estate_dates = page.rows.iter().map(|date| encode_date(date, estate)).collect();
        Ok(Response::new(pb::ListEstateDatesResponse { estate_dates, next_page_token: page.next_page_token }))
    }

    async fn create_obligation(&self, request: Request<pb::CreateObligationRequest>) -> Answer<pb::CreateObligationResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateObligation", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (estate, due_time) = (bad.id("estate_id", &request.estate_id), bad.timestamp("due_time", request.due_time.as_ref()));
        let (estate, due_time) = bad.build(|| Some((estate?, due_time?)))?;
        let new = Obligation {
            code: request.code,
            title_zh: request.title_zh,
            title_en: request.title_en,
            anchor_kind: String::new(),
            subject_code: request.subject_code,
            anchor_date: None,
            due_time,
            state: ObligationState::Open,
            role: request.role,
            assignee: request.assignee,
            items: request.items.into_iter().map(decode_item).collect(),
            flag: String::new(),
            is_late: false,
            complete_time: None,
        };
        let answer = |row: &Stored<Obligation>| pb::CreateObligationResponse { obligation: Some(encode(row)) };
        Ok(Response::new(self.app.create_obligation(&call, estate, new, answer).await?))
    }

    async fn get_obligation(&self, request: Request<pb::GetObligationRequest>) -> Answer<pb::GetObligationResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "obligation_id", &request.obligation_id);
        let row = self.app.obligation(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetObligationResponse { obligation: Some(encode(&row)) }))
    }

    async fn list_obligations(&self, request: Request<pb::ListObligationsRequest>) -> Answer<pb::ListObligationsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let states = states::<ObligationState>(&mut bad, &request.states);
        let estate = bad.build(|| estate)?;
        let page = page!(self, "ListObligations", request, |page| self.app.list_obligations(&access, estate, &states, &page), Place::of);
        let obligations = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListObligationsResponse { obligations, next_page_token: page.next_page_token }))
    }

    async fn check_obligation_item(&self, request: Request<pb::CheckObligationItemRequest>) -> Answer<pb::CheckObligationItemResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CheckObligationItem", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "obligation_id", &request.obligation_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Obligation>| pb::CheckObligationItemResponse { obligation: Some(encode(row)) };
        Ok(Response::new(
            self.app.check_obligation_item(&call, target, &request.item_code, &request.proof_reference, &request.finding, answer).await?,
        ))
    }

    async fn complete_obligation(&self, request: Request<pb::CompleteObligationRequest>) -> Answer<pb::CompleteObligationResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CompleteObligation", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "obligation_id", &request.obligation_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Obligation>| pb::CompleteObligationResponse { obligation: Some(encode(row)) };
        Ok(Response::new(self.app.complete_obligation(&call, target, answer).await?))
    }

    async fn cancel_obligation(&self, request: Request<pb::CancelObligationRequest>) -> Answer<pb::CancelObligationResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CancelObligation", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "obligation_id", &request.obligation_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Obligation>| pb::CancelObligationResponse { obligation: Some(encode(row)) };
        Ok(Response::new(self.app.cancel_obligation(&call, target, answer).await?))
    }
}

fn encode_date(date: &EstateDate, estate: steward_kit::ids::EstateId) -> pb::EstateDate {
    pb::EstateDate {
        id: date.id.to_string(),
        estate_id: estate.to_string(),
        kind: date.kind.clone(),
        subject_code: date.subject_code.clone(),
        date: to_date(date.date),
        is_reached: date.is_reached,
        etag: date.row_version.to_string(),
        update_time: Some(to_timestamp(date.update_time)),
    }
}

fn decode_item(item: pb::ChecklistItem) -> Item {
    Item {
        code: item.code,
        title_zh: item.title_zh,
        title_en: item.title_en,
        needs_proof: item.needs_proof,
        is_done: false,
        finding: String::new(),
        has_open_finding: false,
        proof_reference: String::new(),
        actor_subject: String::new(),
        time: None,
    }
}

fn encode(row: &Stored<Obligation>) -> pb::Obligation {
    let one = &row.value;
    let item = |item: &Item| pb::ChecklistItem {
        code: item.code.clone(),
        title_zh: item.title_zh.clone(),
        title_en: item.title_en.clone(),
        needs_proof: item.needs_proof,
        is_done: item.is_done,
        has_open_finding: item.has_open_finding,
        proof_reference: item.proof_reference.clone(),
        finding: item.finding.clone(),
        actor_subject: item.actor_subject.clone(),
        time: time(item.time),
    };
    pb::Obligation {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        code: one.code.clone(),
        title_zh: one.title_zh.clone(),
        title_en: one.title_en.clone(),
        anchor_kind: one.anchor_kind.clone(),
        subject_code: one.subject_code.clone(),
        anchor_date: one.anchor_date.map(to_date).unwrap_or_default(),
        due_time: Some(to_timestamp(one.due_time)),
        state: one.state.number(),
        role: one.role.clone(),
        assignee: one.assignee.clone(),
        items: one.items.iter().map(item).collect(),
        flag_code: if one.state == ObligationState::Overdue { one.flag.clone() } else { String::new() },
        is_late: one.is_late,
        complete_time: time(one.complete_time),
        etag: row.row_version.to_string(),
        create_time: Some(to_timestamp(row.create_time)),
        update_time: Some(to_timestamp(row.update_time)),
    }
}
