//! Short words for what tests say often: texts to values, refusals by their reason, waiting for what happens by itself.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use steward_kit::plan::read_plan;
use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::policy_document::Document;
use steward_proto::work_order::v1 as pb;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

pub(crate) type Answer<T> = Result<T, Status>;

/// A plan of `gateway/plans`.
pub(crate) fn plan(yaml: &str) -> plan::ServicePlan {
    read_plan("gateway/plans", yaml).unwrap()
}

pub(crate) fn new_version(level: plan::PolicyScopeLevel, id: &str, document: Document, plan: &str) -> plan::CreatePolicyVersionRequest {
    plan::CreatePolicyVersionRequest {
        request_id: request_id(),
        scope: Some(plan::PolicyScope { level: level.into(), id: id.to_owned() }),
        document: Some(plan::PolicyDocument { document: Some(document) }),
        plan_code: plan.to_owned(),
        ..Default::default()
    }
}

pub(crate) fn request_id() -> String {
    Uuid::now_v7().to_string()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn time(value: Option<&prost_types::Timestamp>) -> Timestamp {
    steward_kit::proto::timestamp(value.expect("is set")).unwrap()
}

/// The clock of a name in a cycle; the last run of it.
pub(crate) fn clock<'a>(order: &'a pb::WorkOrder, name: &str, cycle: u32) -> &'a pb::Clock {
    let found = order.clocks.iter().rfind(|clock| clock.name == name && clock.cycle == cycle);
    found.unwrap_or_else(|| panic!("no clock {name} in cycle {cycle}: {:?}", order.clocks))
}

/// The reason of a refusal: of its one bad field, or of the whole.
pub(crate) fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let field = details.bad_request().and_then(|bad| bad.field_violations.first()).map(|violation| violation.reason.clone());
    field.or_else(|| details.error_info().map(|info| info.reason.clone())).unwrap_or_default()
}

/// Asserts how a call was refused.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Answer<T>, code: Code, why: &str) -> Status {
    let status = answer.expect_err("is refused");
    assert_eq!((status.code(), reason(&status).as_str()), (code, why), "{status:?}");
    assert!(is_in_contract(why), "{why} is no ErrorReason of the contract");
    status
}

/// Whether callers can look the reason up: with this service, among those of every service, or as a rule of the field.
fn is_in_contract(why: &str) -> bool {
    let of_all = ["PERMISSION_DENIED", "UNAUTHENTICATED"];
    let is_rule = why.chars().all(|letter| letter.is_ascii_lowercase() || matches!(letter, '_' | '.'));
    let name = format!("ERROR_REASON_{why}");
    let is_ours = pb::ErrorReason::from_str_name(&name).is_some() || plan::ErrorReason::from_str_name(&name).is_some();
    is_rule || of_all.contains(&why) || is_ours
}

/// Waits for something that happens in the background. The service's clock stands still meanwhile.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(15);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
