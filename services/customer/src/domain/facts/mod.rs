//! Facts of households (M5): derived from the register, one row a member, so that a predicate asks one table.
//!
//! | file | one idea |
//! |---|---|
//! | `source` | what a household's facts are derived from |
//! | `row` | the row, its columns, and which column keeps which field of the catalogue |
//! | `derive` | from the one to the other |
//! | `journey` | kind, stage and node of a customer, from dates (CP-08 to CP-10) |

mod derive;
mod journey;
mod row;
mod source;

pub use derive::derive;
pub use journey::{Dates, customer_kind, journey_node, journey_stage};
pub use row::{FactRow, NOBODY, RowFacts, TagRule, changed_fields, column, service_key};
pub use source::{HouseholdSource, MemberSource, RenovationSource, UnitSource, UsageSource};
