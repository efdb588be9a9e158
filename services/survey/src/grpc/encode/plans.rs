//! What is done about what was found: improvement plans, reports, mystery visits.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::survey::v1 as pb;

use super::{text, time, weight};
use crate::contract::Code;
use crate::domain::{ImprovementPlan, Measure, MysteryVisit, Report};

/// A plan; which measures are late is said as of `now` in the estate's zone.
pub(in crate::grpc) fn plan(plan: &ImprovementPlan, zone: &TimeZone, now: Timestamp) -> pb::ImprovementPlan {
    let today = zone.to_datetime(now).date();
    let measure = |measure: &Measure| pb::Measure {
        code: measure.code.clone(),
        text: measure.text.clone(),
        owner: measure.owner.clone(),
        due_date: to_date(measure.due_date),
        progress_percent: measure.progress_percent,
        done_date: measure.done_date.map(to_date).unwrap_or_default(),
        is_overdue: measure.is_overdue(today),
    };
    pb::ImprovementPlan {
        id: plan.id.to_string(),
        estate_id: plan.estate_id.to_string(),
        title: plan.title.clone(),
        state: plan.state.number(),
        sources: plan.sources.iter().map(|source| pb::PlanSource { kind: source.kind.clone(), r#ref: source.reference.clone() }).collect(),
        owner: plan.owner.clone(),
        document_ref: plan.document_ref.clone(),
        measures: plan.measures.iter().map(measure).collect(),
        target: plan.target.as_ref().map(|target| pb::EffectTarget {
            metric_id: target.metric.clone(),
            baseline: target.baseline,
            goal: target.goal,
            baseline_from_date: target.baseline_window.map(|window| to_date(window.0)).unwrap_or_default(),
            baseline_to_date: target.baseline_window.map(|window| to_date(window.1)).unwrap_or_default(),
        }),
        effect: plan.effect.as_ref().map(|effect| pb::Effect {
            value: effect.value,
            difference: weight(effect.difference_millionths),
            goal_reached: effect.goal_reached,
            from_date: to_date(effect.window.0),
            to_date: to_date(effect.window.1),
        }),
        submit_time: time(plan.submit_time),
        implement_time: time(plan.implement_time),
        follow_up_due_time: time(plan.follow_up_due_time),
        end_time: time(plan.end_time),
        // The owners are told by the fact that the plan was verified.
        publish_time: time(plan.end_time.filter(|_| plan.effect.is_some())),
        etag: plan.row_version.to_string(),
        create_time: Some(to_timestamp(plan.create_time)),
        update_time: Some(to_timestamp(plan.update_time)),
    }
}

pub(in crate::grpc) fn report(report: &Report, now: Timestamp) -> pb::Report {
    pb::Report {
        id: report.id.to_string(),
        estate_id: report.estate_id.to_string(),
        kind: report.kind.number(),
        period_from_date: to_date(report.period.0),
        period_to_date: to_date(report.period.1),
        state: report.state.number(),
        due_time: Some(to_timestamp(report.due_time)),
        submit_time: time(report.submit_time),
        is_late: report.is_late(now),
        document_ref: report.document_ref.clone(),
        wave_ids: report.wave_ids.iter().map(ToString::to_string).collect(),
        overdue_measures: report
            .overdue_measures
            .iter()
            .map(|late| pb::OverdueMeasure {
                improvement_plan_id: late.plan_id.to_string(),
                measure_code: late.code.clone(),
                due_date: to_date(late.due_date),
            })
            .collect(),
        etag: report.row_version.to_string(),
        create_time: Some(to_timestamp(report.create_time)),
        update_time: Some(to_timestamp(report.update_time)),
    }
}

pub(in crate::grpc) fn mystery_visit(visit: &MysteryVisit) -> pb::MysteryVisit {
    let (points, max_points) = visit.points();
    pb::MysteryVisit {
        id: visit.id.to_string(),
        estate_id: visit.estate_id.to_string(),
        state: visit.state.number(),
        scenario: visit.scenario.clone(),
        visitor_code: visit.visitor_code.clone(),
        training_ref: visit.training_ref.clone(),
        due_time: Some(to_timestamp(visit.due_time)),
        checklist: visit
            .checklist
            .iter()
            .map(|item| pb::ChecklistItem { code: item.code.clone(), text: item.text.clone(), max_points: item.max_points })
            .collect(),
        scores: visit
            .scores
            .iter()
            .map(|score| pb::ItemScore {
                code: score.code.clone(),
                points: score.points,
                note: score.note.expose().clone(),
                evidence_refs: score.evidence_refs.clone(),
            })
            .collect(),
        visit_time: time(visit.visit_time),
        points,
        max_points,
        score: visit.score().unwrap_or_default(),
        has_passed: visit.has_passed(),
        appeal_due_time: time(visit.appeal_due_time),
        appeal: visit.appeal.as_ref().map(|appeal| pb::MysteryAppeal {
            reason: appeal.reason.expose().clone(),
            appellant: appeal.appellant.clone(),
            appeal_time: Some(to_timestamp(appeal.time)),
            is_decided: appeal.is_upheld.is_some(),
            is_upheld: appeal.is_upheld.unwrap_or_default(),
            decision_reason: appeal.decision_reason.expose().clone(),
            decide_time: time(appeal.decide_time),
        }),
        recheck_of_id: text(visit.recheck_of),
        recheck_id: text(visit.recheck),
        end_time: time(visit.end_time),
        etag: visit.row_version.to_string(),
        create_time: Some(to_timestamp(visit.create_time)),
        update_time: Some(to_timestamp(visit.update_time)),
    }
}
