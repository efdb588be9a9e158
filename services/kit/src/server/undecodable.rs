//! A request that is no message of its RPC is the caller's fault.
//!
//! tonic answers INTERNAL when its codec cannot decode a request, before any code of ours runs. Alerts count INTERNAL as our fault, and
//! a caller reads it so; it becomes INVALID_ARGUMENT here. What the decoder said is not repeated: it may quote the request.

use std::task::{Context, Poll};

use futures::TryFutureExt as _;
use futures::future::MapOk;
use http::{HeaderMap, Request, Response};
use tonic::Status;
use tower::{Layer, Service};

use crate::error::Error;

const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";
const DETAILS: &str = "grpc-status-details-bin";

/// How tonic's message begins in a header.
const UNDECODED: &[u8] = b"failed%20to%20decode%20Protobuf%20message";

/// Refuses what tonic could not decode.
#[derive(Clone, Copy, Debug)]
pub struct UndecodableLayer;

impl<S> Layer<S> for UndecodableLayer {
    type Service = Undecodable<S>;

    fn layer(&self, inner: S) -> Undecodable<S> {
        Undecodable(inner)
    }
}

/// The service [`UndecodableLayer`] makes.
#[derive(Clone, Debug)]
pub struct Undecodable<S>(S);

impl<S, In, Out> Service<Request<In>> for Undecodable<S>
where
    S: Service<Request<In>, Response = Response<Out>>,
{
    type Response = Response<Out>;
    type Error = S::Error;
    type Future = MapOk<S::Future, fn(Response<Out>) -> Response<Out>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<In>) -> Self::Future {
        let refuse: fn(Response<Out>) -> Response<Out> = refuse_undecodable;
        self.0.call(request).map_ok(refuse)
    }
}

/// The same answer, unless it is tonic's about a request that it could not decode.
fn refuse_undecodable<B>(mut response: Response<B>) -> Response<B> {
    if is_undecoded(response.headers()) {
        let refusal = Status::from(Error::invalid("request", "protobuf", "must be a message of this RPC"));
        response.headers_mut().remove(MESSAGE);
        // Nothing of ours fails to fit into headers; if it did, the code would stand as tonic gave it.
        drop(refusal.add_header(response.headers_mut()));
    }
    response
}

fn is_undecoded(headers: &HeaderMap) -> bool {
    let is_internal = headers.get(STATUS).is_some_and(|code| code.as_bytes() == b"13");
    let is_tonics = headers.get(DETAILS).is_none();
    is_internal && is_tonics && headers.get(MESSAGE).is_some_and(|text| text.as_bytes().starts_with(UNDECODED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;
    use tonic::Code;

    fn after(response: Response<()>) -> Option<Status> {
        Status::from_header_map(refuse_undecodable(response).headers())
    }

    fn with(headers: &[(&'static str, &str)]) -> Response<()> {
        let mut response = Response::new(());
        for (name, value) in headers {
            response.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        response
    }

    #[test]
    fn what_tonic_cannot_decode_is_refused_and_nothing_else_is_touched() {
        // The words of the library as it is built here: a new one that says it otherwise fails here.
        let said = steward_proto::event::v1::Event::decode([0xff_u8, 0xff].as_slice()).expect_err("no message").to_string();
        assert!(said.replace(' ', "%20").as_bytes().starts_with(UNDECODED), "{said}");

        let undecoded = after(with(&[("grpc-status", "13"), ("grpc-message", "failed%20to%20decode%20Protobuf%20message%3A%20x")]));
        let undecoded = undecoded.expect("a status");
        assert_eq!((undecoded.code(), undecoded.details().is_empty()), (Code::InvalidArgument, false));
        let ours = after(with(&[("grpc-status", "13"), ("grpc-message", "internal%20error")]));
        assert_eq!(ours.expect("a status").code(), Code::Internal);
        assert!(after(with(&[])).is_none());
    }
}
