//! The service as its callers see it: real gRPC on a local port, real Postgres, Redis, SMTP and HTTP, and a clock that
//! stands still until the test moves it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod broadcast_lanes;
mod broadcast_pages;
mod broadcast_report;
mod broadcasts;
mod consent;
mod crash;
mod erasure;
mod inbox;
mod ledger;
mod ledger_messages;
mod ledger_race;
mod mail;
mod metrics;
mod neighbours;
mod query_plans;
mod refusals;
mod replicas;
mod rollups;
mod routing;
mod rule_conditions;
mod templates;
mod webhooks;
mod words;
mod world;
