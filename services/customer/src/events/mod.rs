//! Facts: those that leave, and those that arrive.

mod complaints;
mod consume;
pub(crate) mod publish;
mod subscriptions;
mod titles;

pub(crate) use complaints::HouseholdFacts;
pub(crate) use consume::Timeline;
pub(crate) use subscriptions::Subscriptions;
