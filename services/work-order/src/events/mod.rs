//! Facts: those that leave, and those of other services that arrive.

mod asked_orders;
mod consume;
mod publish;

pub(crate) use asked_orders::AskedOrders;
pub(crate) use consume::CustomerEvents;
pub(crate) use publish::{
    AUTO_CLOSE, CALLBACK_FORM, CLOCK_STEP, DISPATCH, DISSENT, DRAW_SPOT_CHECKS, ESTATE_DAY, FOLLOW_LEAD, JUDGE_MAJOR, MAJOR_WINDOW,
    PAUSE_OVER, SPOT_CHECK_DUE, clock_of_key, effects_of,
};
