//! Invitations and responses.

use steward_kit::proto::to_timestamp;
use steward_proto::survey::v1 as pb;

use super::{text, time, weight};
use crate::contract::{Code, answers};
use crate::domain::{Invitation, Response, Revision};

pub(in crate::grpc) fn invitation(invitation: &Invitation) -> pb::Invitation {
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
        subject_kind: invitation.subject.as_ref().map(|about| about.kind.clone()).unwrap_or_default(),
        subject_code: invitation.subject.as_ref().map(|about| about.code.clone()).unwrap_or_default(),
    }
}

pub(in crate::grpc) fn response(response: &Response) -> pb::Response {
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

pub(in crate::grpc) fn revision(revision: &Revision) -> pb::ResponseRevision {
    pb::ResponseRevision {
        revision: revision.revision,
        answers: answers(&revision.answers),
        verdict: revision.verdict.number(),
        author: revision.author.clone(),
        record_time: Some(to_timestamp(revision.record_time)),
    }
}
