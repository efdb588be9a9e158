//! The service as its callers see it: real gRPC on a local port, real Postgres and Redis, a clock that stands still until the test moves
//! it, and a customer service that evaluates predicates by the same code as the real one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod households;
mod metrics;
mod obligations;
mod planning;
mod programmes;
mod query_plans;
mod relationships;
mod repetition;
mod touchpoints;
mod visits;
mod words;
mod world;
