//! How many RPCs may be at work at once.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Request, Response};
use tokio::sync::Semaphore;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use crate::error::Error;

/// Refuses what is too much at once, instead of queueing it: a queue in front of a full service only makes everyone
/// late. An RPC counts until its answer begins; a stream that goes on for hours does not hold a place.
#[derive(Clone, Debug)]
pub struct ConcurrencyLimitLayer(Arc<Semaphore>);

impl ConcurrencyLimitLayer {
    /// At most `most` at once, over all connections.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))))
    }
}

impl<S> Layer<S> for ConcurrencyLimitLayer {
    type Service = ConcurrencyLimit<S>;

    fn layer(&self, inner: S) -> ConcurrencyLimit<S> {
        ConcurrencyLimit { inner, places: self.0.clone() }
    }
}

/// The service [`ConcurrencyLimitLayer`] makes.
#[derive(Clone, Debug)]
pub struct ConcurrencyLimit<S> {
    inner: S,
    places: Arc<Semaphore>,
}

impl<S> Service<Request<Body>> for ConcurrencyLimit<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Probes are let through: a full service is alive.
        let probe = request.uri().path().starts_with("/grpc.health.v1.Health/");
        let place = self.places.clone().try_acquire_owned().ok();
        if place.is_none() && !probe {
            let refusal = Error::Exhausted { quota: "concurrent_requests", retry_after: Duration::from_millis(200) };
            return Box::pin(std::future::ready(Ok(Status::from(refusal).into_http())));
        }
        let answer = self.inner.call(request);
        Box::pin(async move {
            let _place = place;
            answer.await
        })
    }
}
