//! The only place a [`tonic::Status`] is made.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::{Error, Violations, WrongState};
use crate::ids::RequestId;
use crate::request_context;

/// `ErrorInfo.domain` of every refusal.
pub const DOMAIN: &str = "steward";

/// Reasons that any RPC may answer with; those of one service are in its `error_reason.proto`.
pub mod reason {
    /// Fields break the declared rules.
    pub const INVALID_FIELDS: &str = "INVALID_FIELDS";
    /// Not there, or not the caller's to see. The resource stands before it: `WORK_ORDER_NOT_FOUND`.
    pub const NOT_FOUND: &str = "NOT_FOUND";
    /// The etag given is not the present one.
    pub const STALE_ETAG: &str = "STALE_ETAG";
    /// The caller lacks the permission in metadata `permission`.
    pub const PERMISSION_DENIED: &str = "PERMISSION_DENIED";
    /// No token, or one that does not hold.
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    /// The quota in metadata `quota` is used up.
    pub const QUOTA_EXHAUSTED: &str = "QUOTA_EXHAUSTED";
    /// The dependency in metadata `dependency` is down.
    pub const DEPENDENCY_UNAVAILABLE: &str = "DEPENDENCY_UNAVAILABLE";
    /// No RPC has this path.
    pub const UNKNOWN_METHOD: &str = "UNKNOWN_METHOD";
    /// Our fault; metadata `request_id` finds the log line.
    pub const INTERNAL: &str = "INTERNAL";
}

/// When a caller should try again after something we need was down.
const RETRY_AFTER_OUTAGE: Duration = Duration::from_secs(1);

/// A refusal travels in headers, and a peer breaks the whole connection, with every other call on it, when they grow beyond 16 KiB. So
/// what a refusal says is cut: bytes of the message, of one text of the details, and of all violations together.
const MOST_OF_A_MESSAGE: usize = 600;
const MOST_OF_A_TEXT: usize = 500;
const MOST_OF_ALL_VIOLATIONS: usize = 6 << 10;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let message = short(&error.to_string(), MOST_OF_A_MESSAGE);
        match error {
            Error::Invalid(violations) => invalid(message, &violations),
            Error::NotFound { resource, id } => {
                let reason = format!("{}_{}", resource.to_uppercase().replace([' ', '-'], "_"), reason::NOT_FOUND);
                let details = info(&reason, [("resource", resource.to_owned()), ("id", id)]);
                Self::with_error_details(Code::NotFound, message, details)
            }
            Error::AlreadyExists { resource, reason, .. } => {
                let details = info(reason, [("resource", resource.to_owned())]);
                Self::with_error_details(Code::AlreadyExists, message, details)
            }
            Error::WrongState(refusal) => wrong_state(message, refusal),
            Error::Stale { resource } => {
                let details = info(reason::STALE_ETAG, [("resource", resource.to_owned())]);
                Self::with_error_details(Code::Aborted, message, details)
            }
            Error::PermissionDenied { permission } => {
                let details = info(reason::PERMISSION_DENIED, [("permission", permission)]);
                Self::with_error_details(Code::PermissionDenied, message, details)
            }
            Error::Unauthenticated { .. } => Self::with_error_details(Code::Unauthenticated, message, info(reason::UNAUTHENTICATED, [])),
            Error::Exhausted { quota, retry_after } => {
                let mut details = info(reason::QUOTA_EXHAUSTED, [("quota", quota.to_owned())]);
                details.add_quota_failure_violation(quota, message.clone()).set_retry_info(Some(retry_after));
                Self::with_error_details(Code::ResourceExhausted, message, details)
            }
            Error::Unavailable { dependency, source } => {
                let request_id = request_id();
                tracing::error!(%request_id, dependency, cause = %chain(&source), "a dependency is unavailable");
                let mut details = info(reason::DEPENDENCY_UNAVAILABLE, [("dependency", dependency.to_owned())]);
                details.set_retry_info(Some(RETRY_AFTER_OUTAGE));
                Self::with_error_details(Code::Unavailable, message, details)
            }
            Error::Internal(cause) => {
                let request_id = request_id();
                tracing::error!(%request_id, cause = %chain(&cause), "request failed by our fault");
                let mut details = info(reason::INTERNAL, [("request_id", request_id.to_string())]);
                details.set_request_info(request_id.to_string(), "");
                Self::with_error_details(Code::Internal, format!("internal error, request {request_id}"), details)
            }
        }
    }
}

/// UNIMPLEMENTED: no such RPC. Its own function and no [`Error`], because no use case can answer it.
pub fn unknown_method() -> Status {
    Status::with_error_details(Code::Unimplemented, "no such method", info(reason::UNKNOWN_METHOD, []))
}

fn invalid(message: String, violations: &Violations) -> Status {
    let mut room = MOST_OF_ALL_VIOLATIONS;
    let fields: Vec<FieldViolation> = violations
        .iter()
        .map(|violation| FieldViolation {
            field: short(&violation.field, MOST_OF_A_TEXT),
            description: short(&violation.description, MOST_OF_A_TEXT),
            reason: violation.reason.to_owned(),
            localized_message: None,
        })
        .take_while(|told| {
            let size = told.field.len() + told.description.len() + told.reason.len();
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        })
        .collect();
    let untold = violations.iter().count() - fields.len();
    let mut details = match untold {
        0 => info(reason::INVALID_FIELDS, []),
        more => info(reason::INVALID_FIELDS, [("untold_violations", more.to_string())]),
    };
    details.set_bad_request(fields);
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// The text, or its beginning, in so many bytes.
fn short(text: &str, most: usize) -> String {
    match text.len() <= most {
        true => text.to_owned(),
        false => format!("{}…", &text[..text.floor_char_boundary(most)]),
    }
}

fn wrong_state(message: String, refusal: WrongState) -> Status {
    let allowed = refusal.allowed.join(",");
    let mut details = info(refusal.reason, [("state", refusal.state), ("allowed_actions", allowed)]);
    details.add_precondition_failure_violation(refusal.reason, refusal.subject, message.clone());
    Status::with_error_details(Code::FailedPrecondition, message, details)
}

fn info<const N: usize>(reason: &str, metadata: [(&str, String); N]) -> ErrorDetails {
    let metadata: HashMap<String, String> =
        metadata.into_iter().map(|(key, value)| (key.to_owned(), short(&value, MOST_OF_A_TEXT))).collect();
    ErrorDetails::with_error_info(reason, DOMAIN, metadata)
}

/// The request's id, or a fresh one where there is no request: the log line must be findable either way.
fn request_id() -> RequestId {
    request_context::current_request_id().unwrap_or_else(RequestId::new)
}

/// The whole chain of causes in one line.
fn chain(cause: &anyhow::Error) -> String {
    format!("{cause:#}")
}
