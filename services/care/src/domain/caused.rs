//! A case that names what care did as its cause (WO-67).

use jiff::Timestamp;
use steward_kit::ids::{CustomerId, EstateId, UnitId, WorkOrderId};
use steward_kit::metric::{Entry, Standing};

use super::ids::TouchpointId;

/// What a case says that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// One touchpoint.
    Touchpoint(TouchpointId),
    /// A campaign as a whole: code of its programme.
    Campaign(String),
}

/// A case, as far as care has to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CausedCase {
    /// The order.
    pub id: WorkOrderId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Who reported it.
    pub customer_id: Option<CustomerId>,
    /// The home that it is about.
    pub unit_id: Option<UnitId>,
    /// What it says that care did.
    pub cause: Cause,
    /// Code of its kind, such as `complaint`.
    pub kind: String,
    /// How it stands to figures.
    pub standing: Standing,
    /// When it happened, or became what it is now.
    pub case_time: Timestamp,
}

/// The standings with which somebody has complained: of a merged duplicate the case does not count, and whoever reported it does.
pub fn complaining_standings() -> Vec<String> {
    let complains = |standing: &Standing| match standing.in_complaint_rate() {
        Entry::Counts | Entry::HouseholdOnly => true,
        Entry::Listed | Entry::Out => false,
    };
    Standing::ALL.into_iter().filter(complains).map(|standing| standing.as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-05c, §10.1: invalid and out of scope are out, withdrawn stays in, a duplicate's reporter counts.
    #[test]
    fn dissatisfaction_that_was_voiced_counts() {
        assert_eq!(complaining_standings(), ["valid", "duplicate", "withdrawn", "transferred"]);
    }
}
