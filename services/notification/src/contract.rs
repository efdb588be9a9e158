//! The contract's codes and the domain's, value by value. Both sides name the same things; neither knows the other.

pub(crate) use steward_kit::code::{Code, all, required};
use steward_kit::same_codes;
use steward_proto::notification::v1 as pb;

use crate::domain::codes::{
    AttemptOutcome, BroadcastChangeKind, BroadcastState, Channel, Class, ConsentMethod, DeliveryState, EntryKind, MessageState, Purpose,
    RecipientRule, StepCode, SuppressReason, TemplateState, VariableKind,
};

same_codes! {
    Channel = pb::Channel { Inbox, Email, Webhook };
    Class = pb::MessageClass { Service, Care, Marketing, Emergency, Staff, Survey };
    MessageState = pb::MessageState { Queued, Deferred, Sent, Delivered, Read, Failed, Suppressed };
    SuppressReason = pb::SuppressReason { NoConsent, Preference, DoNotDisturb, NoChannel, Obsolete, Cap, Situation, Profiling, Repeated, NotInAudience };
    DeliveryState = pb::DeliveryState { Queued, Sent, Delivered, Read, Dead };
    AttemptOutcome = pb::DeliveryOutcome { Accepted, FailedForNow, FailedForGood };
    StepCode = pb::MessageStepCode {
        Routed, Requested, ConsentFound, ConsentNotNeeded, LanguageChosen, ChannelChosen, ChannelLeftOut, Deferred, Suppressed,
        Attempted, Sent, Delivered, Read, RetrySet, Dead, Redriven, CapHasRoom, CapReached, SituationHolds, AlreadyCounted,
        LedgerAsked, Overridden, Unread, AudienceMet, AudienceMissed,
    };
    TemplateState = pb::TemplateState { Draft, Active, Retired };
    VariableKind = pb::TemplateVariableKind { Text, Time, Date, Number, Code };
    RecipientRule = pb::RuleRecipientKind { Customer, Staff, Role, Roles };
    Purpose = pb::ConsentPurpose { Care, Marketing, Survey, Profiling };
    EntryKind = pb::ContactEntryKind { Reserved, Sent, Released, Deferred, Refused, Overridden };
    ConsentMethod = pb::ConsentMethod { App, Paper, Call };
    BroadcastState = pb::BroadcastState { Scheduled, Running, Paused, Stopped, Done };
    BroadcastChangeKind = pb::BroadcastChangeKind { Created, Paused, Resumed, Stopped };
}
