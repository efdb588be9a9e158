//! The fault suite's own proofs, and what of it is quick enough for every run.
#![allow(clippy::unwrap_used, reason = "a test that cannot get what it asked for has failed")]

mod checker;
mod garbage;
mod parsers;
