//! Codes, value by value.

use steward_kit::same_codes;
use steward_proto::survey::v1 as pb;

use crate::domain::codes::{
    Allocation, FeedbackSource, FeedbackState, FrameVerdict, InvitationState, JobState, JobStep, Method, Mode, MysteryState, PlanState,
    ProgrammeKind, ReportKind, ReportState, Role, SessionKind, SessionState, Verdict, WaveState,
};

same_codes! {
    ProgrammeKind = pb::ProgrammeKind { Annual, Periodic, Special, Stage, Micro, Interview };
    WaveState = pb::WaveState { Draft, Framed, Launched, Closed, Archived, Cancelled };
    Mode = pb::SurveyMode { Online, Paper, Interview, FocusGroup, Phone, Visit };
    FrameVerdict = pb::FrameVerdict { Eligible, Excluded, Sampled, Skipped };
    JobState = pb::FrameJobState { Running, Paused, Done, Failed, Cancelled };
    JobStep = pb::FrameJobStep { Reading, Drawing, Checking };
    InvitationState = pb::InvitationState { Invited, Delivered, Opened, Started, Responded, Participated, Undeliverable };
    Verdict = pb::ResponseVerdict { Valid, Invalid, Held, OverQuota, PendingEntry };
    SessionKind = pb::SessionKind { Interview, FocusGroup, Forum };
    SessionState = pb::SessionState { Planned, Held, Cancelled };
    FeedbackState = pb::FeedbackState { New, Assessed, Adopted, Declined, Done };
    FeedbackSource = pb::FeedbackSource { SuggestionBox, Forum, Interview, Survey, Steward, Hotline };
    PlanState = pb::ImprovementPlanState { Draft, Submitted, Implemented, FollowUpDue, Verified, Cancelled };
    MysteryState = pb::MysteryVisitState { Planned, Scored, Appealed, Final, Cancelled };
    ReportKind = pb::ReportKind { MidYear, Annual };
    ReportState = pb::ReportState { Draft, Submitted };
    Method = pb::SamplingMethod { Census, SimpleRandom, Stratified, Quota };
    Allocation = pb::Allocation { Proportional, Equal };
    Role = pb::QuestionRole { Overall, Recommend, Repurchase, Complained, ComplaintTimely, Suggestion };
}
