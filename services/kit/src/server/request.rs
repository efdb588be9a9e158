//! What every request gets: an id, a span in its caller's trace, and a measurement.

use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response};
use tower::{Layer, Service};
use tracing::Instrument;

use crate::ids::RequestId;
use crate::request_context;
use crate::telemetry::{self, Measured, Side, Transcoded};

/// The header by which a request's id comes in and goes out.
const REQUEST_ID: &str = "x-request-id";

/// Names, traces and times each request.
#[derive(Clone, Copy, Debug)]
pub struct RequestLayer;

impl<S> Layer<S> for RequestLayer {
    type Service = RequestService<S>;

    fn layer(&self, inner: S) -> RequestService<S> {
        RequestService(inner)
    }
}

/// The service [`RequestLayer`] makes.
#[derive(Clone, Debug)]
pub struct RequestService<S>(S);

impl<S, In, Out> Service<Request<In>> for RequestService<S>
where
    S: Service<Request<In>, Response = Response<Out>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    Out: 'static,
{
    type Response = Response<Out>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<In>) -> Self::Future {
        let id = request_id(request.headers());
        let (service, method) = telemetry::rpc_of(request.uri().path());
        let name = format!("{service}/{method}");
        let span = tracing::info_span!("rpc", otel.name = name, service, method, request_id = %id, otel.kind = "server", code = tracing::field::Empty);
        telemetry::parent_span(&span, request.headers());
        let mut measured = Measured::start(Side::Server, (service, method), telemetry::deadline(request.headers()));
        let answer = span.in_scope(|| self.0.call(request));
        let inside = span.clone();
        let work = async move {
            let mut answer = answer.await;
            if let Ok(response) = &mut answer {
                measured.answered(response);
                if let Some(Transcoded { service, method, .. }) = response.extensions().get()
                    && !service.is_empty()
                {
                    telemetry::rename_span(&inside, format!("{service}/{method}"));
                    inside.record("service", service).record("method", method);
                }
                if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
                    response.headers_mut().insert(REQUEST_ID, id);
                }
            }
            inside.record("code", measured.code());
            answer
        };
        Box::pin(request_context::within(id, work).instrument(span))
    }
}

/// The id the gateway gave the request, or a new one. Callers outside choose theirs too: it only ever names log lines.
fn request_id(headers: &HeaderMap) -> RequestId {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    given.and_then(|id| RequestId::parse(id).ok()).unwrap_or_else(RequestId::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_an_id_that_is_one() {
        let id = RequestId::new();
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_str(&id.to_string()).expect("a header"));
        assert_eq!(request_id(&headers), id);
        headers.insert(REQUEST_ID, HeaderValue::from_static("<script>"));
        assert_ne!(request_id(&headers), id);
    }
}
