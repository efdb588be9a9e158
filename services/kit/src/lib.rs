//! `steward-kit`: what every service of the suite shares and no service owns. No database.
//!
//! | module | one sentence |
//! |---|---|
//! | [`clock`] | the only place that asks the time; it can be frozen and moved |
//! | [`ids`] | typed UUIDv7 identifiers |
//! | [`code`] | closed sets of words: a text in the database, a number in the contract |
//! | [`error`] | the one table of refusals, and the only place a `tonic::Status` is made |
//! | [`auth`] | who calls, what they may do, and which rows they may see |
//! | [`idempotency`] | what makes two requests the same request |
//! | [`calendar`] | business time: working days, limits, pauses, holidays as data |
//! | [`predicate`] | the one condition language: checked, evaluated with reasons |
//! | [`metric`] | the formulas of the figures, exact, and how a plan defines one |
//! | [`paging`] | page sizes and sealed page tokens |
//! | [`crypto`] | field encryption, per-person keys, blind indexes |
//! | [`pii`] | personal data that cannot be printed; masking; the +86 phone normaliser |
//! | [`plan`] | service plans: kinds of documents, their owners, reading them from YAML |
//! | [`proto`] | conversions between protobuf's and our time types |
//! | [`config`] | flags and environment, all faults reported at once |
//! | [`telemetry`] | logs, traces, metrics, trace context |
//! | [`process`] | what every `main` does |
//! | [`server`], [`client`] | the gRPC stack, both ways; certificates are `tls` |
//! | [`request_context`] | the id of the request being served |
//!
//! Each mechanism has a page in `docs/`; `README.md` is the map.

#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::type_complexity, reason = "tests spawn, and know what time it is"))]

extern crate self as steward_kit;

pub mod auth;
pub mod calendar;
pub mod client;
pub mod clock;
pub mod code;
pub mod config;
pub mod crypto;
pub mod error;
pub mod idempotency;
pub mod ids;
pub mod metric;
pub mod paging;
pub mod pii;
pub mod plan;
pub mod predicate;
pub mod process;
pub mod proto;
pub mod request_context;
pub mod server;
pub mod telemetry;
mod tls;

#[cfg(test)]
mod captured_log;

pub use error::{Error, Result};

/// The allocator of every program of the suite.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
