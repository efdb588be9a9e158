//! Predicates (M5): one typed condition language for segments, tags, frames, audiences, exclusions and routing.
//!
//! ```text
//! pb::Predicate ──Compiled::of──> Compiled ──evaluate(facts, as_of)──────────> Finding: truth, reasons
//!      + Catalogue                   │
//!                                    └──kit_store::predicate::push(columns)──> parameterised SQL
//! ```
//!
//! A predicate is checked once, against a [`Catalogue`] of fields: whatever compiles can be evaluated, in memory and in
//! SQL, with the same result. A fact that is not recorded makes a comparison unknown, and unknown combines as in SQL
//! (Kleene); a predicate that ends unknown does not hold. Spans count back from the `as_of` date in days of the civil
//! calendar, so no holiday table is needed.
//!
//! ```
//! # use steward_kit::{error::Violations, predicate::{ask, Catalogue, Compiled, Fact}};
//! let wanted = ask::all([
//!     ask::equals("household.occupancy", ["occupied", "leased"]),
//!     ask::not(ask::is_true("household.has_major_complaint")),
//! ]);
//! let mut bad = Violations::new();
//! let compiled = Compiled::of(&wanted, Catalogue::household(), "audience", &mut bad).expect("it compiles");
//! let facts = |field: &str| match field {
//!     "household.occupancy" => Some(Fact::Code("leased".to_owned())),
//!     "household.has_major_complaint" => Some(Fact::Boolean(false)),
//!     _ => None,
//! };
//! assert!(compiled.evaluate(&facts, jiff::civil::date(2026, 6, 1)).holds());
//! ```
//!
//! Page: `docs/predicates.md`.

pub mod ask;
mod catalogue;
mod compile;
mod compiled;
mod evaluate;
mod fact;
mod household;
mod split;
mod values;

#[cfg(test)]
mod tests;

pub use catalogue::{Catalogue, Field};
pub use compile::{MAX_CONDITIONS, MAX_DEPTH};
pub use compiled::{Bound, Comparison, Compiled, Node, Operands, Test, days_back};
pub use evaluate::{Finding, Reason, Seen, Truth};
pub use fact::{Fact, FactType, Facts};
pub use household::{JOURNEY_NODES, JOURNEY_STAGES, SERVICE_WINDOWS};
pub use split::{Sides, split};
