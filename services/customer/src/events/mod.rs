//! Facts: those that leave, and those that arrive.

mod consume;
pub(crate) mod publish;
mod titles;

pub(crate) use consume::Timeline;
