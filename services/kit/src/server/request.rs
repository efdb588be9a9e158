//! What every request gets: an id, a span in its caller's trace, and a measurement.

use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response};
use tonic::Code;
use tower::{Layer, Service};
use tracing::Instrument;

use crate::ids::RequestId;
use crate::request_context;
use crate::telemetry::{self, Histogram};

/// The header by which a request's id comes in and goes out.
const REQUEST_ID: &str = "x-request-id";

static DURATION: LazyLock<Histogram> =
    LazyLock::new(|| telemetry::histogram("steward_rpc_duration_seconds", "time until an RPC's answer begins", telemetry::SECONDS));

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
        let (service, method) = rpc(request.uri().path());
        let name = format!("{service}/{method}");
        let span = tracing::info_span!("rpc", otel.name = name, service, method, request_id = %id, otel.kind = "server", code = tracing::field::Empty);
        telemetry::parent_span(&span, request.headers());
        let mut measured = Measured::start(service, method, deadline(request.headers()));
        let answer = span.in_scope(|| self.0.call(request));
        let inside = span.clone();
        let work = async move {
            let mut answer = answer.await;
            if let Ok(response) = &mut answer {
                measured.code = Some(code_name(code(response.headers())));
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

/// Service and method of a path that is in the contract; anything else is one label, so that a scanner cannot make a
/// series of each path it tries.
fn rpc(path: &str) -> (String, String) {
    let known = path.strip_prefix('/').and_then(|path| path.split_once('/')).filter(|(service, method)| {
        let ours = steward_proto::descriptor_pool().get_service_by_name(service);
        match ours {
            Some(service) => service.methods().any(|known| known.name() == *method),
            None => *service == "grpc.health.v1.Health" && matches!(*method, "Check" | "Watch"),
        }
    });
    let (service, method) = known.unwrap_or(("other", "other"));
    (service.to_owned(), method.to_owned())
}

/// The code of an answer that has begun. A stream that fails later has begun well.
fn code(headers: &HeaderMap) -> Code {
    headers.get("grpc-status").map_or(Code::Ok, |status| Code::from_bytes(status.as_bytes()))
}

/// The caller's deadline, `grpc-timeout`, to tell an RPC that ran out of time from one whose caller went away.
fn deadline(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number.saturating_mul(3600)),
        "M" => Duration::from_secs(number.saturating_mul(60)),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// Records the duration when it is dropped, so that an RPC that is cut off is counted too.
struct Measured {
    service: String,
    method: String,
    start: Instant,
    deadline: Option<Duration>,
    code: Option<&'static str>,
}

impl Measured {
    fn start(service: String, method: String, deadline: Option<Duration>) -> Self {
        Self { service, method, start: Instant::now(), deadline, code: None }
    }

    fn code(&self) -> &'static str {
        let late = self.deadline.is_some_and(|deadline| self.start.elapsed() >= deadline);
        self.code.unwrap_or(if late { "DEADLINE_EXCEEDED" } else { "CANCELLED" })
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let labels = [("service", self.service.as_str()), ("method", self.method.as_str()), ("code", self.code())];
        DURATION.record(self.start.elapsed().as_secs_f64(), &labels);
    }
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_the_contract_become_labels() {
        let known = ("steward.work_order.v1.WorkOrderService".to_owned(), "AssignWorkOrder".to_owned());
        assert_eq!(rpc("/steward.work_order.v1.WorkOrderService/AssignWorkOrder"), known);
        for path in ["/", "", "/.env", "/steward.work_order.v1.WorkOrderService/Nothing", "/a/b"] {
            assert_eq!(rpc(path), ("other".to_owned(), "other".to_owned()), "{path}");
        }
    }

    #[test]
    fn deadlines_are_read_in_every_unit() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", HeaderValue::from_str(text).expect("a header"));
            deadline(&headers)
        };
        assert_eq!(read("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("5u"), Some(Duration::from_micros(5)));
        assert_eq!([read("5"), read("m"), read("5x"), read("")], [None; 4]);
    }

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
