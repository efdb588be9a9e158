//! The service as its callers see it: real gRPC on a local port, real Postgres and Redis, a clock that stands still until
//! the test moves it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod analysis;
mod asked_orders;
mod auto_close;
mod calendar_alert;
mod calendars;
mod callback_form;
mod caused_by;
mod clocks;
mod dispatch;
mod duplicates;
mod events;
mod field_work;
mod grab;
mod history;
mod lifecycle;
mod lists;
mod major;
mod metric_cases;
mod metric_edges;
mod metric_questions;
mod metric_scale;
mod metric_targets;
mod metric_vectors;
mod metrics;
mod order_jobs;
mod origins;
mod outlooks;
mod policies;
mod previews;
mod privacy;
mod quality;
mod query_plans;
mod recompute;
mod refusals;
mod reloaded_years;
mod repetition;
mod rollups;
mod roster;
mod rotation;
mod same_view;
mod trips;
mod warranty;
mod watch;
mod words;
mod working_hours;
mod world;
