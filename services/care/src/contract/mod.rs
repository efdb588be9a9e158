//! The contract's messages and the domain's types, each as the other. Both sides name the same things; neither knows the other.

mod codes;
mod draft;
mod policy;
mod programme;

pub(crate) use codes::{Code, acting, actor, all, optional, required};
pub(crate) use draft::draft;
pub(crate) use policy::terms;
pub(crate) use programme::{action, audience_of, condition, document, exclusions, predicate};
