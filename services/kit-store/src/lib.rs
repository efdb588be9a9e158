//! `steward-kit-store`: the mechanisms that keep promises across crashes. Postgres holds the truth, Redis wakes us up.
//!
//! | module | one sentence |
//! |---|---|
//! | [`config`], [`db`], [`redis_link`] | the pool of a service's schema, and its connection to Redis |
//! | [`error`] | what went wrong below, in the words of the one error table |
//! | [`migrate`] | the tables of the mechanisms and of the service, in one history |
//! | [`effects`] | claim, timers and events, written in the statement that changes the business row |
//! | [`idempotency`] | the answer that a repeated request gets |
//! | [`outbox`] | published facts, in order per subject |
//! | [`inbox`] | facts of others, applied once |
//! | [`timers`] | promises with a date, fired once and on time |
//! | [`policy`], [`estates`], [`calendars`], [`epoch`] | what is kept in memory, and how a write proves that it was true |
//! | [`predicate`] | conditions as parameterised SQL |
//! | [`partitions`], [`housekeeping`] | months made ahead, and what is forgotten |
//! | [`numbers`] | numbers that people say on the phone |
//! | [`rekey`] | sealed values brought under the current key after a rotation |
//! | [`waiting`] | what waits and how long, as numbers on the metrics page |
//! | [`rollups`] | figures counted before, and counted again when they are not true any more |
//! | [`jobs`] | background work that starts and stops with the process |
//! | `silence` | connections that fell silent are given up |
//!
//! Every table lives in the service's own schema; SQL is built once from the schema's name. Business time is always an
//! argument, never `now()` in SQL.

pub mod calendars;
pub mod config;
pub mod db;
pub mod effects;
pub mod epoch;
pub mod error;
pub mod estates;
pub mod housekeeping;
pub mod idempotency;
pub mod inbox;
pub mod jobs;
mod metrics;
pub mod migrate;
pub mod numbers;
mod outage;
pub mod outbox;
pub mod partitions;
pub mod policy;
pub mod predicate;
pub mod redis_link;
pub mod rekey;
pub mod rollups;
mod shard;
mod silence;
pub mod timers;
pub mod waiting;

pub use config::{ServiceGroups, StoreConfig};
pub use db::Db;
pub use effects::{Claim, Effects, NewEvent, TimerChange};
pub use error::{StoreResult, constraint, store_error};
pub use jobs::JobSet;
