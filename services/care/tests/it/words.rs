//! Short words for what tests say often.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use steward_proto::care::v1 as pb;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

pub(crate) fn request_id() -> String {
    Uuid::now_v7().to_string()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn time(value: Option<&prost_types::Timestamp>) -> Timestamp {
    steward_kit::proto::timestamp(value.expect("is set")).unwrap()
}

pub(crate) fn stamp(text: &str) -> Option<prost_types::Timestamp> {
    Some(steward_kit::proto::to_timestamp(at(text)))
}

/// The reason of a refusal: of its first bad field, or of the whole.
pub(crate) fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let field = details.bad_request().and_then(|bad| bad.field_violations.first()).map(|violation| violation.reason.clone());
    field.or_else(|| details.error_info().map(|info| info.reason.clone())).unwrap_or_default()
}

/// Every bad field of a refusal with its reason.
pub(crate) fn bad_fields(status: &Status) -> Vec<(String, String)> {
    let details = status.get_error_details();
    let bad = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    bad.into_iter().map(|violation| (violation.field, violation.reason)).collect()
}

/// Asserts how a call was refused.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<Response<T>, Status>, code: Code, why: &str) -> Status {
    let status = answer.expect_err("is refused");
    assert_eq!((status.code(), reason(&status).as_str()), (code, why), "{status:?}");
    assert!(is_in_contract(why), "{why} is no ErrorReason of the contract");
    status
}

fn is_in_contract(why: &str) -> bool {
    let of_all = ["PERMISSION_DENIED", "UNAUTHENTICATED"];
    let is_rule = why.chars().all(|letter| letter.is_ascii_lowercase() || matches!(letter, '_' | '.'));
    is_rule || of_all.contains(&why) || pb::ErrorReason::from_str_name(&format!("ERROR_REASON_{why}")).is_some()
}

/// Waits for something that happens in the background. The service's clock stands still meanwhile.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// All of them at once, on one connection.
pub(crate) async fn futures_join<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut answers = Vec::new();
    let mut pending: Vec<_> = all.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        pending.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if pending.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers
}
