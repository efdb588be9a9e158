//! The RPCs of `VisitRoundService`.

use std::collections::BTreeMap;

use steward_kit::error::Violations;
use steward_kit::proto::{to_date, to_span, to_timestamp};
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::visit_round_service_server::VisitRoundService;
use tonic::{Request, Response};

use super::request::{call, id, page, received, states, target, text, time};
use super::{Answer, Edge};
use crate::app::{NewRound, VisitCounts};
use crate::contract::{Code, audience_of, exclusions, required};
use crate::domain::base::Stored;
use crate::domain::codes::RoundState;
use crate::domain::round::{Figures, Report, Round, Training};
use crate::store::documents::Place;

#[tonic::async_trait]
impl VisitRoundService for Edge {
    async fn create_visit_round(&self, request: Request<pb::CreateVisitRoundRequest>) -> Answer<pb::CreateVisitRoundResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateVisitRound", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (estate, kind) = (bad.id("estate_id", &request.estate_id), required(&mut bad, "kind", request.kind));
        let (from_date, to_date) = (bad.date("from_date", &request.from_date), bad.date("to_date", &request.to_date));
        let programme = bad.optional_id("programme_id", &request.programme_id);
        let plan_item = bad.optional_id("plan_item_id", &request.plan_item_id);
        let audience = request.audience.as_ref().and_then(|of| audience_of(of, "audience", &mut bad));
        let exclusions = exclusions(&request.exclusions, "exclusions", &mut bad);
        let (title, coordinator, definition_code) = (request.title, request.coordinator, request.definition_code);
        let new = bad.build(|| {
            Some(NewRound {
                estate: estate?,
                kind: kind?,
                title,
                from_date: from_date?,
                to_date: to_date?,
                coordinator,
                programme,
                definition_code,
                audience,
                exclusions,
                plan_item,
            })
        })?;
        let answer = |row: &Stored<Round>| pb::CreateVisitRoundResponse { visit_round: Some(encode(row)) };
        Ok(Response::new(self.app.create_visit_round(&call, new, answer).await?))
    }

    async fn get_visit_round(&self, request: Request<pb::GetVisitRoundRequest>) -> Answer<pb::GetVisitRoundResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "visit_round_id", &request.visit_round_id);
        let (row, counts) = self.app.visit_round(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetVisitRoundResponse { visit_round: Some(counted(encode(&row), counts)) }))
    }

    async fn list_visit_rounds(&self, request: Request<pb::ListVisitRoundsRequest>) -> Answer<pb::ListVisitRoundsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let states = states::<RoundState>(&mut bad, &request.states);
        let estate = bad.build(|| estate)?;
        let page = page!(self, "ListVisitRounds", request, |page| self.app.list_visit_rounds(&access, estate, &states, &page), Place::of);
        let visit_rounds = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListVisitRoundsResponse { visit_rounds, next_page_token: page.next_page_token }))
    }

    async fn record_training(&self, request: Request<pb::RecordTrainingRequest>) -> Answer<pb::RecordTrainingResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RecordTraining", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "visit_round_id", &request.visit_round_id, &request.etag);
        let time = bad.optional_timestamp("time", request.time.as_ref());
        let target = bad.build(|| target)?;
        let time = time.unwrap_or_else(|| self.app.clock.now());
        let training = Training { subject: request.subject, role: request.role, topics: request.topics, time };
        let answer = |row: &Stored<Round>| pb::RecordTrainingResponse { visit_round: Some(encode(row)) };
        Ok(Response::new(self.app.record_training(&call, target, training, answer).await?))
    }

    async fn end_visit_round(&self, request: Request<pb::EndVisitRoundRequest>) -> Answer<pb::EndVisitRoundResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "EndVisitRound", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "visit_round_id", &request.visit_round_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Round>| pb::EndVisitRoundResponse { visit_round: Some(encode(row)) };
        Ok(Response::new(self.app.end_visit_round(&call, target, answer).await?))
    }

    async fn submit_round_report(&self, request: Request<pb::SubmitRoundReportRequest>) -> Answer<pb::SubmitRoundReportResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "SubmitRoundReport", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "visit_round_id", &request.visit_round_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Round>| pb::SubmitRoundReportResponse { visit_round: Some(encode(row)) };
        Ok(Response::new(self.app.submit_round_report(&call, target, &request.analysis, answer).await?))
    }

    async fn archive_visit_round(&self, request: Request<pb::ArchiveVisitRoundRequest>) -> Answer<pb::ArchiveVisitRoundResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ArchiveVisitRound", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "visit_round_id", &request.visit_round_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Round>| pb::ArchiveVisitRoundResponse { visit_round: Some(encode(row)) };
        Ok(Response::new(self.app.archive_visit_round(&call, target, &request.title, &request.lesson, answer).await?))
    }
}

/// The round with what its visits amount to.
fn counted(round: pb::VisitRound, counts: VisitCounts) -> pb::VisitRound {
    let of = |states: &[&str]| states.iter().filter_map(|state| counts.get(*state)).sum::<i64>();
    let done_count = of(&["done", "closed"]);
    let due_count = done_count + of(&["open", "scheduled", "under_way"]);
    pb::VisitRound { done_count, due_count, visit_counts: counts, ..round }
}

fn encode(row: &Stored<Round>) -> pb::VisitRound {
    let one = &row.value;
    let rules = pb::RoundRules {
        notice: one.rules.notice.as_ref().map(to_span),
        min_minutes: one.rules.min_minutes,
        form_due: one.rules.form_due.as_ref().map(to_span),
        report_due: one.rules.report_due.as_ref().map(to_span),
        required_roles: one.rules.required_roles.clone(),
        training_topics: one.rules.training_topics.clone(),
        kit_items: one.rules.kit_items.clone(),
    };
    let training = |training: &Training| pb::Training {
        subject: training.subject.clone(),
        role: training.role.clone(),
        topics: training.topics.clone(),
        time: Some(to_timestamp(training.time)),
    };
    let case = |case: &crate::domain::round::Case| pb::RoundCase {
        title: case.title.clone(),
        lesson: case.lesson.clone(),
        time: Some(to_timestamp(case.time)),
    };
    pb::VisitRound {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        kind: one.kind.number(),
        title: one.title.clone(),
        from_date: to_date(one.from_date),
        to_date: to_date(one.to_date),
        coordinator: one.coordinator.clone(),
        state: one.state.number(),
        programme_id: text(one.programme_id),
        definition_code: one.definition_code.clone(),
        plan_item_id: text(one.plan_item_id),
        rules: Some(rules),
        visit_counts: BTreeMap::new(),
        done_count: 0,
        due_count: 0,
        warnings: one.missing_roles().into_iter().map(|role| format!("ROLE_MISSING:{role}")).collect(),
        trainings: one.trainings.iter().map(training).collect(),
        report_due_time: time(one.report_due_time),
        report: one.report.as_ref().map(report),
        archived_case: one.case.as_ref().map(case),
        etag: row.row_version.to_string(),
        create_time: Some(to_timestamp(row.create_time)),
        end_time: time(one.end_time),
    }
}

fn report(report: &Report) -> pb::RoundReport {
    let (this, nothing) = (&report.figures, Figures::default());
    let previous = report.previous.as_ref().unwrap_or(&nothing);
    pb::RoundReport {
        done_count: this.done_count,
        due_count: this.due_count,
        mean_score_hundredths: this.mean_hundredths(),
        issue_counts: this.issue_counts.clone(),
        previous_done_count: previous.done_count,
        previous_due_count: previous.due_count,
        previous_mean_score_hundredths: previous.mean_hundredths(),
        analysis: report.analysis.clone(),
        is_late: report.is_late,
        submit_time: Some(to_timestamp(report.submit_time)),
        actor_subject: report.actor_subject.clone(),
    }
}
