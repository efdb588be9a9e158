//! The mechanisms against real Postgres and Redis: what holds when all is well, and what holds when it is not.
//!
//! Every test can fail: each asserts that the fault it is about did happen before it asserts that nothing came of it.

#![allow(clippy::disallowed_methods, reason = "tests start and kill jobs as processes would be")]

mod caches;
mod calendars;
mod effects;
mod events;
mod events_faults;
mod housekeeping;
mod letters;
mod migrations;
mod predicates;
mod rekey;
mod rollups;
mod silence;
mod support;
mod timers;
mod timers_backlog;
mod timers_faults;
