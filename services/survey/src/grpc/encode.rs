//! From the domain to the contract's messages.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use prost::Message;
use steward_kit::Result;
use steward_kit::error::Error;
use steward_kit::proto::{to_date, to_span, to_timestamp};
use steward_proto::common::v1 as common;
use steward_proto::survey::v1 as pb;

use crate::app::WaveView;
use crate::contract::{Code, actor, answers};
use crate::domain::{
    Design, Encoded, FeedbackItem, FrameJob, ImprovementPlan, Invitation, Measure, Numbers, Programme, Questionnaire, QuestionnaireVersion,
    Report, Response, Revision, Session, Theme, WEIGHT_ONE, Wave,
};
use crate::store::frames::Member;

pub(super) fn text(id: Option<impl ToString>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

pub(super) fn time(at: Option<Timestamp>) -> Option<prost_types::Timestamp> {
    at.map(to_timestamp)
}

/// A weight for a reader.
#[allow(clippy::cast_precision_loss, reason = "millionths of a weight are far below 2^52")]
pub(super) fn weight(millionths: i64) -> f64 {
    millionths as f64 / WEIGHT_ONE as f64
}

pub(super) fn content(bytes: &[u8]) -> Result<pb::QuestionnaireContent> {
    pb::QuestionnaireContent::decode(bytes).map_err(Error::internal)
}

pub(super) fn questionnaire(questionnaire: &Questionnaire) -> pb::Questionnaire {
    pb::Questionnaire {
        id: questionnaire.id.to_string(),
        code: questionnaire.code.clone(),
        // It was encoded by this service.
        draft: content(&questionnaire.draft).ok(),
        version_count: questionnaire.version_count,
        latest_version_id: text(questionnaire.latest_version_id),
        etag: questionnaire.row_version.to_string(),
        create_time: Some(to_timestamp(questionnaire.create_time)),
        update_time: Some(to_timestamp(questionnaire.update_time)),
    }
}

pub(super) fn version(version: &QuestionnaireVersion) -> pb::QuestionnaireVersion {
    let comparison = |comparison: &crate::domain::Comparison| pb::QuestionComparison {
        question_code: comparison.question.clone(),
        earlier_version_id: comparison.earlier_version_id.to_string(),
        earlier_question_code: comparison.earlier_question.clone(),
    };
    pb::QuestionnaireVersion {
        id: version.id.to_string(),
        questionnaire_id: version.questionnaire_id.to_string(),
        questionnaire_code: version.code.clone(),
        version: version.version,
        content: content(&version.content).ok(),
        content_sha256: hex::encode(version.sha256),
        comparisons: version.comparisons.iter().map(comparison).collect(),
        publisher: Some(actor(&version.publisher)),
        publish_time: Some(to_timestamp(version.publish_time)),
    }
}

pub(super) fn programme(programme: &Programme) -> pb::Programme {
    pb::Programme {
        id: programme.id.to_string(),
        code: programme.code.clone(),
        estate_id: text(programme.estate_id),
        name_zh: programme.name_zh.clone(),
        name_en: programme.name_en.clone(),
        kind: programme.kind.number(),
        cadence: programme.cadence.as_ref().map(to_span),
        questionnaire_id: programme.questionnaire_id.to_string(),
        requires_improvement_plan: programme.requires_improvement_plan,
        etag: programme.row_version.to_string(),
        create_time: Some(to_timestamp(programme.create_time)),
        update_time: Some(to_timestamp(programme.update_time)),
    }
}

fn predicate(encoded: &Encoded) -> Option<common::Predicate> {
    common::Predicate::decode(encoded.0.as_slice()).ok()
}

fn design(design: &Design) -> pb::WaveDesign {
    let sampling = &design.sampling;
    pb::WaveDesign {
        is_anonymous: design.is_anonymous,
        modes: design.modes.iter().map(|mode| mode.number()).collect(),
        sampling: Some(pb::Sampling {
            method: sampling.method.number(),
            seed: sampling.seed,
            size: sampling.size,
            strata_fields: sampling.strata_fields.clone(),
            allocation: sampling.allocation.number(),
            quotas: sampling.quotas.iter().map(|quota| pb::QuotaCell { stratum: quota.stratum.clone(), target: quota.target }).collect(),
            oversampling: sampling
                .oversampling
                .iter()
                .map(|over| pb::Oversampling { stratum: over.stratum.clone(), factor_thousandths: over.factor })
                .collect(),
        }),
        eligibility: design.eligibility.as_ref().and_then(predicate),
        exclusions: design
            .exclusions
            .iter()
            .map(|out| pb::EligibilityExclusion { code: out.code.clone(), predicate: predicate(&out.predicate) })
            .collect(),
        min_valid_count: design.min_valid,
        subject: design.subject.as_ref().map(|about| pb::WaveSubject { kind: about.kind.clone(), code: about.code.clone() }),
        pair_wave_id: text(design.pair_wave_id),
        ignores_contact_limits: design.ignores_contact_limits,
        close_due_time: time(design.close_due_time),
    }
}

pub(super) fn wave(wave: &Wave) -> pb::Wave {
    pb::Wave {
        id: wave.id.to_string(),
        estate_id: wave.estate_id.to_string(),
        programme_id: wave.programme_id.to_string(),
        name: wave.name.clone(),
        state: wave.state.number(),
        design: Some(design(&wave.design)),
        questionnaire_version_id: wave.version_id.to_string(),
        content_sha256: wave.sha256.clone(),
        policy_version_ids: wave.policy_version_ids.iter().map(ToString::to_string).collect(),
        numbers: None,
        frame_job_id: text(wave.frame_job_id),
        launch_time: time(wave.launch_time),
        close_time: time(wave.close_time),
        is_under_sample: wave.under_sample_reason.is_some(),
        under_sample_reason: wave.under_sample_reason.clone().unwrap_or_default(),
        publish_time: time(wave.page.as_ref().map(|page| page.publish_time)),
        cost_fen: wave.cost_fen,
        improvement_plan_ids: Vec::new(),
        etag: wave.row_version.to_string(),
        create_time: Some(to_timestamp(wave.create_time)),
        update_time: Some(to_timestamp(wave.update_time)),
    }
}

pub(super) fn wave_view(view: &WaveView) -> pb::Wave {
    pb::Wave {
        numbers: Some(numbers(&view.numbers, view.wave.required)),
        improvement_plan_ids: view.plan_ids.iter().map(ToString::to_string).collect(),
        ..wave(&view.wave)
    }
}

pub(super) fn numbers(numbers: &Numbers, required_count: u32) -> pb::WaveNumbers {
    pb::WaveNumbers {
        eligible_count: numbers.eligible,
        excluded_count: numbers.excluded,
        sampled_count: numbers.sampled,
        skipped_count: numbers.skipped,
        invited_count: numbers.invited,
        delivered_count: numbers.delivered,
        opened_count: numbers.opened,
        started_count: numbers.started,
        responded_count: numbers.responded,
        valid_count: numbers.valid,
        invalid_count: numbers.invalid,
        held_count: numbers.held,
        required_count,
        modes: numbers
            .modes
            .iter()
            .map(|(mode, response_count, valid_count)| pb::ModeNumbers {
                mode: mode.number(),
                response_count: *response_count,
                valid_count: *valid_count,
            })
            .collect(),
        quotas: numbers
            .quotas
            .iter()
            .map(|cell| pb::QuotaNumbers {
                stratum: cell.stratum.clone(),
                target: cell.target,
                filled: cell.filled,
                reserved: cell.reserved,
            })
            .collect(),
    }
}

pub(super) fn frame_job(job: &FrameJob) -> pb::FrameJob {
    let (failure_code, failure_detail) = job.failure.clone().unwrap_or_default();
    pb::FrameJob {
        id: job.id.to_string(),
        wave_id: job.wave_id.to_string(),
        estate_id: job.estate_id.to_string(),
        state: job.state.number(),
        step: job.step.number(),
        read_count: job.read,
        eligible_count: job.eligible,
        excluded_count: job.excluded,
        drawn_count: job.drawn,
        skipped_count: job.skipped,
        as_of_date: job.as_of_date.clone(),
        failure_code,
        failure_detail,
        etag: job.row_version.to_string(),
        create_time: Some(to_timestamp(job.create_time)),
        update_time: Some(to_timestamp(job.update_time)),
        end_time: time(job.end_time),
    }
}

pub(super) fn member(member: &Member) -> pb::FrameMember {
    pb::FrameMember {
        household_id: member.household.to_string(),
        unit_id: member.unit.to_string(),
        customer_id: text(member.customer),
        verdict: member.verdict.number(),
        reason_code: member.reason.clone(),
        stratum: member.stratum.clone(),
        draw_position: member.position,
        design_weight: weight(member.weight),
    }
}

pub(super) fn invitation(invitation: &Invitation) -> pb::Invitation {
    pb::Invitation {
        id: invitation.id.to_string(),
        wave_id: invitation.wave_id.to_string(),
        estate_id: invitation.estate_id.to_string(),
        household_id: invitation.household_id.to_string(),
        customer_id: text(invitation.customer_id),
        state: invitation.state.number(),
        reminder_count: invitation.reminder_count,
        invite_time: Some(to_timestamp(invitation.invite_time)),
        deliver_time: time(invitation.deliver_time),
        open_time: time(invitation.open_time),
        respond_time: time(invitation.respond_time),
        failure_code: invitation.failure_code.clone(),
        etag: invitation.row_version.to_string(),
    }
}

pub(super) fn response(response: &Response) -> pb::Response {
    pb::Response {
        id: response.id.to_string(),
        wave_id: response.wave_id.to_string(),
        estate_id: response.estate_id.to_string(),
        invitation_id: text(response.invitation_id),
        household_id: text(response.household_id),
        customer_id: text(response.customer_id),
        mode: response.mode.number(),
        answers: answers(&response.answers),
        verdict: response.verdict.number(),
        findings: response
            .findings
            .iter()
            .map(|finding| pb::ValidityFinding { rule_code: finding.rule.clone(), detail: finding.detail.clone() })
            .collect(),
        stratum: response.stratum.clone(),
        design_weight: weight(response.weight),
        revision: response.revision,
        enterer: response.enterer.clone().unwrap_or_default(),
        source_ref: response.source_ref.clone().unwrap_or_default(),
        start_time: time(response.start_time),
        occur_time: Some(to_timestamp(response.occur_time)),
        receive_time: Some(to_timestamp(response.receive_time)),
        entry_check: response.entry_check.as_ref().map(|check| pb::EntryCheck {
            enterer: check.enterer.clone(),
            agrees: check.differing.is_empty(),
            question_codes: check.differing.clone(),
            check_time: Some(to_timestamp(check.check_time)),
        }),
        etag: response.row_version.to_string(),
    }
}

pub(super) fn revision(revision: &Revision) -> pb::ResponseRevision {
    pb::ResponseRevision {
        revision: revision.revision,
        answers: answers(&revision.answers),
        verdict: revision.verdict.number(),
        author: revision.author.clone(),
        record_time: Some(to_timestamp(revision.record_time)),
    }
}

fn theme(theme: &Theme) -> pb::Theme {
    pb::Theme { code: theme.code.clone(), mention_count: theme.mentions, is_need: theme.is_need, need_code: theme.need_code.clone() }
}

pub(super) fn session(session: &Session) -> pb::Session {
    let participant = |who: &crate::domain::Participant| pb::Participant {
        customer_id: text(who.customer_id),
        household_id: text(who.household_id),
        group_code: who.group.clone(),
        is_minor: who.is_minor,
        guardian_consent_ref: who.guardian_consent_ref.clone(),
        guardian_consent_time: time(who.guardian_consent_time),
    };
    pb::Session {
        id: session.id.to_string(),
        estate_id: session.estate_id.to_string(),
        wave_id: text(session.wave_id),
        kind: session.kind.number(),
        state: session.state.number(),
        topic: session.topic.clone(),
        guide: session.guide.clone(),
        appointment_time: Some(to_timestamp(session.appointment_time)),
        participants: session.participants.iter().map(participant).collect(),
        notes: session.notes.expose().clone(),
        themes: session.themes.iter().map(theme).collect(),
        feedback_item_ids: session.feedback_item_ids.iter().map(ToString::to_string).collect(),
        hold_time: time(session.hold_time),
        etag: session.row_version.to_string(),
        create_time: Some(to_timestamp(session.create_time)),
        update_time: Some(to_timestamp(session.update_time)),
    }
}

pub(super) fn feedback(item: &FeedbackItem) -> pb::FeedbackItem {
    pb::FeedbackItem {
        id: item.id.to_string(),
        estate_id: item.estate_id.to_string(),
        number: item.number.clone(),
        state: item.state.number(),
        source: item.source.number(),
        customer_id: text(item.customer_id),
        household_id: text(item.household_id),
        text: item.text.expose().clone(),
        topic_code: item.topic.clone(),
        owner_role: item.owner_role.clone(),
        source_ref: item.source_ref.clone(),
        receive_time: Some(to_timestamp(item.receive_time)),
        acknowledge_time: Some(to_timestamp(item.acknowledge_time)),
        collate_due_time: time(item.collate_due_time),
        collate_time: time(item.collate_time),
        is_collation_overdue: item.is_collation_overdue,
        decision_reason: item.decision_reason.clone(),
        public_reply: item.public_reply.clone(),
        assess_time: time(item.assess_time),
        decide_time: time(item.decide_time),
        done_time: time(item.done_time),
        etag: item.row_version.to_string(),
        update_time: Some(to_timestamp(item.update_time)),
    }
}

/// A plan; which measures are late is said as of `now` in the estate's zone.
pub(super) fn plan(plan: &ImprovementPlan, zone: &TimeZone, now: Timestamp) -> pb::ImprovementPlan {
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
            difference: effect.difference,
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

pub(super) fn report(report: &Report, now: Timestamp) -> pb::Report {
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
