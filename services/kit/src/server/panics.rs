//! A panic in a handler is one failed request.

use std::any::Any;

use http::Response;
use tonic::Status;
use tonic::body::Body;
use tower_http::catch_panic::{CatchPanicLayer, ResponseForPanic};

use crate::error::Error;

/// A layer that answers INTERNAL for a panic below it.
pub fn catch_panic() -> CatchPanicLayer<PanicAnswer> {
    CatchPanicLayer::custom(PanicAnswer)
}

/// The answer. The panic's text is not repeated, not even in the log: it may hold personal data. Its place is logged
/// by the hook of [`crate::telemetry::init`].
#[derive(Clone, Copy, Debug)]
pub struct PanicAnswer;

impl ResponseForPanic for PanicAnswer {
    type ResponseBody = Body;

    fn response_for_panic(&mut self, _panic: Box<dyn Any + Send>) -> Response<Body> {
        Status::from(Error::bug("a handler panicked")).into_http()
    }
}
