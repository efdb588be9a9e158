//! The service as its callers see it: real gRPC on a local port, real Postgres and Redis, a clock that stands still until the test moves
//! it, and a customer service that evaluates predicates by the same code as the real one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod activities;
mod calendars;
mod campaigns;
mod care_fund;
mod clients;
mod community;
mod community_plans;
mod forums;
mod handover;
mod households;
mod metrics;
mod obligations;
mod planning;
mod programmes;
mod query_plans;
mod registrations;
mod relationships;
mod repetition;
mod residences;
mod rollups;
mod sealing;
mod service_packages;
mod serving;
mod situations;
mod stock;
mod terms;
mod touchpoints;
mod visiting;
mod visits;
mod words;
mod world;
mod yearly;
