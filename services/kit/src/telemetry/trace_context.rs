//! The W3C trace context: across gRPC in the metadata, across events in a field.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

/// Makes `span` a part of the trace that `headers` carry, if they carry one.
pub fn parent_span(span: &Span, headers: &HeaderMap) {
    adopt(span, &TraceContextPropagator::new().extract(&Headers(headers)));
}

/// Makes `span` a part of the trace of an event's `traceparent`; an empty or damaged one is passed over.
pub fn continue_trace(span: &Span, traceparent: &str) {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(traceparent) {
        headers.insert("traceparent", value);
        parent_span(span, &headers);
    }
}

/// Gives `span` a link to the trace of `traceparent` instead: what follows so much later that it is a trace of its own.
pub fn link_trace(span: &Span, traceparent: &str) {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(traceparent) {
        headers.insert("traceparent", value);
        let linked = TraceContextPropagator::new().extract(&Headers(&headers)).span().span_context().clone();
        // A damaged one is passed over.
        span.add_link(linked);
    }
}

/// Names a span that has begun: `otel.name` counts at its beginning only.
pub fn rename_span(span: &Span, name: String) {
    span.context().span().update_name(name);
}

fn adopt(span: &Span, parent: &Context) {
    if parent.span().span_context().is_valid() {
        // Refused only where no telemetry is set up, as in most tests.
        let _ = span.set_parent(parent.clone());
    }
}

/// Puts the current span's trace into `headers`.
pub fn inject(headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut HeadersMut(headers));
}

/// The current span's trace as a `traceparent`, for an event; `None` where nothing is traced.
pub fn current_traceparent() -> Option<String> {
    let mut headers = HeaderMap::new();
    inject(&mut headers);
    headers.get("traceparent")?.to_str().ok().map(str::to_owned)
}

/// Whether a `traceparent` says that its trace is recorded.
pub fn is_sampled(traceparent: &str) -> bool {
    traceparent.rsplit('-').next().and_then(|flags| u8::from_str_radix(flags, 16).ok()).is_some_and(|flags| flags & 1 == 1)
}

/// [`current_traceparent`], if the trace is recorded: for rows that live long and would otherwise carry it for nothing.
pub fn sampled_traceparent() -> Option<String> {
    current_traceparent().filter(|traceparent| is_sampled(traceparent))
}
