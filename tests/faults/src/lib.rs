//! What the suite is worth when things break: faults under load, and the counts afterwards; and what it says to garbage.
//!
//! `cargo dev faults` runs all of it and prints one table. A run is a [`site::Site`] (processes with a link between any two), callers
//! who keep a [`journal::Journal`] of what they were told, a [`load::Load`] of residents' lives, and the [`checks`].

pub mod caller;
pub mod chance;
pub mod checks;
pub mod fault;
pub mod fuzz;
pub mod garbage;
pub mod ground;
pub mod journal;
pub mod load;
pub mod rest;
pub mod site;
pub mod storm;
pub mod suite;
pub mod table;
