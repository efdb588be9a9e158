//! Facts: those that leave, and those that arrive.

mod complaints;
mod consume;
pub(crate) mod publish;
mod titles;

pub(crate) use complaints::HouseholdFacts;
pub(crate) use consume::Timeline;
