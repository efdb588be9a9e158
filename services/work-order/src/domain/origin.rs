//! Where the proof of a report lies, and what an estate asks to be said of it (WO-01, WO-02, WO-37, WO-68).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::codes;

use super::case::Channel;
use super::policy::Policies;
use super::refusal::Refusal;

/// Numbers and references, never what was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A call to the hotline.
    Call {
        /// Id at the telephone system.
        call_id: String,
        /// Its recording.
        recording_ref: String,
        /// Who answered.
        agent: String,
    },
    /// A chat.
    Chat {
        /// Id of the session.
        session_id: String,
        /// Its transcript.
        transcript_ref: String,
    },
    /// A visit to the front desk.
    Visitor {
        /// Entry of the visit log.
        visit_log_ref: String,
        /// Who received the visitor.
        receiver: String,
    },
    /// A case that an authority hands on.
    Authority {
        /// The organisation.
        organisation: String,
        /// The case's number there.
        external_number: String,
        /// Until when it wants its answer.
        external_due: Option<Timestamp>,
    },
}

codes! {
    /// Something that a report says about where it came from.
    OriginField {
        /// Id of the call.
        CallId = "call_id",
        /// Its recording.
        RecordingRef = "recording_ref",
        /// Who answered it.
        Agent = "agent",
        /// Id of the chat session.
        SessionId = "session_id",
        /// Its transcript.
        TranscriptRef = "transcript_ref",
        /// Entry of the visit log.
        VisitLogRef = "visit_log_ref",
        /// Who received the visitor.
        Receiver = "receiver",
        /// The organisation.
        Organisation = "organisation",
        /// The case's number there.
        ExternalNumber = "external_number",
        /// Until when it wants its answer.
        ExternalDueTime = "external_due_time",
    }
}

/// What staff say about the reports of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginRule {
    /// The channel.
    pub channel: Channel,
    /// What is required; empty requires nothing.
    pub required: Vec<OriginField>,
}

impl OriginField {
    /// Whether reports of the channel can say it.
    pub const fn is_of(self, channel: Channel) -> bool {
        match self {
            Self::CallId | Self::RecordingRef | Self::Agent => matches!(channel, Channel::Hotline),
            Self::SessionId | Self::TranscriptRef => matches!(channel, Channel::Web | Channel::Wechat | Channel::App),
            Self::VisitLogRef | Self::Receiver => matches!(channel, Channel::FrontDesk),
            Self::Organisation | Self::ExternalNumber | Self::ExternalDueTime => matches!(channel, Channel::Government),
        }
    }

    fn is_in(self, origin: &Origin) -> bool {
        match (self, origin) {
            (Self::CallId, Origin::Call { call_id: text, .. })
            | (Self::RecordingRef, Origin::Call { recording_ref: text, .. })
            | (Self::Agent, Origin::Call { agent: text, .. })
            | (Self::SessionId, Origin::Chat { session_id: text, .. })
            | (Self::TranscriptRef, Origin::Chat { transcript_ref: text, .. })
            | (Self::VisitLogRef, Origin::Visitor { visit_log_ref: text, .. })
            | (Self::Receiver, Origin::Visitor { receiver: text, .. })
            | (Self::Organisation, Origin::Authority { organisation: text, .. })
            | (Self::ExternalNumber, Origin::Authority { external_number: text, .. }) => !text.is_empty(),
            (Self::ExternalDueTime, Origin::Authority { external_due, .. }) => external_due.is_some(),
            (_, Origin::Call { .. } | Origin::Chat { .. } | Origin::Visitor { .. } | Origin::Authority { .. }) => false,
        }
    }
}

impl Origin {
    /// Its way in, as a code of the history.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Call { .. } => "call",
            Self::Chat { .. } => "chat",
            Self::Visitor { .. } => "visitor",
            Self::Authority { .. } => "authority",
        }
    }

    /// Until when an authority wants its answer.
    pub const fn external_due(&self) -> Option<Timestamp> {
        match self {
            Self::Authority { external_due, .. } => *external_due,
            Self::Call { .. } | Self::Chat { .. } | Self::Visitor { .. } => None,
        }
    }

    /// Customers say where they wrote; who answered a call, and what an authority wants, is for staff to say.
    pub(super) const fn is_heard_of_customers(&self) -> bool {
        match self {
            Self::Chat { .. } => true,
            Self::Call { .. } | Self::Visitor { .. } | Self::Authority { .. } => false,
        }
    }

    const fn goes_with(&self, channel: Channel) -> bool {
        match self {
            Self::Call { .. } => OriginField::CallId.is_of(channel),
            Self::Chat { .. } => OriginField::SessionId.is_of(channel),
            Self::Visitor { .. } => OriginField::VisitLogRef.is_of(channel),
            Self::Authority { .. } => OriginField::Organisation.is_of(channel),
        }
    }
}

/// Refuses an origin of another channel, and of staff one that lacks what the estate requires.
pub(super) fn check_origin(origin: Option<&Origin>, channel: Channel, by_staff: bool, policies: &Policies) -> Result<(), Refusal> {
    if origin.is_some_and(|origin| !origin.goes_with(channel)) {
        return Err(Refusal::OriginUnsuited);
    }
    let missing: Vec<OriginField> = policies
        .required_of(channel)
        .iter()
        .filter(|_| by_staff)
        .filter(|field| !origin.is_some_and(|origin| field.is_in(origin)))
        .copied()
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(Refusal::OriginIncomplete { missing }) }
}

impl Policies {
    /// What staff say about the reports of a channel; the first layer with a rule for it decides.
    fn required_of(&self, channel: Channel) -> &[OriginField] {
        let of_channel = |rule: &&OriginRule| rule.channel == channel;
        let rule = self.intake.iter().find_map(|layer| layer.document.origin_rules.iter().find(of_channel));
        rule.map(|rule| rule.required.as_slice()).unwrap_or_default()
    }
}
