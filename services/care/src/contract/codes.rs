//! Codes, value by value.

use steward_kit::auth::{Principal, PrincipalKind};
use steward_kit::error::Violations;
use steward_proto::care::v1 as pb;
use steward_proto::common::v1 as common;

use crate::domain::codes::{
    ActorKind, ContactWay, DriveTag, ForumReply, ForumState, HouseholdDateKind, Layer, Node, ObligationState, OrderKind, ProgrammeState,
    RoundKind, RoundState, TouchpointState, VisitState,
};
use crate::domain::programme::Actor;

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

/// A code that may be missing, but not unknown.
pub(crate) fn optional<C: Code>(bad: &mut Violations, field: &str, number: i32) -> Option<C> {
    if number == 0 { None } else { required(bad, field, number) }
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
    Layer = pb::CareLayer { Basic, Advanced, Premium }
    Node = pb::JourneyNode { Inquiry, Signing, EarlyOccupancy, MidOccupancy, Community, SpecialNeed, Upgrade, Exit }
    DriveTag = pb::DriveTag { Delight, Relatability, Interaction, Value, Enthusiasm }
    ProgrammeState = pb::ProgrammeState { Draft, Published, Retired }
    TouchpointState = pb::TouchpointState {
        Planned, Due, Excluded, Acted, Confirmed, Overdue, Cancelled, Skipped, Suppressed, HeldOut,
    }
    RoundKind = pb::RoundKind { ThreeMonth, OneYear, KeyCustomer, Elderly, General }
    RoundState = pb::RoundState { Preparing, Active, Ended, Reported, Archived }
    VisitState = pb::VisitState { Open, Scheduled, UnderWay, Done, Closed, Excluded, Cancelled }
    ContactWay = pb::ContactWay { Phone, Visit, App, Chat, Sms, FaceToFace }
    HouseholdDateKind = pb::HouseholdDateKind { Subscription, Signing }
    ObligationState = pb::ObligationState { Open, Overdue, Done, Cancelled }
    ForumState = pb::ForumState { Planned, Held, Overdue, Closed }
    ForumReply = pb::ForumReply { Comes, Declines }
    OrderKind = common::WorkOrderKind { Inquiry, Repair, Complaint, Request, Suggestion, Praise }
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
