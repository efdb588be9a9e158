//! Short words for what tests say often: texts to values, refusals by their reason, waiting for what happens by itself.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use steward_proto::plan::v1 as plan;
use steward_proto::survey::v1 as pb;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

pub(crate) type Answer<T> = Result<T, Status>;

pub(crate) fn request_id() -> String {
    Uuid::now_v7().to_string()
}

/// A UUID without a time in it, as anonymous answers must have.
pub(crate) fn random_id() -> String {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&Uuid::now_v7().as_bytes()[8..]);
    bytes[8..].copy_from_slice(&Uuid::now_v7().as_bytes()[8..]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn wire(at: Timestamp) -> Option<prost_types::Timestamp> {
    Some(steward_kit::proto::to_timestamp(at))
}

pub(crate) fn time(value: Option<&prost_types::Timestamp>) -> Timestamp {
    steward_kit::proto::timestamp(value.expect("is set")).unwrap()
}

/// The reasons of a refusal: of its bad fields, or of the whole.
pub(crate) fn reasons(status: &Status) -> Vec<(String, String)> {
    let details = status.get_error_details();
    let fields = details
        .bad_request()
        .map(|bad| bad.field_violations.iter().map(|violation| (violation.field.clone(), violation.reason.clone())).collect::<Vec<_>>());
    let whole = || details.error_info().map(|info| (String::new(), info.reason.clone())).into_iter().collect();
    fields.filter(|fields| !fields.is_empty()).unwrap_or_else(whole)
}

/// Asserts how a call was refused.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Answer<T>, code: Code, why: &str) -> Status {
    let status = answer.expect_err("is refused");
    let told = reasons(&status);
    assert_eq!((status.code(), told.first().map(|(_, reason)| reason.as_str())), (code, Some(why)), "{status:?}");
    assert!(is_in_contract(why), "{why} is no ErrorReason of the contract");
    status
}

fn is_in_contract(why: &str) -> bool {
    let of_all = ["PERMISSION_DENIED", "UNAUTHENTICATED", "NOT_FOUND"];
    let is_rule = why.chars().all(|letter| letter.is_ascii_lowercase() || matches!(letter, '_' | '.' | '0'..='9'));
    let name = format!("ERROR_REASON_{why}");
    let is_ours = pb::ErrorReason::from_str_name(&name).is_some() || plan::ErrorReason::from_str_name(&name).is_some();
    is_rule || of_all.contains(&why) || is_ours
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
