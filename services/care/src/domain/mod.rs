//! The rules, pure: no `async`, no SQL, no messages of the contract; time is an argument.

pub mod annual_plan;
pub mod base;
pub mod batch;
pub mod codes;
pub mod draw;
pub mod figures;
pub mod forum;
pub mod ids;
pub mod lift;
pub mod obligation;
pub mod occurrence;
pub mod programme;
pub mod round;
pub mod terms;
pub mod touchpoint;
pub mod visit;
