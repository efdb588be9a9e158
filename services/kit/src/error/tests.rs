use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::*;
use crate::ids::RequestId;

/// Every row of the error table: code, reason, metadata.
#[test]
fn every_refusal_has_its_code_reason_and_metadata() {
    let cases: Vec<(Error, Code, &str, Vec<(&str, &str)>)> = vec![
        (Error::invalid("name", "required", "must be given"), Code::InvalidArgument, "INVALID_FIELDS", vec![]),
        (Error::not_found("work order", "7"), Code::NotFound, "WORK_ORDER_NOT_FOUND", vec![("resource", "work order"), ("id", "7")]),
        (
            Error::already_exists("tenure", "TENURE_OVERLAPS", "an owner is registered"),
            Code::AlreadyExists,
            "TENURE_OVERLAPS",
            vec![("resource", "tenure")],
        ),
        (
            WrongState::new("ORDER_CLOSED", "work order 7", "closed", ["reopen", "annotate"], "it is closed").into(),
            Code::FailedPrecondition,
            "ORDER_CLOSED",
            vec![("state", "closed"), ("allowed_actions", "reopen,annotate")],
        ),
        (Error::Stale { resource: "customer" }, Code::Aborted, "STALE_ETAG", vec![("resource", "customer")]),
        (
            Error::PermissionDenied { permission: "customer.reveal".into() },
            Code::PermissionDenied,
            "PERMISSION_DENIED",
            vec![("permission", "customer.reveal")],
        ),
        (Error::Unauthenticated { detail: "token has expired" }, Code::Unauthenticated, "UNAUTHENTICATED", vec![]),
        (
            Error::Exhausted { quota: "requests", retry_after: Duration::from_secs(3) },
            Code::ResourceExhausted,
            "QUOTA_EXHAUSTED",
            vec![("quota", "requests")],
        ),
        (
            Error::unavailable("postgres", anyhow::anyhow!("connection refused")),
            Code::Unavailable,
            "DEPENDENCY_UNAVAILABLE",
            vec![("dependency", "postgres")],
        ),
    ];
    for (error, code, reason, metadata) in cases {
        let status = Status::from(error);
        assert_eq!(status.code(), code);
        let info = status.get_details_error_info().expect("every refusal has an ErrorInfo");
        assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason, "steward"));
        assert_eq!(info.metadata.len(), metadata.len(), "{reason}");
        for (key, value) in metadata {
            assert_eq!(info.metadata.get(key).map(String::as_str), Some(value), "{reason}.{key}");
        }
    }
}

#[test]
fn all_bad_fields_are_told_at_once() {
    let mut bad = Violations::new();
    bad.id::<crate::ids::UnitId>("unit_id", "13800138000");
    bad.text("title", "  ");
    bad.timestamp("appointment.start_time", None);
    bad.date("birth_date", "1960-13-01");
    let status = Status::from(Error::from(bad));
    let fields = status.get_details_bad_request().expect("a BadRequest").field_violations;
    let told: Vec<_> = fields.iter().map(|field| (field.field.as_str(), field.reason.as_str())).collect();
    assert_eq!(told, [("unit_id", "string.uuid"), ("title", "required"), ("appointment.start_time", "required"), ("birth_date", "date")]);
    assert!(fields.iter().all(|field| !field.description.is_empty()));
    assert!(!status.message().contains("138"), "a refusal does not repeat what was sent");
}

#[test]
fn a_wrong_state_says_what_would_be_allowed() {
    let refusal = WrongState::new("ORDER_CLOSED", "work order 7", "closed", ["reopen"], "the order is closed");
    let failure = Status::from(Error::from(refusal)).get_details_precondition_failure().expect("a PreconditionFailure");
    assert_eq!(failure.violations[0].r#type, "ORDER_CLOSED");
    assert_eq!(failure.violations[0].subject, "work order 7");
    assert_eq!(failure.violations[0].description, "the order is closed");
}

#[test]
fn what_can_be_retried_says_when() {
    let exhausted = Status::from(Error::Exhausted { quota: "requests", retry_after: Duration::from_secs(3) });
    assert_eq!(exhausted.get_details_retry_info().and_then(|info| info.retry_delay), Some(Duration::from_secs(3)));
    assert_eq!(exhausted.get_details_quota_failure().map(|failure| failure.violations[0].subject.clone()), Some("requests".into()));
    let down = Status::from(Error::unavailable("redis", anyhow::anyhow!("gone")));
    assert!(down.get_details_retry_info().is_some());
}

#[tokio::test]
async fn our_fault_leaves_as_a_request_id_only() {
    let id = RequestId::new();
    let cause = anyhow::anyhow!("relation secret_table does not exist").context("loading 张三");
    let status = crate::request_context::within(id, async { Status::from(Error::internal(cause)) }).await;
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(status.message(), format!("internal error, request {id}"));
    let everything = format!("{} {}", status.message(), String::from_utf8_lossy(status.details()));
    assert!(!everything.contains("secret_table") && !everything.contains("张三"));
    assert_eq!(status.get_details_request_info().expect("a RequestInfo").request_id, id.to_string());
}

#[tokio::test]
async fn the_cause_is_logged_once_and_is_found_by_the_request() {
    let (log, _guard) = crate::captured_log::CapturedLog::start();
    let id = RequestId::new();
    let cause = anyhow::anyhow!("connection reset").context("reading the order");
    crate::request_context::within(id, async { Status::from(Error::internal(cause)) }).await;
    let text = log.text();
    assert_eq!(text.matches("reading the order: connection reset").count(), 1, "{text}");
    assert_eq!(text.matches(&id.to_string()).count(), 1, "{text}");
    // A refusal that is the caller's affair is none of the log's.
    drop(Status::from(Error::not_found("unit", "7")));
    assert_eq!(log.text(), text);
}

#[test]
fn the_rules_of_the_proto_are_told_by_field_and_rule() {
    let bad = Violations::of(&steward_proto::work_order::v1::ListCalendarYearsRequest { page_size: 500, ..Default::default() });
    let told: Vec<_> = bad.iter().map(|violation| (violation.field.as_str(), violation.reason)).collect();
    assert_eq!(told, [("page_size", "int32.lte")]);
}

#[test]
fn a_field_is_told_once_for_each_reason() {
    let mut bad = Violations::new();
    bad.add("unit_id", "string.uuid", "must be a UUID");
    bad.id::<crate::ids::UnitId>("unit_id", "rubbish");
    assert_eq!(bad.iter().count(), 1);
}

#[test]
fn building_without_violations_gives_the_value() {
    let mut bad = Violations::new();
    let name = bad.text("name", " 东湖花园 ");
    assert_eq!(bad.build(|| name).expect("builds"), "东湖花园");
    assert!(matches!(Violations::new().build(|| None::<u8>), Err(Error::Internal(_))));
}

/// A refusal that grew with the request would break the connection of everybody who shares it.
#[test]
fn a_refusal_fits_into_headers_however_much_is_wrong() {
    let mut bad = Violations::new();
    for at in 0..5_000 {
        bad.add(format!("items[{at}].{}", "界".repeat(500)), "string.max_len", "must have at most 60 characters");
    }
    let status = Status::from(Error::from(bad));
    let mut headers = http::HeaderMap::new();
    status.add_header(&mut headers).expect("headers");
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
    assert!(size < 14 << 10, "{size} bytes");
    let untold = status.get_details_error_info().expect("an ErrorInfo").metadata["untold_violations"].clone();
    let told = status.get_details_bad_request().expect("a BadRequest").field_violations.len();
    assert_eq!(untold.parse::<usize>().expect("a number") + told, 5_000);

    let status = Status::from(Error::not_found("unit", "x".repeat(100_000)));
    assert!(status.details().len() < 2_000);
}
