//! From requests to commands. Every fault of a request is collected: the declared rules first, then what they cannot say.

use jiff::Timestamp;
use steward_kit::Result;
use steward_kit::auth::Principal;
use steward_kit::calendar::Span;
use steward_kit::error::Violations;
use steward_kit::ids::{EstateId, Id, WorkOrderId};
use steward_proto::work_order::v1 as pb;

use crate::app::{ListFilter, Report, Target};
use crate::contract::{Code, required};
use crate::domain::{
    Accept, Actor, Arrive, Assess, Assign, Cancel, CausedBy, Classify, Close, Complete, ContactCustomer, MediaKind, MediaRef,
    RecordCallback, Reopen, Resume, Suspend, Urge,
};

/// An id; a fault that the declared rules have noted already is not noted twice.
pub(super) fn id<T: Id>(bad: &mut Violations, field: &str, text: &str) -> Option<T> {
    let mut own = Violations::new();
    let id = own.id(field, text);
    if !bad.iter().any(|noted| noted.field == field) {
        own.iter().for_each(|fault| bad.add(fault.field.clone(), fault.reason, fault.description.clone()));
    }
    id
}

/// An id that may be empty.
pub(super) fn optional_id<T: Id>(bad: &mut Violations, field: &str, text: &str) -> Option<T> {
    if text.is_empty() { None } else { id(bad, field, text) }
}

/// A version as `etag` says it; `None` for an empty one.
pub(super) fn etag(bad: &mut Violations, field: &str, text: &str) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    let version = text.parse().ok();
    if version.is_none() {
        bad.add(field, "etag", "must be an etag of the resource, as it was given out");
    }
    version
}

/// The order a verb is for.
pub(super) fn target(bad: &mut Violations, work_order_id: &str, seen: &str) -> Option<Target> {
    let etag = etag(bad, "etag", seen);
    Some(Target { id: id(bad, "work_order_id", work_order_id)?, etag })
}

pub(super) fn media(files: &[pb::MediaRef]) -> Vec<MediaRef> {
    let file = |file: &pb::MediaRef| MediaRef { key: file.key.clone(), sha256: file.sha256.clone(), kind: MediaKind::of_number(file.kind) };
    files.iter().map(file).collect()
}

/// What care did that a case is about. Another service's id is taken as it is: care knows its own.
fn cause(bad: &mut Violations, given: Option<&pb::CausedBy>) -> Option<CausedBy> {
    use pb::caused_by::Cause;
    match given?.cause.as_ref()? {
        Cause::TouchpointId(text) => id(bad, "caused_by.touchpoint_id", text).map(CausedBy::Touchpoint),
        Cause::CampaignCode(code) => {
            // It stands in events and in the history, where no free text does.
            if !code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.')) {
                bad.add("caused_by.campaign_code", "string.pattern", "must be the code of a programme: small letters, digits, _ - .");
            }
            Some(CausedBy::Campaign(code.clone()))
        }
    }
}

/// Whom of the staff a case complains about, each once; `None` when nothing is said of it.
fn accused(bad: &mut Violations, given: Option<&pb::Accused>) -> Option<Vec<String>> {
    let mut subjects = given?.principals.clone();
    for (index, subject) in subjects.iter().enumerate() {
        let field = || format!("accused.principals[{index}]");
        if subject.is_empty() {
            bad.add(field(), "string.min_len", "must name somebody");
        }
        // It stands in the history, whose lists have commas between.
        if subject.chars().count() > 100 || subject.contains(',') {
            bad.add(field(), "string.max_len", "must be a staff subject of at most 100 characters, without commas");
        }
    }
    subjects.sort();
    subjects.dedup();
    Some(subjects)
}

pub(super) fn create(request: &pb::CreateWorkOrderRequest) -> Result<Report> {
    let mut bad = Violations::of(request);
    let estate_id = id(&mut bad, "estate_id", &request.estate_id);
    let unit_id = optional_id(&mut bad, "unit_id", &request.unit_id);
    let customer_id = optional_id(&mut bad, "customer_id", &request.customer_id);
    let kind = required(&mut bad, "kind", request.kind);
    let channel = required(&mut bad, "channel", request.channel);
    let description = bad.text("description", &request.description);
    let occur_time = bad.optional_timestamp("occur_time", request.occur_time.as_ref());
    let caused_by = cause(&mut bad, request.caused_by.as_ref());
    let accused = accused(&mut bad, request.accused.as_ref()).unwrap_or_default();
    let origin = super::origin::decode(&mut bad, request.origin.as_ref());
    bad.build(|| {
        Some(Report {
            estate_id: estate_id?,
            unit_id,
            customer_id,
            kind: kind?,
            channel: channel?,
            description: description?.into(),
            location: request.location.trim().to_owned().into(),
            media: media(&request.media),
            category: Some(request.category.clone()).filter(|category| !category.is_empty()),
            urgency: Code::of_number(request.urgency),
            occur_time,
            caused_by,
            origin,
            accused,
        })
    })
}

pub(super) fn classify(request: &pb::ClassifyWorkOrderRequest, actor: Actor) -> Result<(Target, Classify)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    let urgency = required(&mut bad, "urgency", request.urgency);
    let cause = cause(&mut bad, request.caused_by.as_ref());
    let accused = accused(&mut bad, request.accused.as_ref());
    bad.build(|| {
        let (category, reason) = (request.category.clone(), request.reason.clone());
        let caused_by = request.caused_by.is_some().then_some(cause);
        Some((target?, Classify { actor, kind: Code::of_number(request.kind), category, urgency: urgency?, caused_by, accused, reason }))
    })
}

pub(super) fn assign(request: &pb::AssignWorkOrderRequest, by: &Principal) -> Result<(Target, Assign)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    bad.build(|| {
        Some((
            target?,
            Assign {
                actor: Actor::of(by),
                assignee: request.assignee.clone(),
                over_limit_reason: request.over_limit_reason.clone(),
                roles: by.roles.clone(),
            },
        ))
    })
}

pub(super) fn grab(request: &pb::GrabWorkOrderRequest) -> Result<Target> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    bad.build(|| target)
}

pub(super) fn accept(request: &pb::AcceptWorkOrderRequest, actor: Actor) -> Result<(Target, Accept)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    bad.build(|| Some((target?, Accept { actor })))
}

pub(super) fn contact(request: &pb::ContactCustomerRequest, actor: Actor) -> Result<(Target, ContactCustomer)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    let occur_time = bad.optional_timestamp("occur_time", request.occur_time.as_ref());
    let promise = request.promise.as_ref().and_then(|span| bad.span("promise", span));
    bad.build(|| {
        let note = request.note.clone().into();
        Some((target?, ContactCustomer { actor, occur_time, reached: request.reached, promise, note }))
    })
}

pub(super) fn assess(request: &pb::AssessWorkOrderRequest, actor: Actor) -> Result<(Target, Assess)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    let occur_time = bad.optional_timestamp("occur_time", request.occur_time.as_ref());
    bad.build(|| {
        let (plan, customer_informed) = (request.plan.clone().into(), request.customer_informed);
        Some((target?, Assess { actor, occur_time, plan, customer_informed }))
    })
}

pub(super) fn arrive(request: &pb::ArriveOnSiteRequest, actor: Actor) -> Result<(Target, Arrive)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    let occur_time = bad.optional_timestamp("occur_time", request.occur_time.as_ref());
    bad.build(|| Some((target?, Arrive { actor, occur_time })))
}

pub(super) fn complete(request: &pb::CompleteWorkOrderRequest, actor: Actor) -> Result<(Target, Complete)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    let occur_time = bad.optional_timestamp("occur_time", request.occur_time.as_ref());
    bad.build(|| {
        let (summary, media) = (request.summary.clone().into(), media(&request.media));
        Some((target?, Complete { actor, occur_time, summary, media }))
    })
}

pub(super) fn record_callback(request: &pb::RecordCallbackRequest, actor: Actor) -> Result<(Target, RecordCallback)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    let occur_time = bad.optional_timestamp("occur_time", request.occur_time.as_ref());
    let outcome = required(&mut bad, "outcome", request.outcome);
    let mode = required(&mut bad, "mode", request.mode);
    bad.build(|| {
        let (score, improvement) = (request.score, request.improvement.clone().into());
        Some((target?, RecordCallback { actor, occur_time, outcome: outcome?, score, improvement, mode: mode? }))
    })
}

pub(super) fn reopen(request: &pb::ReopenWorkOrderRequest, actor: Actor) -> Result<(Target, Reopen)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    bad.build(|| Some((target?, Reopen { actor, reason: request.reason.clone() })))
}

pub(super) fn close(request: &pb::CloseWorkOrderRequest, actor: Actor) -> Result<(Target, Close)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    let close_code = required(&mut bad, "close_code", request.close_code);
    bad.build(|| Some((target?, Close { actor, close_code: close_code? })))
}

pub(super) fn cancel(request: &pb::CancelWorkOrderRequest, actor: Actor) -> Result<(Target, Cancel)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    let close_code = required(&mut bad, "close_code", request.close_code);
    bad.build(|| Some((target?, Cancel { actor, close_code: close_code?, reason: request.reason.clone() })))
}

pub(super) fn urge(request: &pb::UrgeWorkOrderRequest, actor: Actor) -> Result<(Target, Urge)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    bad.build(|| Some((target?, Urge { actor })))
}

pub(super) fn suspend(request: &pb::SuspendWorkOrderRequest, actor: Actor) -> Result<(Target, Suspend)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    let reason = required(&mut bad, "reason", request.reason);
    bad.build(|| Some((target?, Suspend { actor, reason: reason? })))
}

pub(super) fn resume(request: &pb::ResumeWorkOrderRequest, actor: Actor) -> Result<(Target, Resume)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    bad.build(|| Some((target?, Resume { actor })))
}

pub(super) fn get(request: &pb::GetWorkOrderRequest) -> Result<WorkOrderId> {
    let mut bad = Violations::of(request);
    let id = id(&mut bad, "work_order_id", &request.work_order_id);
    bad.build(|| id)
}

pub(super) fn list(request: &pb::ListWorkOrdersRequest) -> Result<ListFilter> {
    let mut bad = Violations::of(request);
    let estate = optional_id(&mut bad, "estate_id", &request.estate_id);
    let customer = optional_id(&mut bad, "customer_id", &request.customer_id);
    let numbered = request.states.iter().enumerate();
    let states: Vec<_> = numbered.map(|(index, number)| required(&mut bad, &format!("states[{index}]"), *number)).collect();
    let assignee = Some(request.assignee.clone()).filter(|assignee| !assignee.is_empty());
    bad.build(|| Some(ListFilter { estate, customer, states: states.into_iter().collect::<Option<_>>()?, assignee }))
}

pub(super) fn owed_calls(request: &pb::ListOwedCallsRequest) -> Result<EstateId> {
    let mut bad = Violations::of(request);
    let id = id(&mut bad, "estate_id", &request.estate_id);
    bad.build(|| id)
}

pub(super) fn search(request: &pb::SearchWorkOrdersRequest) -> Result<EstateId> {
    let mut bad = Violations::of(request);
    let id = id(&mut bad, "estate_id", &request.estate_id);
    bad.build(|| id)
}

pub(super) fn history(request: &pb::ListHistoryRequest) -> Result<WorkOrderId> {
    let mut bad = Violations::of(request);
    let id = id(&mut bad, "work_order_id", &request.work_order_id);
    bad.build(|| id)
}

pub(super) fn watch(request: &pb::WatchWorkOrderRequest) -> Result<(WorkOrderId, Option<i64>)> {
    let mut bad = Violations::of(request);
    let id = id(&mut bad, "work_order_id", &request.work_order_id);
    let seen = etag(&mut bad, "after_etag", &request.after_etag);
    bad.build(|| Some((id?, seen)))
}

pub(super) fn explain(request: &pb::ExplainClockRequest) -> Result<WorkOrderId> {
    let mut bad = Violations::of(request);
    let id = id(&mut bad, "work_order_id", &request.work_order_id);
    bad.build(|| id)
}

pub(super) fn compute(request: &pb::ComputeDueTimeRequest) -> Result<(EstateId, Option<Timestamp>, Span)> {
    let mut bad = Violations::of(request);
    let estate = id(&mut bad, "estate_id", &request.estate_id);
    let start = bad.optional_timestamp("start_time", request.start_time.as_ref());
    let span = request.span.as_ref().and_then(|span| bad.span("span", span));
    bad.build(|| Some((estate?, start, span?)))
}
