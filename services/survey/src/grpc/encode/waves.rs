//! Waves, their numbers and their frames.

use prost::Message;
use steward_kit::proto::to_timestamp;
use steward_proto::common::v1 as common;
use steward_proto::survey::v1 as pb;

use super::{text, time, weight};
use crate::app::WaveView;
use crate::contract::Code;
use crate::domain::{Design, Encoded, FrameJob, Numbers, Wave};
use crate::store::frames::Member;

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

pub(in crate::grpc) fn wave(wave: &Wave) -> pb::Wave {
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
        is_standing: wave.is_standing,
    }
}

pub(in crate::grpc) fn wave_view(view: &WaveView) -> pb::Wave {
    pb::Wave {
        numbers: Some(numbers(&view.numbers, view.wave.required)),
        improvement_plan_ids: view.plan_ids.iter().map(ToString::to_string).collect(),
        ..wave(&view.wave)
    }
}

pub(in crate::grpc) fn numbers(numbers: &Numbers, required_count: u32) -> pb::WaveNumbers {
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

pub(in crate::grpc) fn frame_job(job: &FrameJob) -> pb::FrameJob {
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

pub(in crate::grpc) fn member(member: &Member) -> pb::FrameMember {
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
