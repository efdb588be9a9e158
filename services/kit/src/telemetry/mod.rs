//! Logs, traces, metrics, and the thread that joins them.
//!
//! [`init`] is called once, first thing in `main`, before anything measures: a metric that is made earlier counts into
//! the void. Logs are JSON on standard output, one line an event, the request's id in its `span`. Spans always
//! exist, so that `traceparent` passes through every process and every event; they are sent to a collector only if one
//! is configured. Metrics are a page for Prometheus on a port of its own.
//!
//! No name, number, address or text of a message is ever a field: `Pii<T>` prints `***`, and a panic is reported by its
//! place, not by its text.

mod init;
mod metrics;
mod page;
mod trace_context;

pub use init::{TelemetryGuard, init};
pub use metrics::{Counter, Gauge, Histogram, SECONDS, counter, gauge, histogram};
pub use page::serve_metrics;
pub use trace_context::{continue_trace, current_traceparent, inject, parent_span};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Coloured, for people.
    Pretty,
}

#[cfg(test)]
mod tests;
