//! From a gRPC answer to a JSON answer.

use axum::{
    Json,
    body::Body,
    response::{IntoResponse as _, Response},
};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde_json::Value;

use super::{error::ApiError, frame, route::Binding};

/// One message, or the refusal.
pub(super) async fn unary(route: &Binding, answer: http::Response<Body>) -> Result<Response, ApiError> {
    let (head, body) = answer.into_parts();
    refuse(&head.headers)?;
    let collected = body.collect().await.map_err(|_| lost())?;
    if let Some(trailers) = collected.trailers() {
        refuse(trailers)?;
    }
    let mut bytes = BytesMut::from(collected.to_bytes().as_ref());
    let message = frame::take(&mut bytes).ok_or_else(lost)?;
    Ok(Json(to_json(&route.method.output(), message)?).into_response())
}

/// The status in a header map or in trailers, when it is a refusal.
pub(super) fn refuse(headers: &HeaderMap) -> Result<(), ApiError> {
    match tonic::Status::from_header_map(headers) {
        Some(status) if status.code() != tonic::Code::Ok => Err(ApiError::of(&status)),
        _ => Ok(()),
    }
}

/// A message as its canonical JSON: camel case, `Z` times, enums by name, defaults left out.
pub(super) fn to_json(descriptor: &MessageDescriptor, bytes: Bytes) -> Result<Value, ApiError> {
    let message = DynamicMessage::decode(descriptor.clone(), bytes).map_err(|_| lost())?;
    serde_json::to_value(&message).map_err(|_| lost())
}

pub(super) fn lost() -> ApiError {
    ApiError::plain(http::StatusCode::BAD_GATEWAY, "UNAVAILABLE", "the service's answer broke off; the call can be repeated")
}
