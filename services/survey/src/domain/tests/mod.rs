//! The rules, tried out.

mod build;
mod checks;
mod draws;
mod figures;
mod judgements;
mod paths;
mod sums;
