//! How an RPC is named and how it ended, the same on both sides of a call: rate, errors and duration per service, method and
//! gRPC code.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use http::{HeaderMap, Response};
use tonic::Code;

use super::{Histogram, SECONDS, histogram};

static SERVED: LazyLock<Histogram> =
    LazyLock::new(|| histogram("steward_rpc_duration_seconds", "time until an RPC's answer begins", SECONDS));

static CALLED: LazyLock<Histogram> =
    LazyLock::new(|| histogram("steward_rpc_client_duration_seconds", "time until a peer's answer begins, as its caller sees it", SECONDS));

/// Every RPC of the contract by its path, with its names: looked at in each request.
static KNOWN: LazyLock<HashMap<String, (String, String)>> = LazyLock::new(|| {
    let ours = steward_proto::descriptor_pool().services().flat_map(|service| {
        let rpc = |method: prost_reflect::MethodDescriptor| (service.full_name().to_owned(), method.name().to_owned());
        service.methods().map(rpc).collect::<Vec<_>>()
    });
    let health = ["Check", "Watch"].map(|method| ("grpc.health.v1.Health".to_owned(), method.to_owned()));
    ours.chain(health).map(|(service, method)| (format!("/{service}/{method}"), (service, method))).collect()
});

/// Service and method of a path that is in the contract; anything else is one label, so that a scanner cannot make a
/// series of each path it tries.
pub(crate) fn rpc_of(path: &str) -> (&'static str, &'static str) {
    KNOWN.get(path).map_or(("other", "other"), |(service, method)| (service, method))
}

/// What the answer to a call that is not gRPC says of itself, as an extension of the response: the RPC that it stood for, and
/// the name of the code it ended with.
#[derive(Clone, Debug)]
pub struct Transcoded {
    /// Full name of the service, empty if the call stood for no RPC.
    pub service: String,
    /// The method.
    pub method: String,
    /// `OK`, `NOT_FOUND`, …
    pub code: &'static str,
}

/// Which side of a call is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Server,
    Client,
}

/// Records the duration when it is dropped, so that an RPC that is cut off is counted too.
pub(crate) struct Measured {
    side: Side,
    service: Cow<'static, str>,
    method: Cow<'static, str>,
    start: Instant,
    deadline: Option<Duration>,
    code: Option<&'static str>,
}

impl Measured {
    pub(crate) fn start(side: Side, (service, method): (&'static str, &'static str), deadline: Option<Duration>) -> Self {
        Self { side, service: service.into(), method: method.into(), start: Instant::now(), deadline, code: None }
    }

    /// Notes how it ended. A stream that fails later has begun well.
    pub(crate) fn answered<B>(&mut self, response: &Response<B>) {
        match response.extensions().get::<Transcoded>() {
            Some(transcoded) => {
                self.code = Some(transcoded.code);
                if !transcoded.service.is_empty() {
                    self.service = transcoded.service.clone().into();
                    self.method = transcoded.method.clone().into();
                }
            }
            None => self.code = Some(code_name(code_of(response.headers()))),
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        let late = self.deadline.is_some_and(|deadline| self.start.elapsed() >= deadline);
        self.code.unwrap_or(if late { "DEADLINE_EXCEEDED" } else { "CANCELLED" })
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let side = match self.side {
            Side::Server => &SERVED,
            Side::Client => &CALLED,
        };
        let seconds = self.start.elapsed().as_secs_f64();
        match (&self.service, &self.method) {
            (Cow::Borrowed(service), Cow::Borrowed(method)) => {
                side.record_fixed(seconds, [("service", *service), ("method", *method), ("code", self.code())]);
            }
            (service, method) => side.record(seconds, &[("service", service), ("method", method), ("code", self.code())]),
        }
    }
}

/// A call to a peer, measured until its answer begins. For what calls through no [`crate::client::Peer`] too.
pub struct Call(Measured);

impl Call {
    /// A call of the RPC at `path`, which begins now.
    pub fn to(path: &str) -> Self {
        Self(Measured::start(Side::Client, rpc_of(path), None))
    }

    /// Waits for the answer and notes what it was.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn observe<B, E>(mut self, answer: impl Future<Output = Result<Response<B>, E>>) -> Result<Response<B>, E> {
        let answer = answer.await;
        match &answer {
            Ok(response) => self.0.answered(response),
            Err(_) => self.0.code = Some("UNAVAILABLE"),
        }
        answer
    }
}

fn code_of(headers: &HeaderMap) -> Code {
    headers.get("grpc-status").map_or(Code::Ok, |status| Code::from_bytes(status.as_bytes()))
}

/// The caller's deadline, `grpc-timeout`, to tell an RPC that ran out of time from one whose caller went away.
pub(crate) fn deadline(headers: &HeaderMap) -> Option<Duration> {
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
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_paths_of_the_contract_become_labels() {
        let known = ("steward.work_order.v1.WorkOrderService", "AssignWorkOrder");
        assert_eq!(rpc_of("/steward.work_order.v1.WorkOrderService/AssignWorkOrder"), known);
        for path in ["/", "", "/.env", "/steward.work_order.v1.WorkOrderService/Nothing", "/a/b"] {
            assert_eq!(rpc_of(path), ("other", "other"), "{path}");
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
    fn an_answer_in_json_is_counted_as_the_rpc_it_stood_for() {
        let mut measured = Measured::start(Side::Server, ("other", "other"), None);
        let mut response = Response::new(());
        let (service, method) = ("steward.customer.v1.EstateService".to_owned(), "ListEstates".to_owned());
        response.extensions_mut().insert(Transcoded { service, method, code: "PERMISSION_DENIED" });
        measured.answered(&response);
        assert_eq!((measured.method.as_ref(), measured.code()), ("ListEstates", "PERMISSION_DENIED"));
    }
}
