//! Tests that are about more than one formula.

mod asked;
mod catalogue;
mod definitions;
mod matrix;
