//! From what was decided to the facts that leave. Ids, times and codes only.

use jiff::Timestamp;
use steward_kit::proto::to_timestamp;
use steward_kit_store::NewEvent;
use steward_proto::survey::v1 as pb;

use crate::contract::Code;
use crate::domain::codes::Role;
use crate::domain::{
    FeedbackItem, ImprovementPlan, Instrument, Invitation, Measure, MysteryVisit, Report, Response, Subject, Wave, answer_to,
};

fn id(id: Option<impl ToString>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn kind_of(subject: Option<&Subject>) -> String {
    subject.map(|subject| subject.kind.clone()).unwrap_or_default()
}

fn code_of(subject: Option<&Subject>) -> String {
    subject.map(|subject| subject.code.clone()).unwrap_or_default()
}

fn wave_facts(wave: &Wave) -> pb::WaveFacts {
    pb::WaveFacts {
        wave_id: wave.id.to_string(),
        estate_id: wave.estate_id.to_string(),
        programme_id: wave.programme_id.to_string(),
        name: wave.name.clone(),
        state: wave.state.number(),
        is_anonymous: wave.design.is_anonymous,
    }
}

fn of_wave<M: prost::Message + prost::Name>(wave: &Wave, now: Timestamp, fact: &M) -> NewEvent {
    NewEvent::new(wave.id, wave.estate_id, now, fact)
}

pub(crate) fn wave_framed(wave: &Wave, sampled_count: i64, now: Timestamp) -> NewEvent {
    of_wave(wave, now, &pb::WaveFramed { wave: Some(wave_facts(wave)), sampled_count })
}

pub(crate) fn wave_launched(wave: &Wave, now: Timestamp) -> NewEvent {
    of_wave(wave, now, &pb::WaveLaunched { wave: Some(wave_facts(wave)) })
}

pub(crate) fn wave_closed(wave: &Wave, valid_count: i64, is_by_due_time: bool, now: Timestamp) -> NewEvent {
    let is_under_sample = wave.under_sample_reason.is_some();
    of_wave(wave, now, &pb::WaveClosed { wave: Some(wave_facts(wave)), is_under_sample, valid_count, is_by_due_time })
}

pub(crate) fn wave_archived(wave: &Wave, now: Timestamp) -> NewEvent {
    of_wave(wave, now, &pb::WaveArchived { wave: Some(wave_facts(wave)) })
}

pub(crate) fn results_published(wave: &Wave, valid_count: i64, now: Timestamp) -> NewEvent {
    of_wave(wave, now, &pb::WaveResultsPublished { wave: Some(wave_facts(wave)), valid_count })
}

pub(crate) fn invitation_due(wave: &Wave, invitation: &Invitation, now: Timestamp) -> NewEvent {
    let fact = pb::InvitationDue {
        invitation_id: invitation.id.to_string(),
        wave_id: wave.id.to_string(),
        wave_name: wave.name.clone(),
        estate_id: wave.estate_id.to_string(),
        household_id: invitation.household_id.to_string(),
        customer_id: id(invitation.customer_id),
        programme_code: wave.programme_code.clone(),
        is_anonymous: wave.design.is_anonymous,
        close_due_time: wave.design.close_due_time.map(to_timestamp),
        subject_kind: kind_of(invitation.subject.as_ref()),
        subject_code: code_of(invitation.subject.as_ref()),
    };
    NewEvent::new(invitation.id, wave.estate_id, now, &fact)
}

pub(crate) fn reminder_due(wave: &Wave, invitation: &Invitation, reminder: u32, channel: &str, now: Timestamp) -> NewEvent {
    let fact = pb::ReminderDue {
        invitation_id: invitation.id.to_string(),
        wave_id: wave.id.to_string(),
        wave_name: wave.name.clone(),
        estate_id: wave.estate_id.to_string(),
        household_id: invitation.household_id.to_string(),
        customer_id: id(invitation.customer_id),
        reminder,
        channel_code: channel.to_owned(),
    };
    NewEvent::new(invitation.id, wave.estate_id, now, &fact)
}

/// An answer that counts; `about` is what its household was asked about, if that is not what the whole wave is about.
pub(crate) fn response_accepted(
    wave: &Wave,
    instrument: &Instrument,
    response: &Response,
    about: Option<&Subject>,
    now: Timestamp,
) -> NewEvent {
    let overall = instrument.with_role(Role::Overall).and_then(|question| answer_to(&response.answers, &question.code)?.points());
    let subject = about.or(wave.design.subject.as_ref());
    let fact = pb::ResponseAccepted {
        response_id: response.id.to_string(),
        wave_id: wave.id.to_string(),
        wave_name: wave.name.clone(),
        estate_id: wave.estate_id.to_string(),
        household_id: id(response.household_id),
        customer_id: id(response.customer_id),
        mode: response.mode.number(),
        has_overall_score: overall.is_some(),
        overall_score: overall.unwrap_or_default(),
        subject_kind: kind_of(subject),
        subject_code: code_of(subject),
    };
    NewEvent::new(response.id, wave.estate_id, now, &fact)
}

pub(crate) fn low_score(
    wave: &Wave,
    response: &Response,
    unit: Option<uuid::Uuid>,
    (question, score, scale_max): (&str, u32, u32),
    now: Timestamp,
) -> NewEvent {
    let fact = pb::LowScoreReceived {
        response_id: response.id.to_string(),
        wave_id: wave.id.to_string(),
        estate_id: wave.estate_id.to_string(),
        unit_id: id(unit),
        household_id: id(response.household_id),
        customer_id: id(response.customer_id),
        question_code: question.to_owned(),
        score,
        scale_max,
    };
    NewEvent::new(response.id, wave.estate_id, now, &fact)
}

fn feedback_facts(item: &FeedbackItem) -> Option<pb::FeedbackFacts> {
    Some(pb::FeedbackFacts {
        feedback_item_id: item.id.to_string(),
        number: item.number.clone(),
        estate_id: item.estate_id.to_string(),
        customer_id: id(item.customer_id),
        state: item.state.number(),
        topic_code: item.topic.clone(),
        owner_role: item.owner_role.clone(),
    })
}

pub(crate) fn feedback_received(item: &FeedbackItem, now: Timestamp) -> NewEvent {
    NewEvent::new(item.id, item.estate_id, now, &pb::FeedbackReceived { item: feedback_facts(item) })
}

pub(crate) fn feedback_decided(item: &FeedbackItem, now: Timestamp) -> NewEvent {
    NewEvent::new(item.id, item.estate_id, now, &pb::FeedbackDecided { item: feedback_facts(item) })
}

pub(crate) fn feedback_done(item: &FeedbackItem, now: Timestamp) -> NewEvent {
    NewEvent::new(item.id, item.estate_id, now, &pb::FeedbackDone { item: feedback_facts(item) })
}

pub(crate) fn collation_overdue(item: &FeedbackItem, notify_roles: Vec<String>, now: Timestamp) -> NewEvent {
    NewEvent::new(item.id, item.estate_id, now, &pb::FeedbackCollationOverdue { item: feedback_facts(item), notify_roles })
}

fn plan_facts(plan: &ImprovementPlan) -> Option<pb::ImprovementPlanFacts> {
    Some(pb::ImprovementPlanFacts {
        improvement_plan_id: plan.id.to_string(),
        estate_id: plan.estate_id.to_string(),
        title: plan.title.clone(),
        owner: plan.owner.clone(),
    })
}

pub(crate) fn measure_overdue(plan: &ImprovementPlan, measure: &Measure, now: Timestamp) -> NewEvent {
    let (measure_code, measure_owner) = (measure.code.clone(), measure.owner.clone());
    NewEvent::new(plan.id, plan.estate_id, now, &pb::ImprovementMeasureOverdue { plan: plan_facts(plan), measure_code, measure_owner })
}

pub(crate) fn follow_up_due(plan: &ImprovementPlan, now: Timestamp) -> NewEvent {
    NewEvent::new(plan.id, plan.estate_id, now, &pb::ImprovementFollowUpDue { plan: plan_facts(plan) })
}

pub(crate) fn plan_verified(plan: &ImprovementPlan, now: Timestamp) -> NewEvent {
    let goal_reached = plan.effect.as_ref().is_some_and(|effect| effect.goal_reached);
    NewEvent::new(plan.id, plan.estate_id, now, &pb::ImprovementPlanVerified { plan: plan_facts(plan), goal_reached })
}

pub(crate) fn report_due(report: &Report, now: Timestamp) -> NewEvent {
    let fact = pb::ReportDue {
        report_id: report.id.to_string(),
        estate_id: report.estate_id.to_string(),
        kind: report.kind.number(),
        due_time: Some(to_timestamp(report.due_time)),
    };
    NewEvent::new(report.id, report.estate_id, now, &fact)
}

fn visit_facts(visit: &MysteryVisit) -> Option<pb::MysteryVisitFacts> {
    let (points, max_points) = visit.points();
    Some(pb::MysteryVisitFacts {
        mystery_visit_id: visit.id.to_string(),
        estate_id: visit.estate_id.to_string(),
        points,
        max_points,
        has_passed: visit.has_passed(),
    })
}

fn of_visit<M: prost::Message + prost::Name>(visit: &MysteryVisit, now: Timestamp, fact: &M) -> NewEvent {
    NewEvent::new(visit.id, visit.estate_id, now, fact)
}

pub(crate) fn visit_scored(visit: &MysteryVisit, now: Timestamp) -> NewEvent {
    let appeal_due_time = visit.appeal_due_time.map(to_timestamp);
    of_visit(visit, now, &pb::MysteryVisitScored { visit: visit_facts(visit), appeal_due_time })
}

pub(crate) fn recheck_due(visit: &MysteryVisit, now: Timestamp) -> NewEvent {
    let fact = pb::MysteryRecheckDue {
        visit: visit_facts(visit),
        recheck_of_id: id(visit.recheck_of),
        due_time: Some(to_timestamp(visit.due_time)),
    };
    of_visit(visit, now, &fact)
}

pub(crate) fn visit_overdue(visit: &MysteryVisit, now: Timestamp) -> NewEvent {
    of_visit(visit, now, &pb::MysteryVisitOverdue { visit: visit_facts(visit) })
}

pub(crate) fn visit_appealed(visit: &MysteryVisit, now: Timestamp) -> NewEvent {
    of_visit(visit, now, &pb::MysteryVisitAppealed { visit: visit_facts(visit) })
}

pub(crate) fn visit_final(visit: &MysteryVisit, now: Timestamp) -> NewEvent {
    let is_corrected = visit.appeal.as_ref().is_some_and(|appeal| appeal.is_upheld == Some(true));
    of_visit(visit, now, &pb::MysteryVisitFinal { visit: visit_facts(visit), is_corrected })
}
