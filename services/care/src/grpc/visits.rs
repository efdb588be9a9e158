//! The RPCs of `VisitService`.

use jiff::Timestamp;
use steward_kit::error::Violations;
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::visit_service_server::VisitService;
use tonic::{Request, Response};

use super::request::{call, id, page, received, states, target, text, time};
use super::{Answer, Edge};
use crate::app::{Brief, Target};
use crate::contract::{Code, required};
use crate::domain::base::Stored;
use crate::domain::codes::VisitState;
use crate::domain::visit::{Arrangement, Form, Issue, Visit};
use crate::store::visits::Upward;

#[tonic::async_trait]
impl VisitService for Edge {
    async fn get_visit(&self, request: Request<pb::GetVisitRequest>) -> Answer<pb::GetVisitResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "visit_id", &request.visit_id);
        let row = self.app.visit(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetVisitResponse { visit: Some(encode(&row)) }))
    }

    async fn list_visits(&self, request: Request<pb::ListVisitsRequest>) -> Answer<pb::ListVisitsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let round = bad.optional_id("visit_round_id", &request.visit_round_id);
        let estate = bad.optional_id("estate_id", &request.estate_id);
        let states = states::<VisitState>(&mut bad, &request.states);
        bad.finish()?;
        let visitor = request.visitor.clone();
        let visitor = estate.filter(|_| !visitor.is_empty()).map(|estate| (visitor.as_str(), estate));
        let page = page!(self, "ListVisits", request, |page| self.app.list_visits(&access, round, visitor, &states, &page), Upward::of);
        let visits = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListVisitsResponse { visits, next_page_token: page.next_page_token }))
    }

    async fn schedule_visit(&self, request: Request<pb::ScheduleVisitRequest>) -> Answer<pb::ScheduleVisitResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ScheduleVisit", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "visit_id", &request.visit_id, &request.etag);
        let start_time = bad.timestamp("start_time", request.start_time.as_ref());
        if request.minutes % 15 != 0 {
            bad.add("minutes", "TIME_NOT_PLAUSIBLE", "must be a multiple of 15");
        }
        let (mut visitors, minutes) = (Vec::new(), request.minutes);
        for visitor in request.visitors {
            if !visitors.contains(&visitor) {
                visitors.push(visitor);
            }
        }
        let (target, arrangement) = bad.build(|| Some((target?, Arrangement { visitors, start_time: start_time?, minutes })))?;
        let answer = |row: &Stored<Visit>| pb::ScheduleVisitResponse { visit: Some(encode(row)) };
        Ok(Response::new(self.app.schedule_visit(&call, target, arrangement, answer).await?))
    }

    async fn confirm_appointment(&self, request: Request<pb::ConfirmAppointmentRequest>) -> Answer<pb::ConfirmAppointmentResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ConfirmAppointment", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "visit_id", &request.visit_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Visit>| pb::ConfirmAppointmentResponse { visit: Some(encode(row)) };
        Ok(Response::new(self.app.confirm_appointment(&call, target, answer).await?))
    }

    async fn read_visit_brief(&self, request: Request<pb::ReadVisitBriefRequest>) -> Answer<pb::ReadVisitBriefResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ReadVisitBrief", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "visit_id", &request.visit_id);
        let target = Target { id: bad.build(|| id)?, etag: None };
        let answer = |row: &Stored<Visit>, brief: &Brief| pb::ReadVisitBriefResponse {
            visit: Some(encode(row)),
            facts: brief.facts.clone(),
            touchpoint_counts: brief.touchpoints.clone(),
            last_contact_time: time(brief.last_contact_time),
        };
        Ok(Response::new(self.app.read_visit_brief(&call, target, answer).await?))
    }

    async fn check_visit_kit(&self, request: Request<pb::CheckVisitKitRequest>) -> Answer<pb::CheckVisitKitResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CheckVisitKit", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "visit_id", &request.visit_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Visit>| pb::CheckVisitKitResponse { visit: Some(encode(row)) };
        Ok(Response::new(self.app.check_visit_kit(&call, target, request.items, answer).await?))
    }

    async fn start_visit(&self, request: Request<pb::StartVisitRequest>) -> Answer<pb::StartVisitResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "StartVisit", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "visit_id", &request.visit_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Visit>| pb::StartVisitResponse { visit: Some(encode(row)) };
        Ok(Response::new(self.app.start_visit(&call, target, answer).await?))
    }

    async fn end_visit(&self, request: Request<pb::EndVisitRequest>) -> Answer<pb::EndVisitResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "EndVisit", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "visit_id", &request.visit_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Visit>| pb::EndVisitResponse { visit: Some(encode(row)) };
        Ok(Response::new(self.app.end_visit(&call, target, answer).await?))
    }

    async fn submit_visit_form(&self, request: Request<pb::SubmitVisitFormRequest>) -> Answer<pb::SubmitVisitFormResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "SubmitVisitForm", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "visit_id", &request.visit_id, &request.etag);
        let form = bad.required("form", request.form.as_ref());
        let form = form.and_then(|form| decode_form(form, &mut bad));
        let (target, form) = bad.build(|| Some((target?, form?)))?;
        let form = |submit_time: Timestamp| Form { submit_time, ..form.clone() };
        let answer = |row: &Stored<Visit>| pb::SubmitVisitFormResponse { visit: Some(encode(row)) };
        Ok(Response::new(self.app.submit_visit_form(&call, target, form, answer).await?))
    }

    async fn cancel_visit(&self, request: Request<pb::CancelVisitRequest>) -> Answer<pb::CancelVisitResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CancelVisit", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "visit_id", &request.visit_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Visit>| pb::CancelVisitResponse { visit: Some(encode(row)) };
        Ok(Response::new(self.app.cancel_visit(&call, target, &request.reason_code, answer).await?))
    }
}

fn decode_form(form: &pb::VisitForm, bad: &mut Violations) -> Option<Form> {
    let issues: Vec<Option<Issue>> = form
        .issues
        .iter()
        .enumerate()
        .map(|(at, issue)| {
            let kind = required(bad, &format!("form.issues[{at}].kind"), issue.kind)?;
            Some(Issue { kind, category: issue.category.clone(), description: issue.description.clone(), work_order_id: None })
        })
        .collect();
    Some(Form {
        score: u8::try_from(form.score).ok()?,
        note: form.note.clone(),
        issues: issues.into_iter().collect::<Option<_>>()?,
        is_important: form.is_important,
        position: form.position.clone(),
        is_late: false,
        submit_time: Timestamp::UNIX_EPOCH,
    })
}

fn encode_form(form: &Form) -> pb::VisitForm {
    let issue = |issue: &Issue| pb::VisitIssue {
        kind: issue.kind.number(),
        category: issue.category.clone(),
        description: issue.description.clone(),
        work_order_id: text(issue.work_order_id),
    };
    pb::VisitForm {
        score: form.score.into(),
        note: form.note.clone(),
        issues: form.issues.iter().map(issue).collect(),
        is_important: form.is_important,
        position: form.position.clone(),
        is_late: form.is_late,
        submit_time: Some(to_timestamp(form.submit_time)),
    }
}

fn encode(row: &Stored<Visit>) -> pb::Visit {
    let one = &row.value;
    let conformity = one.conformity.map(|kept| pb::Conformity {
        notice: kept.notice,
        duration: kept.duration,
        form: kept.form,
        training: kept.training,
        kit: kept.kit,
    });
    pb::Visit {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        visit_round_id: one.round_id.to_string(),
        household_id: one.household_id.to_string(),
        unit_id: one.unit_id.to_string(),
        customer_id: text(one.customer_id),
        touchpoint_id: text(one.touchpoint_id),
        due_date: to_date(one.due_date),
        state: one.state.number(),
        reason_code: one.reason_code.clone(),
        visitors: one.visitors.clone(),
        start_time: time(one.start_time),
        end_time: time(one.end_time),
        notice_time: time(one.notice_time),
        is_without_notice: one.is_without_notice,
        appoint_time: time(one.appoint_time),
        reconfirm_time: time(one.reconfirm_time),
        brief_read_time: time(one.brief_read_time),
        kit_items: one.kit_items.clone(),
        begin_time: time(one.begin_time),
        finish_time: time(one.finish_time),
        form_due_time: time(one.form_due_time),
        form: one.form.as_ref().map(encode_form),
        conformity,
        warnings: one.warnings.clone(),
        reschedule_count: one.reschedule_count,
        etag: row.row_version.to_string(),
        create_time: Some(to_timestamp(row.create_time)),
        update_time: Some(to_timestamp(row.update_time)),
    }
}
