//! The launcher behind `cargo dev …`, and the pieces of it that the test harness uses too: finding the machine's Postgres and Redis,
//! running private instances of them, and keeping track of processes.
//!
//! Standard library only, so that it builds in seconds on a bare machine; whatever needs the workspace's own crates is in
//! `steward-harness`, whose binary `steward-stack` the launcher builds and hands over to.

pub mod checks;
pub mod commands;
pub mod machine;
pub mod problem;
pub mod process;
pub mod rows;
pub mod say;
pub mod servers;
pub mod shutdown;
pub mod workspace;

pub use problem::{Problem, Result};
pub use workspace::Workspace;
