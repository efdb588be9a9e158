//! Service plans (mechanism M3): the kinds of documents, who owns each, how their spans and predicates are checked, and how a plan is read
//! from YAML.
//!
//! A plan is data: an instance of `steward.plan.v1.ServicePlan`. Nothing here knows a number of any plan.

mod check;
mod kinds;
mod load;

pub use check::check_document;
pub use kinds::{KINDS, code_of, kind_of, owner_of};
pub use load::{PlanError, documents_of, read_plan};
