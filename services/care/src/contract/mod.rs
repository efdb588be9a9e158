//! The contract's messages and the domain's types, each as the other. Both sides name the same things; neither knows the other.

mod codes;
mod community_codes;
mod draft;
mod policy;
mod programme;

pub(crate) use draft::draft;
pub(crate) use policy::{local_time, terms};
pub(crate) use programme::{action, audience_of, condition, document, exclusions, predicate};
pub(crate) use steward_kit::code::{Code, all, optional, required};
