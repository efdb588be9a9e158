//! Codes, value by value.

use steward_kit::same_codes;
use steward_proto::care::v1 as pb;
use steward_proto::common::v1 as common;

use crate::domain::codes::{
    ContactWay, DriveTag, ForumReply, ForumState, HouseholdDateKind, Layer, Node, ObligationState, OrderKind, ProgrammeState, RoundKind,
    RoundState, TouchpointState, VisitState,
};

same_codes! {
    Layer = pb::CareLayer { Basic, Advanced, Premium };
    Node = pb::JourneyNode { Inquiry, Signing, EarlyOccupancy, MidOccupancy, Community, SpecialNeed, Upgrade, Exit };
    DriveTag = pb::DriveTag { Delight, Relatability, Interaction, Value, Enthusiasm };
    ProgrammeState = pb::ProgrammeState { Draft, Published, Retired };
    TouchpointState = pb::TouchpointState {
        Planned, Due, Excluded, Acted, Confirmed, Overdue, Cancelled, Skipped, Suppressed, HeldOut,
    };
    RoundKind = pb::RoundKind { ThreeMonth, OneYear, KeyCustomer, Elderly, General };
    RoundState = pb::RoundState { Preparing, Active, Ended, Reported, Archived };
    VisitState = pb::VisitState { Open, Scheduled, UnderWay, Done, Closed, Excluded, Cancelled };
    ContactWay = pb::ContactWay { Phone, Visit, App, Chat, Sms, FaceToFace };
    HouseholdDateKind = pb::HouseholdDateKind { Subscription, Signing };
    ObligationState = pb::ObligationState { Open, Overdue, Done, Cancelled };
    ForumState = pb::ForumState { Planned, Held, Overdue, Closed };
    ForumReply = pb::ForumReply { Comes, Declines };
    OrderKind = common::WorkOrderKind { Inquiry, Repair, Complaint, Request, Suggestion, Praise };
}
