//! The service as its callers see it: real gRPC on a local port, real Postgres and Redis, a clock that stands still until
//! the test moves it. The peers that it asks answer by their contract.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod anonymous;
mod closing;
mod content;
mod feedback;
mod frames;
mod improvement;
mod metric_scale;
mod metrics;
mod mystery;
mod occasions;
mod paper;
mod peers;
mod query_plans;
mod questionnaires;
mod quotas;
mod rekey;
mod reminders;
mod repetition;
mod reports;
mod responses;
mod results;
mod rollups;
mod sessions;
mod steps;
mod targets;
mod trips;
mod waves;
mod words;
mod world;
