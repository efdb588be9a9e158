//! Where the proof of a report lies, as messages have it.

use steward_kit::error::Violations;
use steward_kit::proto::to_timestamp;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::origin::Way;

use crate::domain::Origin;

/// `None` when nothing is said of it.
pub(super) fn decode(bad: &mut Violations, given: Option<&pb::Origin>) -> Option<Origin> {
    Some(match given?.way.clone()? {
        Way::Call(call) => Origin::Call { call_id: call.call_id, recording_ref: call.recording_ref, agent: call.agent },
        Way::Chat(chat) => Origin::Chat { session_id: chat.session_id, transcript_ref: chat.transcript_ref },
        Way::Visitor(visitor) => Origin::Visitor { visit_log_ref: visitor.visit_log_ref, receiver: visitor.receiver },
        Way::Authority(authority) => Origin::Authority {
            external_due: bad.optional_timestamp("origin.authority.external_due_time", authority.external_due_time.as_ref()),
            organisation: authority.organisation,
            external_number: authority.external_number,
        },
    })
}

pub(super) fn encode(origin: &Origin) -> pb::Origin {
    let way = match origin.clone() {
        Origin::Call { call_id, recording_ref, agent } => Way::Call(pb::CallOrigin { call_id, recording_ref, agent }),
        Origin::Chat { session_id, transcript_ref } => Way::Chat(pb::ChatOrigin { session_id, transcript_ref }),
        Origin::Visitor { visit_log_ref, receiver } => Way::Visitor(pb::VisitorOrigin { visit_log_ref, receiver }),
        Origin::Authority { organisation, external_number, external_due } => {
            Way::Authority(pb::AuthorityOrigin { organisation, external_number, external_due_time: external_due.map(to_timestamp) })
        }
    };
    pb::Origin { way: Some(way) }
}
