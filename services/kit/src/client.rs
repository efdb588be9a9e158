//! Calling a peer.
//!
//! A [`Peer`] is a channel that adds what every call needs: a deadline, the trace it belongs to, the request's id, and
//! a token. A call made for a caller carries the caller's own token (put it into the request's metadata); a call in the
//! background carries the service's. It connects when first used, so that services may start in any order.
//!
//! ```ignore
//! let customers = CustomerServiceClient::new(Peer::connect(&url, Duration::from_secs(2), token)?);
//! ```

use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tower::{BoxError, Service};

use crate::auth::TokenSource;
use crate::error::Error;
use crate::{request_context, telemetry};

/// A channel to a peer. Cheap to clone; clones share connections. Give it to a generated client.
#[derive(Clone, Debug)]
pub struct Peer {
    channel: Channel,
    deadline: Duration,
    token: Option<TokenSource>,
}

impl Peer {
    /// A channel to the service at `url` (`http://work-order:8080`). A call may take `deadline`, unless it says less.
    ///
    /// # Errors
    /// `url` is no URL.
    pub fn connect(url: &str, deadline: Duration, token: Option<TokenSource>) -> crate::Result<Self> {
        Ok(Self { channel: endpoint(url)?.timeout(deadline).connect_lazy(), deadline, token })
    }
}

/// A bare channel to the service at `url`, for what passes calls on as they are. It connects when first used.
///
/// # Errors
/// `url` is no URL.
pub fn channel(url: &str) -> crate::Result<Channel> {
    Ok(endpoint(url)?.connect_lazy())
}

fn endpoint(url: &str) -> crate::Result<Endpoint> {
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(Error::internal)?;
    Ok(endpoint
        .connect_timeout(Duration::from_secs(2))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true))
}

impl Service<Request<Body>> for Peer {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(context).map_err(Into::into)
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
        if let Ok(deadline) = HeaderValue::from_str(&format!("{}m", self.deadline.as_millis().min(99_999_999))) {
            headers.entry("grpc-timeout").or_insert(deadline);
        }
        if let Some(token) = &self.token
            && !headers.contains_key(header::AUTHORIZATION)
        {
            match token.authorization() {
                Ok(token) => drop(headers.insert(header::AUTHORIZATION, token)),
                Err(error) => return Box::pin(std::future::ready(Err(BoxError::from(error)))),
            }
        }
        let answer = self.channel.call(request);
        Box::pin(async move { Ok(answer.await?) })
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
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_peer_that_is_not_there_is_unavailable() {
        use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
        // A port that was free a moment ago.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        drop(listener);
        let mut client = HealthClient::new(Peer::connect(&url, Duration::from_millis(500), None).expect("a peer"));
        let status = client.check(HealthCheckRequest::default()).await.expect_err("nobody is there");
        assert!(matches!(peer_error("customer", status), Error::Unavailable { dependency: "customer", .. }));
    }

    #[test]
    fn a_refusal_we_did_not_expect_is_our_fault() {
        let refusal = Status::from(Error::not_found("unit", "7"));
        assert!(matches!(peer_error("customer", refusal), Error::Internal(_)));
        assert!(Peer::connect("not a url", Duration::from_secs(1), None).is_err());
    }
}
