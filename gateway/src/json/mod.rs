//! JSON over HTTP, transcoded from the descriptors alone.
//!
//! A JSON call becomes the gRPC request that it stands for and goes through the very same stack: authentication, limits,
//! forwarding. There is no second way in, and no code per RPC: a new RPC with a `google.api.http` option is served, and
//! is in the OpenAPI file, without a line here.

mod answer;
mod error;
pub(crate) mod frame;
mod openapi_file;
mod question;
mod route;
mod stream;

use std::sync::Arc;

use axum::{
    body::Body as HttpBody,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Method, StatusCode, header};
use steward_kit::telemetry::Transcoded;
use tower::ServiceExt as _;

pub(crate) use openapi_file::openapi_file;
pub use route::{Binding, Body, Routes};

use crate::json::error::ApiError;

/// Largest JSON body taken; the same as the limit of a gRPC message.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Headers that belong to the call and not to the encoding.
const CARRIED_HEADERS: [&str; 6] = ["authorization", "accept-language", "traceparent", "tracestate", "x-request-id", "grpc-timeout"];

/// What the JSON door needs: the routes of the contract, and the gRPC stack behind it.
#[derive(Clone)]
pub struct Door {
    routes: Arc<Routes>,
    stack: axum::Router,
}

impl Door {
    /// A door in front of `stack`.
    pub fn new(routes: Arc<Routes>, stack: axum::Router) -> Self {
        Self { routes, stack }
    }

    /// The router that answers JSON calls.
    pub fn router(self) -> axum::Router {
        axum::Router::new().fallback(handle).with_state(self)
    }
}

async fn handle(State(door): State<Door>, request: Request) -> Response {
    let mut named = Transcoded { service: String::new(), method: String::new(), code: "OK" };
    let outcome = call(door, request, &mut named).await;
    if let Err(refusal) = &outcome {
        named.code = refusal.status();
    }
    let mut answer = outcome.unwrap_or_else(|error| error.into_response());
    // So that the call is counted and traced as the RPC that it stands for.
    answer.extensions_mut().insert(named);
    // Texts of refusals depend on the language; a cache in front must know, also for callers who named none.
    answer.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept-language"));
    answer
}

async fn call(door: Door, request: Request, named: &mut Transcoded) -> Result<Response, ApiError> {
    let (head, body) = request.into_parts();
    let (route, variables) = door.routes.find(&head.method, head.uri.path()).map_err(|miss| match miss {
        route::Miss::NoPath => ApiError::no_such_path(head.uri.path()),
        route::Miss::OtherMethods(allowed) => ApiError::method_not_allowed(&allowed),
    })?;
    route.method.parent_service().full_name().clone_into(&mut named.service);
    route.method.name().clone_into(&mut named.method);
    let body = match head.method {
        Method::GET | Method::DELETE => bytes::Bytes::new(),
        _ => axum::body::to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| ApiError::body_too_large(MAX_BODY_BYTES))?,
    };
    let message = question::decode(route, &variables, head.uri.query().unwrap_or_default(), &body)?;
    if route.method.is_client_streaming() {
        return Err(ApiError::grpc_only(route.method.full_name()));
    }
    let grpc = grpc_request(route, &head.headers, &message)?;
    // Errors of a router are infallible by type.
    let Ok(answer) = door.stack.oneshot(grpc).await;
    if route.method.is_server_streaming() {
        return Ok(stream::answer(route, &head.headers, answer));
    }
    answer::unary(route, answer).await
}

fn grpc_request(
    route: &Binding,
    headers: &HeaderMap,
    message: &prost_reflect::DynamicMessage,
) -> Result<http::Request<HttpBody>, ApiError> {
    let mut request = http::Request::builder()
        .method(Method::POST)
        .uri(format!("/{}/{}", route.method.parent_service().full_name(), route.method.name()))
        .version(http::Version::HTTP_2)
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers");
    for name in CARRIED_HEADERS {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    request
        .body(HttpBody::from(frame::encode(message)))
        .map_err(|_| ApiError::plain(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", "a header of the request is not valid"))
}
