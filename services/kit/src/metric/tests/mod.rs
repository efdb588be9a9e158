//! Tests that are about more than one formula.

mod catalogue;
mod definitions;
mod matrix;
