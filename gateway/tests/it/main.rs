//! What ships with the gateway.
#![allow(clippy::unwrap_used, reason = "a test that cannot get what it asked for has failed")]
#![allow(clippy::wildcard_enum_match_arm, reason = "values of reflection are not ours and grow")]

mod plans;
