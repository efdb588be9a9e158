//! Small words that tests share.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// An instant.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A new request id.
pub(crate) fn request_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Waits for what background work brings about.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// The code and reason of a refusal.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.unwrap_err();
    let reason = status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default();
    (status.code(), reason)
}

/// The reasons of bad fields.
pub(crate) fn bad_fields<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<(String, String)> {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_error_details();
    let fields = details.bad_request().unwrap().field_violations.clone();
    fields.into_iter().map(|field| (field.field, field.reason)).collect()
}
