//! Codes, value by value.

use steward_kit::auth::{Principal, PrincipalKind};
use steward_kit::error::Violations;
use steward_proto::common::v1 as common;
use steward_proto::survey::v1 as pb;

use crate::domain::codes::{
    ActorKind, Allocation, FeedbackSource, FeedbackState, FrameVerdict, InvitationState, JobState, JobStep, Method, Mode, PlanState,
    ProgrammeKind, ReportKind, ReportState, Role, SessionKind, SessionState, Verdict, WaveState,
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
}

/// What stands in a message; `None` for `UNSPECIFIED` and for numbers this version does not know.
pub(crate) fn optional<C: Code>(number: i32) -> Option<C> {
    C::Wire::try_from(number).ok().and_then(C::of_wire)
}

/// A code that may not be missing. A fault that the declared rules have noted already is not noted twice.
pub(crate) fn required<C: Code>(bad: &mut Violations, field: &str, number: i32) -> Option<C> {
    let code = optional(number);
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
    ProgrammeKind = pb::ProgrammeKind { Annual, Periodic, Special, Stage, Micro, Interview }
    WaveState = pb::WaveState { Draft, Framed, Launched, Closed, Archived, Cancelled }
    Mode = pb::SurveyMode { Online, Paper, Interview, FocusGroup, Phone, Visit }
    FrameVerdict = pb::FrameVerdict { Eligible, Excluded, Sampled, Skipped }
    JobState = pb::FrameJobState { Running, Paused, Done, Failed, Cancelled }
    JobStep = pb::FrameJobStep { Reading, Drawing, Checking }
    InvitationState = pb::InvitationState { Invited, Delivered, Opened, Started, Responded, Participated, Undeliverable }
    Verdict = pb::ResponseVerdict { Valid, Invalid, Held, OverQuota, PendingEntry }
    SessionKind = pb::SessionKind { Interview, FocusGroup, Forum }
    SessionState = pb::SessionState { Planned, Held, Cancelled }
    FeedbackState = pb::FeedbackState { New, Assessed, Adopted, Declined, Done }
    FeedbackSource = pb::FeedbackSource { SuggestionBox, Forum, Interview, Survey, Steward, Hotline }
    PlanState = pb::ImprovementPlanState { Draft, Submitted, Implemented, FollowUpDue, Verified, Cancelled }
    ReportKind = pb::ReportKind { MidYear, Annual }
    ReportState = pb::ReportState { Draft, Submitted }
    Method = pb::SamplingMethod { Census, SimpleRandom, Stratified, Quota }
    Allocation = pb::Allocation { Proportional, Equal }
    Role = pb::QuestionRole { Overall, Recommend, Repurchase, Complained, ComplaintTimely, Suggestion }
}

/// Who did something, as a message.
pub(crate) fn actor(who: &(ActorKind, String)) -> common::Actor {
    common::Actor { kind: who.0.number(), subject: who.1.clone() }
}

/// The caller as the domain names whoever acts.
pub(crate) fn acting(principal: &Principal) -> (ActorKind, String) {
    let kind = match principal.kind {
        PrincipalKind::Staff => ActorKind::Staff,
        PrincipalKind::Customer => ActorKind::Customer,
        PrincipalKind::Service => ActorKind::Service,
        PrincipalKind::Device => ActorKind::Device,
    };
    (kind, principal.subject.clone())
}
