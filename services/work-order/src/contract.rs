//! The contract's codes and the domain's, value by value. Both sides name the same things; neither knows the other.

pub(crate) use steward_kit::code::{Code, required};
use steward_kit::same_codes;
use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;
use steward_proto::work_order::v1 as pb;

use crate::domain::analysis::Dimension;
use crate::domain::{
    CallbackMode, CallbackOutcome, CausedBy, Channel, CheckState, ClockState, CloseCode, DispatchMode, DueBasis, DuplicateReason,
    DutyReason, Expectation, Kind, Liability, MediaKind, Milestone, Obstacle, OriginField, State, SuspensionReason, Urgency, Verdict,
};

same_codes! {
    Dimension = pb::CaseDimension { Estate, Kind, Category, Hour, Weekday, Building, Channel };
    Kind = common::WorkOrderKind { Inquiry, Repair, Complaint, Request, Suggestion, Praise };
    Urgency = common::Urgency { L0, L1, L2, L3 };
    Channel = common::Channel { Hotline, App, Wechat, Web, FrontDesk, SuggestionBox, Visit, Device, Government };
    CheckState = pb::SpotCheckState { Open, Passed, Failed };
    Liability = common::Liability { Provider, Developer, Owner, ThirdParty, Insurance };
    SuspensionReason = common::SuspensionReason { Customer, Parts, ThirdParty, Weather };
    Milestone = plan::Milestone {
        Received, Pushed, Assigned, Accepted, Responded, Contacted, Arrived, Completed, CalledBack, Closed, Promised, Assessed,
        LiabilitySet,
    };
    DispatchMode = plan::DispatchMode { Manual, Offer, Grab, Rotation };
    DutyReason = pb::DutyReason { NobodyOnShift, NobodyEligible, Exhausted };
    State = pb::State { Received, Classified, Assigned, Accepted, Contacted, OnSite, Completed, Closed, Reopened, Cancelled };
    CloseCode = pb::CloseCode {
        Resolved, UnresolvedExplained, OutOfScope, Withdrawn, Duplicate, Invalid, Transferred, AutoClosed,
    };
    MediaKind = pb::MediaKind { Before, After, Signature, Recording, Report };
    CallbackMode = pb::CallbackMode { Phone, App, Visit };
    CallbackOutcome = pb::CallbackOutcome { Reached, NoAnswer, Refused, WrongNumber };
    DuplicateReason = pb::DuplicateReason { SameUnit, SameCustomer, SameKind, SameCategory };
    ClockState = pb::ClockState { Running, Paused, Stopped, Void };
    DueBasis = pb::DueBasis { Limit, Promise, Appointment, External };
    OriginField = plan::OriginField {
        CallId, RecordingRef, Agent, SessionId, TranscriptRef, VisitLogRef, Receiver, Organisation, ExternalNumber, ExternalDueTime,
    };
    Verdict = pb::Verdict { Kept, Late };
    Expectation = pb::Outlook { Kept, Missed, Uncertain };
    Obstacle = pb::OutlookReason { Pace, Unassigned, NotAccepted, Load };
}

impl CausedBy {
    /// As messages have it.
    pub(crate) fn wire(&self) -> pb::CausedBy {
        use pb::caused_by::Cause;
        let cause = match self {
            Self::Touchpoint(id) => Cause::TouchpointId(id.to_string()),
            Self::Campaign(code) => Cause::CampaignCode(code.clone()),
        };
        pb::CausedBy { cause: Some(cause) }
    }
}
