//! Refusals as JSON: code, status name, message and the typed details, as Google's APIs write them.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use tonic_types::StatusExt as _;

/// An error on its way to a JSON caller.
#[derive(Debug)]
pub(super) struct ApiError {
    http: StatusCode,
    status: &'static str,
    message: String,
    details: Vec<Value>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

impl ApiError {
    pub(super) fn plain(http: StatusCode, status: &'static str, message: impl Into<String>) -> Self {
        Self { http, status, message: message.into(), details: Vec::new(), headers: Vec::new() }
    }

    pub(super) fn bad_field(field: &str, description: &str) -> Self {
        let mut error = Self::plain(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", description);
        if !field.is_empty() {
            error.message = format!("{field}: {description}");
            error.details.push(json!({
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"field": field, "description": description}],
            }));
        }
        error
    }

    pub(super) fn no_such_path(path: &str) -> Self {
        Self::plain(StatusCode::NOT_FOUND, "NOT_FOUND", format!("there is no {path}; the paths are in /openapi.json"))
    }

    pub(super) fn method_not_allowed(allowed: &[Method]) -> Self {
        let list = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let mut error = Self::plain(StatusCode::METHOD_NOT_ALLOWED, "UNIMPLEMENTED", format!("this path takes {list}"));
        if let Ok(value) = HeaderValue::from_str(&list) {
            error.headers.push((header::ALLOW, value));
        }
        error
    }

    pub(super) fn body_too_large(limit: usize) -> Self {
        Self::plain(StatusCode::PAYLOAD_TOO_LARGE, "RESOURCE_EXHAUSTED", format!("the body may have at most {limit} bytes"))
    }

    pub(super) fn grpc_only(method: &str) -> Self {
        Self::plain(StatusCode::NOT_IMPLEMENTED, "UNIMPLEMENTED", format!("{method} takes a stream of requests; call it by gRPC"))
    }

    /// From what the gRPC stack answered.
    pub(super) fn of(status: &tonic::Status) -> Self {
        let (http, name) = names(status.code());
        let details = status.get_error_details();
        let mut error = Self::plain(http, name, status.message());
        error.details = typed_details(&details);
        if let Some(delay) = details.retry_info().and_then(|info| info.retry_delay) {
            // Whole seconds, rounded up: a caller that comes too early is refused again.
            let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
            error.headers.push((header::RETRY_AFTER, HeaderValue::from(seconds.max(1))));
        }
        if status.code() == tonic::Code::Unauthenticated {
            error.headers.push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        error
    }

    /// The name of its code.
    pub(super) fn status(&self) -> &'static str {
        self.status
    }

    /// The same as one JSON value, for streams that have begun.
    pub(super) fn to_value(&self) -> Value {
        json!({"error": {
            "code": self.http.as_u16(),
            "status": self.status,
            "message": self.message,
            "details": self.details,
        }})
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.status, self.message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.http, Json(self.to_value())).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

/// HTTP status and name of a gRPC code, as google.rpc.Code documents them.
fn names(code: tonic::Code) -> (StatusCode, &'static str) {
    use tonic::Code;
    match code {
        Code::Ok => (StatusCode::OK, "OK"),
        Code::Cancelled => (StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST), "CANCELLED"),
        Code::Unknown => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN"),
        Code::InvalidArgument => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
        Code::DeadlineExceeded => (StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED"),
        Code::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Code::AlreadyExists => (StatusCode::CONFLICT, "ALREADY_EXISTS"),
        Code::PermissionDenied => (StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
        Code::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED"),
        Code::FailedPrecondition => (StatusCode::BAD_REQUEST, "FAILED_PRECONDITION"),
        Code::Aborted => (StatusCode::CONFLICT, "ABORTED"),
        Code::OutOfRange => (StatusCode::BAD_REQUEST, "OUT_OF_RANGE"),
        Code::Unimplemented => (StatusCode::NOT_IMPLEMENTED, "UNIMPLEMENTED"),
        Code::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
        Code::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
        Code::DataLoss => (StatusCode::INTERNAL_SERVER_ERROR, "DATA_LOSS"),
        Code::Unauthenticated => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
    }
}

fn typed_details(details: &tonic_types::ErrorDetails) -> Vec<Value> {
    let kind = |name: &str| format!("type.googleapis.com/google.rpc.{name}");
    let mut out = Vec::new();
    if let Some(info) = details.error_info() {
        out.push(json!({"@type": kind("ErrorInfo"), "reason": info.reason, "domain": info.domain, "metadata": info.metadata}));
    }
    if let Some(bad) = details.bad_request() {
        let violations: Vec<Value> =
            bad.field_violations.iter().map(|v| json!({"field": v.field, "description": v.description, "reason": v.reason})).collect();
        out.push(json!({"@type": kind("BadRequest"), "fieldViolations": violations}));
    }
    if let Some(failure) = details.precondition_failure() {
        let violations: Vec<Value> =
            failure.violations.iter().map(|v| json!({"type": v.r#type, "subject": v.subject, "description": v.description})).collect();
        out.push(json!({"@type": kind("PreconditionFailure"), "violations": violations}));
    }
    if let Some(failure) = details.quota_failure() {
        let violations: Vec<Value> =
            failure.violations.iter().map(|v| json!({"subject": v.subject, "description": v.description})).collect();
        out.push(json!({"@type": kind("QuotaFailure"), "violations": violations}));
    }
    if let Some(retry) = details.retry_info().and_then(|info| info.retry_delay) {
        out.push(json!({"@type": kind("RetryInfo"), "retryDelay": format!("{}s", retry.as_secs_f64())}));
    }
    if let Some(request) = details.request_info() {
        out.push(json!({"@type": kind("RequestInfo"), "requestId": request.request_id}));
    }
    if let Some(text) = details.localized_message() {
        out.push(json!({"@type": kind("LocalizedMessage"), "locale": text.locale, "message": text.message}));
    }
    out
}
