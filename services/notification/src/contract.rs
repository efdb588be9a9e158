//! The contract's codes and the domain's, value by value. Both sides name the same things; neither knows the other.

use steward_kit::auth::{Principal, PrincipalKind};
use steward_kit::error::Violations;
use steward_proto::common::v1 as common;
use steward_proto::notification::v1 as pb;

use crate::domain::codes::{
    Actor, ActorKind, AttemptOutcome, Channel, Class, ConsentMethod, DeliveryState, EntryKind, MessageState, Purpose, RecipientRule,
    StepCode, SuppressReason, TemplateState, VariableKind,
};

/// A code of the domain that the contract has too.
pub(crate) trait Code: Sized {
    /// The contract's enum.
    type Wire: TryFrom<i32> + Into<i32>;

    /// As the contract says it.
    fn wire(self) -> Self::Wire;

    /// What the contract said; `None` for `UNSPECIFIED`.
    fn of_wire(wire: Self::Wire) -> Option<Self>;

    /// As it stands in a message.
    fn number(self) -> i32 {
        self.wire().into()
    }

    /// What stands in a message; `None` for `UNSPECIFIED` and for numbers this version does not know.
    fn of_number(number: i32) -> Option<Self> {
        Self::Wire::try_from(number).ok().and_then(Self::of_wire)
    }
}

/// A code that may not be missing. A fault that the declared rules have noted already is not noted twice.
pub(crate) fn required<C: Code>(bad: &mut Violations, field: &str, number: i32) -> Option<C> {
    let code = C::of_number(number);
    if code.is_none() && !bad.iter().any(|noted| noted.field == field) {
        bad.add(field, "enum.defined_only", "must be given, as a value this version knows");
    }
    code
}

/// Codes of a list, every bad one named by its place.
pub(crate) fn all<C: Code>(bad: &mut Violations, field: &str, numbers: &[i32]) -> Vec<C> {
    numbers.iter().enumerate().filter_map(|(at, number)| required(bad, &format!("{field}[{at}]"), *number)).collect()
}

macro_rules! same {
    ($($code:ty = $wire:path { $($value:ident),+ $(,)? })+) => {$(
        impl Code for $code {
            type Wire = $wire;

            fn wire(self) -> $wire {
                match self { $(Self::$value => <$wire>::$value),+ }
            }

            fn of_wire(wire: $wire) -> Option<Self> {
                match wire { $(<$wire>::$value => Some(Self::$value),)+ <$wire>::Unspecified => None }
            }
        }
    )+};
}

same! {
    ActorKind = common::ActorKind { Staff, Customer, Service, Device }
    Channel = pb::Channel { Inbox, Email, Webhook }
    Class = pb::MessageClass { Service, Care, Marketing, Emergency, Staff, Survey }
    MessageState = pb::MessageState { Queued, Deferred, Sent, Delivered, Read, Failed, Suppressed }
    SuppressReason = pb::SuppressReason { NoConsent, Preference, DoNotDisturb, NoChannel, Obsolete, Cap, Situation, Profiling, Repeated }
    DeliveryState = pb::DeliveryState { Queued, Sent, Delivered, Read, Dead }
    AttemptOutcome = pb::DeliveryOutcome { Accepted, FailedForNow, FailedForGood }
    StepCode = pb::MessageStepCode {
        Routed, Requested, ConsentFound, ConsentNotNeeded, LanguageChosen, ChannelChosen, ChannelLeftOut, Deferred, Suppressed,
        Attempted, Sent, Delivered, Read, RetrySet, Dead, Redriven, CapHasRoom, CapReached, SituationHolds, AlreadyCounted,
        LedgerAsked, Overridden, Unread,
    }
    TemplateState = pb::TemplateState { Draft, Active, Retired }
    VariableKind = pb::TemplateVariableKind { Text, Time, Date, Number, Code }
    RecipientRule = pb::RuleRecipientKind { Customer, Staff, Role, Roles }
    Purpose = pb::ConsentPurpose { Care, Marketing, Survey, Profiling }
    EntryKind = pb::ContactEntryKind { Reserved, Sent, Released, Deferred, Refused, Overridden }
    ConsentMethod = pb::ConsentMethod { App, Paper, Call }
}

/// Who did something, as a message.
pub(crate) fn actor(actor: &Actor) -> common::Actor {
    common::Actor { kind: actor.kind.number(), subject: actor.subject.clone() }
}

/// The caller as the domain names whoever acts.
pub(crate) fn acting(principal: &Principal) -> Actor {
    let kind = match principal.kind {
        PrincipalKind::Staff => ActorKind::Staff,
        PrincipalKind::Customer => ActorKind::Customer,
        PrincipalKind::Service => ActorKind::Service,
        PrincipalKind::Device => ActorKind::Device,
    };
    Actor { kind, subject: principal.subject.clone() }
}
