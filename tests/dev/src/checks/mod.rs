//! The named steps of `cargo dev test`, and running one of them so that it is never silent.

pub mod alerts;
pub mod deny;
pub mod manifests;
pub mod proto;
pub mod python;
pub mod relay;
pub mod report;
pub mod walks;
