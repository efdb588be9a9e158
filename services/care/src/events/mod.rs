//! Facts out and in.

pub(crate) mod community;
pub(crate) mod consume;
pub(crate) mod publish;
