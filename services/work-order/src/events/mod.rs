//! Facts: those that leave, and those of other services that arrive.

mod consume;
mod publish;

pub(crate) use consume::CustomerEvents;
pub(crate) use publish::{AUTO_CLOSE, CLOCK_STEP, clock_of_key, effects_of};
