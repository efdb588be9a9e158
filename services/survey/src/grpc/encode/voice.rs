//! Sessions and feedback.

use steward_kit::proto::to_timestamp;
use steward_proto::survey::v1 as pb;

use super::{text, time};
use crate::contract::Code;
use crate::domain::{FeedbackItem, Session, Theme};

fn theme(theme: &Theme) -> pb::Theme {
    pb::Theme { code: theme.code.clone(), mention_count: theme.mentions, is_need: theme.is_need, need_code: theme.need_code.clone() }
}

pub(in crate::grpc) fn session(session: &Session) -> pb::Session {
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

pub(in crate::grpc) fn feedback(item: &FeedbackItem) -> pb::FeedbackItem {
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
