//! The whole suite in one test process: every service and the gateway on ports of their own, a private database and
//! Redis, and one clock that the test moves.

mod certificates;
mod house;
mod rooms;

pub use house::{House, Room};
pub use rooms::rooms_of;
