//! Server streams as JSON: one line a message (`application/x-ndjson`), or server-sent events when the caller asks for
//! `text/event-stream`.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header};
use http_body::Body as _;
use prost_reflect::MessageDescriptor;
use serde_json::Value;

use super::{
    answer::{lost, refuse, to_json},
    error::ApiError,
    frame,
    route::Binding,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Lines,
    Events,
}

/// The stream's answer. A refusal before the first message is an ordinary error; one after it is the last line.
pub(super) fn answer(route: &Binding, asked: &HeaderMap, answer: http::Response<Body>) -> Response {
    let (head, body) = answer.into_parts();
    if let Err(error) = refuse(&head.headers) {
        return error.into_response();
    }
    let wants_events =
        asked.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|text| text.contains("text/event-stream"));
    let (form, content_type) = if wants_events { (Form::Events, "text/event-stream") } else { (Form::Lines, "application/x-ndjson") };
    let messages = Messages { body, buffer: BytesMut::new(), output: route.method.output(), form, done: false };
    let mut response = Response::new(Body::from_stream(messages));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

struct Messages {
    body: Body,
    buffer: BytesMut,
    output: MessageDescriptor,
    form: Form,
    done: bool,
}

impl futures::Stream for Messages {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.done {
                return Poll::Ready(None);
            }
            if let Some(message) = frame::take(&mut self.buffer) {
                let line = match to_json(&self.output, message) {
                    Ok(value) => value,
                    Err(error) => self.last(&error),
                };
                return Poll::Ready(Some(Ok(self.form.write(&line))));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                None => return Poll::Ready(None),
                Some(Err(_)) => {
                    let line = self.last(&lost());
                    return Poll::Ready(Some(Ok(self.form.write(&line))));
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.buffer.extend_from_slice(&data),
                    Err(frame) => {
                        if let Err(error) = frame.trailers_ref().map_or(Ok(()), refuse) {
                            let line = self.last(&error);
                            return Poll::Ready(Some(Ok(self.form.write(&line))));
                        }
                    }
                },
            }
        }
    }
}

impl Messages {
    fn last(&mut self, error: &ApiError) -> Value {
        self.done = true;
        error.to_value()
    }
}

impl Form {
    fn write(self, value: &Value) -> Bytes {
        match self {
            Self::Lines => Bytes::from(format!("{value}\n")),
            Self::Events => Bytes::from(format!("data: {value}\n\n")),
        }
    }
}
