//! Which processes may call: by the names in their certificates.

use std::future::{Ready, ready};
use std::task::{Context, Poll};

use futures::future::Either;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::connection::ConnectionInfo;
use crate::error::Error;

/// The permission that a caller lacks whose certificate is not in `TLS_CALLERS`.
const PERMISSION: &str = "certificate.caller";

/// Refuses the calls of connections that are not welcome, each with an answer: a handshake that breaks off would leave both
/// sides guessing. Whether one is welcome was decided when it began; a call pays for one look.
#[derive(Clone, Copy, Debug)]
pub struct CallersLayer;

impl<S> Layer<S> for CallersLayer {
    type Service = Callers<S>;

    fn layer(&self, inner: S) -> Callers<S> {
        Callers(inner)
    }
}

/// The service [`CallersLayer`] makes.
#[derive(Clone, Debug)]
pub struct Callers<S>(S);

impl<S> Service<Request<Body>> for Callers<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let refusal = match request.extensions().get::<ConnectionInfo>() {
            Some(peer) if peer.welcome => return Either::Left(self.0.call(request)),
            Some(peer) => {
                let (names, path) = (peer.names.join(" "), request.uri().path());
                tracing::warn!(target: "audit", names, path, address = %peer.address, "a caller was refused by its certificate");
                Error::PermissionDenied { permission: PERMISSION.to_owned() }
            }
            None => Error::bug("a request came over a connection that nobody looked at"),
        };
        Either::Right(ready(Ok(Status::from(refusal).into_http())))
    }
}
