//! The suite as a whole, through its gateway: one file per journey.
#![allow(clippy::unwrap_used, reason = "a test that cannot get what it asked for has failed")]

mod doors;
mod json;
mod late_events;
mod main_job;
mod matrix;
mod observability;
mod partial;
mod plans;
mod quarter;
mod replay;
mod sealed;
mod secrets;
mod streams;
mod vectors;
mod watched;
mod whole_board;
