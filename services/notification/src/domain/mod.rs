//! The rules: what is sent to whom by which channel, when, and why not. No async, no SQL, no proto; `now` is an argument.

pub mod broadcast;
pub mod caps;
pub mod circumstances;
pub mod codes;
pub mod consent;
pub mod delivery;
pub mod figures;
pub mod ids;
pub mod inbox;
pub mod judge;
pub mod ledger;
pub mod message;
pub mod plan;
pub mod policy;
pub mod preference;
mod reach;
pub mod render;
pub mod routing;
pub mod sentences;
pub mod target;
pub mod template;
pub mod webhook;

#[cfg(test)]
mod tests;
