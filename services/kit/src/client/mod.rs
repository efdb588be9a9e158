//! Calling a peer.
//!
//! A [`Peer`] is a [`Pool`] of connections that adds what every call needs: a deadline, the trace it belongs to, the
//! request's id, and a token. A call made for a caller carries the caller's own token (put it into the request's
//! metadata); a call in the background carries the service's. It connects when first used, so that services may start in
//! any order.
//!
//! ```ignore
//! let customers = CustomerServiceClient::new(Peer::connect(&url, Duration::from_secs(2), &identity)?);
//! ```

mod again;
mod connect;
mod keeper;
mod pool;

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{BoxError, Service};

pub use pool::{CallError, Pool};

use crate::auth::TokenSource;
use crate::config::TlsConfig;
use crate::error::Error;
use crate::tls::Live;
use crate::{request_context, telemetry};

/// What a service shows of itself when it calls: its certificate, and its own token.
#[derive(Clone, Debug)]
pub struct Identity {
    token: Option<TokenSource>,
    tls: Option<Arc<Live<rustls::ClientConfig>>>,
    resolve: Duration,
}

impl Identity {
    /// By the settings, with the service's own token for calls that no caller asked for. Make one, and clone it.
    ///
    /// # Errors
    /// The certificate's files do not hold what they should.
    pub fn new(config: &TlsConfig, token: Option<TokenSource>) -> anyhow::Result<Self> {
        Ok(Self { token, tls: config.calling()?, resolve: Duration::from_millis(config.resolve_ms) })
    }

    /// Plain connections, for tests.
    pub fn plain(token: Option<TokenSource>) -> Self {
        Self { token, tls: None, resolve: Duration::from_secs(5) }
    }
}

/// A peer. Cheap to clone; clones share connections. Give it to a generated client.
#[derive(Clone, Debug)]
pub struct Peer {
    pool: Pool,
    deadline: Duration,
    /// The deadline as a header.
    timeout: HeaderValue,
    token: Option<TokenSource>,
}

impl Peer {
    /// The service at `url` (`https://work-order:8080`). A call may take `deadline`, unless it says less.
    ///
    /// # Errors
    /// `url` is no URL, or wants TLS where the identity has none.
    pub fn connect(url: &str, deadline: Duration, identity: &Identity) -> crate::Result<Self> {
        Self::over(Pool::at(url, identity)?, deadline, identity.token.clone())
    }

    /// The service that `pool` leads to.
    ///
    /// # Errors
    /// None but ours.
    pub fn over(pool: Pool, deadline: Duration, token: Option<TokenSource>) -> crate::Result<Self> {
        let timeout = HeaderValue::from_str(&format!("{}m", deadline.as_millis().min(99_999_999))).map_err(Error::internal)?;
        Ok(Self { pool, deadline, timeout, token })
    }
}

impl Service<Request<Body>> for Peer {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let headers = request.headers_mut();
        telemetry::inject(headers);
        if let Some(id) = request_context::current_request_id()
            && let Ok(id) = HeaderValue::from_str(&id.to_string())
        {
            headers.entry("x-request-id").or_insert(id);
        }
        // So that the peer stops when we stop waiting.
        headers.entry("grpc-timeout").or_insert_with(|| self.timeout.clone());
        if let Some(token) = &self.token
            && !headers.contains_key(header::AUTHORIZATION)
        {
            match token.authorization() {
                Ok(token) => drop(headers.insert(header::AUTHORIZATION, token)),
                Err(error) => return Box::pin(std::future::ready(Err(BoxError::from(error)))),
            }
        }
        let call = telemetry::Call::to(request.uri().path());
        let (pool, deadline) = (self.pool.clone(), self.deadline);
        Box::pin(async move { Ok(call.observe(pool.call(request, Some(deadline))).await?) })
    }
}

/// What a peer's refusal means for us: a peer that is down, slow or full is [`Error::Unavailable`]; any other refusal
/// is [`Error::Internal`], because we asked wrongly. A use case that expects a refusal (`NOT_FOUND`) looks at the
/// status first.
pub fn peer_error(peer: &'static str, status: Status) -> Error {
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted | Code::Unknown | Code::Aborted => {
            Error::unavailable(peer, anyhow::anyhow!("{peer} answered {:?}", status.code()))
        }
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss
        | Code::Unauthenticated => Error::bug(format!("{peer} refused with {:?}: {}", status.code(), status.message())),
    }
}

#[cfg(test)]
mod tests;
