//! The callers' side of a broken connection: the same call again, with the same request id, until it is answered.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tonic::{Code, Status, body::Body, transport::Channel};
use tower::{Service, ServiceExt};

/// How long a caller goes on calling.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a caller waits before calling again.
const PAUSE: Duration = Duration::from_millis(50);

/// The gateway, as an app with good manners calls it: a call that broke off or met UNAVAILABLE is made again as it was. Mutations
/// carry their request id, so the second one finds what the first one did.
#[derive(Debug, Clone)]
pub struct Door(Channel);

impl Door {
    /// A door to the gateway behind `channel`.
    pub fn new(channel: Channel) -> Self {
        Self(channel)
    }
}

impl Service<Request<Body>> for Door {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // Readiness is part of each attempt.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let channel = self.0.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let begun = Instant::now();
            loop {
                let mut attempt = Request::new(Body::new(Full::new(body.clone())));
                *attempt.method_mut() = head.method.clone();
                *attempt.uri_mut() = head.uri.clone();
                *attempt.headers_mut() = head.headers.clone();
                let outcome = once(channel.clone(), attempt).await;
                match outcome {
                    Err(status) if is_worth_another(&status) && begun.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
                    outcome => return outcome,
                }
            }
        })
    }
}

/// One attempt, read to its end: a connection that breaks while the answer comes is a broken call too.
async fn once(mut channel: Channel, request: Request<Body>) -> Result<Response<Body>, Status> {
    #[expect(clippy::disallowed_methods, reason = "the caller's side: this is how tonic itself tells a caller of a broken connection")]
    let broken = |error: &dyn std::error::Error| Status::unavailable(error.to_string());
    let channel = channel.ready().await.map_err(|error| broken(&error))?;
    let response = channel.call(request).await.map_err(|error| broken(&error))?;
    let (head, body) = response.into_parts();
    if let Some(status) = Status::from_header_map(&head.headers).filter(is_worth_another) {
        return Err(status);
    }
    let collected = body.collect().await.map_err(|status| broken(&status))?;
    let trailers = collected.trailers().cloned();
    if let Some(status) = trailers.as_ref().and_then(Status::from_header_map).filter(is_worth_another) {
        return Err(status);
    }
    let data: Bytes = collected.to_bytes();
    let body = Full::new(data).with_trailers(std::future::ready(trailers.map(Ok)));
    Ok(Response::from_parts(head, Body::new(body)))
}

/// Refusals are answers; only a way that is closed for now is tried again.
fn is_worth_another(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::Unknown | Code::DeadlineExceeded)
}
