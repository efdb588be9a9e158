//! `/openapi.json`.

use std::sync::OnceLock;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use steward_kit::Error;
use tonic::Status;

use super::error::ApiError;
use crate::openapi_document;

/// Answers the file. It is made when first asked for, and kept as it is sent: few ask, and making it takes more memory than all that
/// the gateway else does.
pub(crate) async fn openapi_file() -> Response {
    static FILE: OnceLock<Bytes> = OnceLock::new();
    let file = match FILE.get() {
        Some(file) => Ok(file.clone()),
        None => openapi_document()
            .and_then(|document| Ok(Bytes::from(serde_json::to_vec(&document)?)))
            .map(|made| FILE.get_or_init(|| made).clone()),
    };
    match file {
        Ok(file) => ([(header::CONTENT_TYPE, "application/json")], file).into_response(),
        Err(error) => ApiError::of(&Status::from(Error::internal(error))).into_response(),
    }
}
