//! Log lines that name the trace they belong to.

use std::fmt;

use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::{Event, Subscriber, dispatcher, span};
use tracing_opentelemetry::get_otel_context;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// JSON lines with `trace_id` and `span_id` in front, where there is a span. Asked when a line is written, which is seldom;
/// fields of the span itself would cost every request.
pub(super) struct WithTrace<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for WithTrace<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let Some(trace) = context.lookup_current().and_then(|span| trace_of(&span.id())) else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        match line.strip_prefix('{') {
            Some(rest) => write!(writer, "{{\"trace_id\":\"{}\",\"span_id\":\"{}\",{rest}", trace.trace_id(), trace.span_id()),
            None => writer.write_str(&line),
        }
    }
}

fn trace_of(span: &span::Id) -> Option<SpanContext> {
    let context = dispatcher::get_default(|dispatch| get_otel_context(span, dispatch))?;
    let found = context.span().span_context().clone();
    found.is_valid().then_some(found)
}
