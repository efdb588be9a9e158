//! The harness against itself: what every other test relies on.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod databases;
mod hosts;
mod mails;
mod redis_servers;
