//! Renovations, from declaration to end (CP-18).

use jiff::Timestamp;
use jiff::civil::Date;
use steward_kit::error::WrongState;
use steward_kit::ids::{EstateId, HouseholdId, UnitId};
use steward_kit::{Error, Result};

use super::ids::RenovationId;
use steward_kit::codes;

codes! {
    /// How far a renovation has come.
    RenovationState {
        /// Declared; work has not begun.
        Declared = "declared",
        /// Under way.
        Active = "active",
        /// Done.
        Finished = "finished",
        /// Given up before it began.
        Cancelled = "cancelled",
    }
}

/// A renovation of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renovation {
    /// Its id.
    pub id: RenovationId,
    /// The estate.
    pub estate_id: EstateId,
    /// The unit.
    pub unit_id: UnitId,
    /// The household.
    pub household_id: HouseholdId,
    /// How far it has come.
    pub state: RenovationState,
    /// First day as planned.
    pub planned_from_date: Date,
    /// Last day as planned.
    pub planned_to_date: Date,
    /// First day as it was.
    pub start_date: Option<Date>,
    /// Last day as it was.
    pub finish_date: Option<Date>,
    /// Who does the work.
    pub contractor: String,
    /// Number of the permit.
    pub permit: String,
    /// Rises with each change.
    pub row_version: i64,
    /// When it was declared.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

/// What may happen to a renovation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenovationStep {
    /// Work begins.
    Start,
    /// Work ends.
    Finish,
    /// It is given up before it began.
    Cancel,
}

impl Renovation {
    /// The renovation after a step on a local day.
    ///
    /// # Errors
    /// The state forbids the step; the work would end before it began.
    pub fn stepped(&self, step: RenovationStep, day: Date, now: Timestamp) -> Result<Self> {
        let next = Self { row_version: self.row_version + 1, update_time: now, ..self.clone() };
        match (self.state, step) {
            (RenovationState::Declared, RenovationStep::Start) => {
                Ok(Self { state: RenovationState::Active, start_date: Some(day), ..next })
            }
            (RenovationState::Declared, RenovationStep::Cancel) => Ok(Self { state: RenovationState::Cancelled, ..next }),
            (RenovationState::Active, RenovationStep::Finish) => {
                if self.start_date.is_some_and(|start| day < start) {
                    return Err(Error::invalid("finish_date", "RENOVATION_DATES_REVERSED", "must not be before the first day of work"));
                }
                Ok(Self { state: RenovationState::Finished, finish_date: Some(day), ..next })
            }
            (
                RenovationState::Declared | RenovationState::Active | RenovationState::Finished | RenovationState::Cancelled,
                RenovationStep::Start | RenovationStep::Finish | RenovationStep::Cancel,
            ) => Err(self.refused().into()),
        }
    }

    fn refused(&self) -> WrongState {
        let allowed: &[&str] = match self.state {
            RenovationState::Declared => &["StartRenovation", "CancelRenovation"],
            RenovationState::Active => &["FinishRenovation"],
            RenovationState::Finished | RenovationState::Cancelled => &[],
        };
        let state = self.state.as_str().to_uppercase();
        WrongState::new(
            "RENOVATION_STATE_FORBIDS",
            format!("renovation {}", self.id),
            state,
            allowed.to_vec(),
            "the renovation's state does not allow this",
        )
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// CP-18
    #[test]
    fn a_renovation_begins_once_and_ends_once() {
        let now = Timestamp::UNIX_EPOCH;
        let declared = Renovation {
            id: RenovationId::new(),
            estate_id: EstateId::new(),
            unit_id: UnitId::new(),
            household_id: HouseholdId::new(),
            state: RenovationState::Declared,
            planned_from_date: date(2026, 6, 1),
            planned_to_date: date(2026, 8, 31),
            start_date: None,
            finish_date: None,
            contractor: String::new(),
            permit: String::new(),
            row_version: 1,
            create_time: now,
            update_time: now,
        };
        let active = declared.stepped(RenovationStep::Start, date(2026, 6, 3), now).expect("begins");
        let finished = active.stepped(RenovationStep::Finish, date(2026, 6, 3), now).expect("ends");
        assert_eq!((finished.state, finished.row_version), (RenovationState::Finished, 3));
        assert!(active.stepped(RenovationStep::Finish, date(2026, 6, 2), now).is_err());
        let steps = [RenovationStep::Start, RenovationStep::Finish, RenovationStep::Cancel];
        let cancelled = declared.stepped(RenovationStep::Cancel, date(2026, 6, 1), now).expect("is given up");
        let allowed = |at: &Renovation| steps.map(|step| at.stepped(step, date(2026, 7, 1), now).is_ok());
        assert_eq!(allowed(&declared), [true, false, true]);
        assert_eq!(allowed(&active), [false, true, false]);
        assert_eq!((allowed(&finished), allowed(&cancelled)), ([false; 3], [false; 3]));
    }
}
