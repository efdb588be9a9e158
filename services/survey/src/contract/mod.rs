//! The contract's messages and the domain's types, value by value. Both sides name the same things; neither knows the other.

mod answers;
mod codes;
mod instrument;
mod policy;

pub(crate) use answers::{answers, read_answers};
pub(crate) use instrument::instrument;
pub(crate) use policy::{check_policy, terms_of};
pub(crate) use steward_kit::code::{Code, required};
