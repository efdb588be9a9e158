//! Logs, traces, metrics, and the thread that joins them.
//!
//! [`init`] is called once, first thing in `main`, before anything measures: a metric that is made earlier counts into
//! the void. Logs are JSON on standard output, one line an event, with the trace's id, and the request's id in its `span`.
//! Spans always exist, so that `traceparent` passes through every process, every event and every timer; they are sent to a
//! collector only if one is configured, and metrics with them. Metrics are also a page for Prometheus on a port of its own.
//!
//! No name, number, address or text of a message is ever a field: `Pii<T>` prints `***`, and a panic is reported by its
//! place, not by its text.

mod health;
mod init;
mod lines;
mod metrics;
mod page;
mod rpc;
mod trace_context;

pub use health::{cache_asked, depends_on, job_restarted};
pub(crate) use health::{dependency_failed, jwks_refreshed};
pub use init::{TelemetryGuard, init, init_to};
pub use metrics::{Counter, Gauge, Histogram, SECONDS, counter, gauge, histogram};
pub use page::serve_metrics;
pub use rpc::{Call, Transcoded};
pub(crate) use rpc::{Measured, Side, deadline, rpc_of};
pub use trace_context::{
    continue_trace, current_traceparent, inject, is_sampled, link_trace, parent_span, rename_span, sampled_traceparent,
};

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
