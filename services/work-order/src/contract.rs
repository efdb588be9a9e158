//! The contract's codes and the domain's, value by value. Both sides name the same things; neither knows the other.

use steward_kit::auth::{Principal, PrincipalKind};
use steward_kit::calendar::{CalendarId, Span, Unit};
use steward_kit::error::Violations;
use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;
use steward_proto::work_order::v1 as pb;

use crate::domain::{
    Actor, ActorKind, CallbackMode, CallbackOutcome, Channel, ClockState, CloseCode, Kind, MediaKind, Milestone, State, SuspensionReason,
    Urgency, Verdict,
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
    Kind = common::WorkOrderKind { Inquiry, Repair, Complaint, Request, Suggestion, Praise }
    Urgency = common::Urgency { L0, L1, L2, L3 }
    Channel = common::Channel { Hotline, App, Wechat, Web, FrontDesk, SuggestionBox, Visit, Device, Government }
    SuspensionReason = common::SuspensionReason { Customer, Parts, ThirdParty, Weather }
    Milestone = plan::Milestone {
        Received, Pushed, Assigned, Accepted, Responded, Contacted, Arrived, Completed, CalledBack, Closed, Promised, Assessed,
    }
    State = pb::State { Received, Classified, Assigned, Accepted, Contacted, OnSite, Completed, Closed, Reopened, Cancelled }
    CloseCode = pb::CloseCode {
        Resolved, UnresolvedExplained, OutOfScope, Withdrawn, Duplicate, Invalid, Transferred, AutoClosed,
    }
    MediaKind = pb::MediaKind { Before, After, Signature, Recording, Report }
    CallbackMode = pb::CallbackMode { Phone, App, Visit }
    CallbackOutcome = pb::CallbackOutcome { Reached, NoAnswer, Refused, WrongNumber }
    ClockState = pb::ClockState { Running, Paused, Stopped, Void }
    Verdict = pb::Verdict { Kept, Late }
    Unit = common::Unit { Second, Minute, Hour, WorkingDay, Day, Week, Month, Quarter, HalfYear, Year }
}

/// A span as a message.
pub(crate) fn span(span: &Span) -> common::Span {
    common::Span { value: span.value(), unit: span.unit().number(), calendar: span.calendar().as_str().to_owned() }
}

/// A span out of a message, every fault noted. The declared rules were checked before; these are the calendar's own.
pub(crate) fn read_span(bad: &mut Violations, field: &str, span: &common::Span) -> Option<Span> {
    let unit = required::<Unit>(bad, &format!("{field}.unit"), span.unit)?;
    let read = span.calendar.parse::<CalendarId>().and_then(|calendar| Span::new(span.value, unit, calendar));
    match read {
        Ok(span) => Some(span),
        Err(fault) => {
            bad.add(field, "CALENDAR_UNKNOWN", fault.to_string());
            None
        }
    }
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
    Actor::new(kind, principal.subject.clone())
}
