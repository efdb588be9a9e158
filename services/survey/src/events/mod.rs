//! Facts: those that leave, and those of other services that arrive.

mod consume;
pub(crate) mod publish;

pub(crate) use consume::{CareEvents, DeliveryEvents, DirectoryEvents};
