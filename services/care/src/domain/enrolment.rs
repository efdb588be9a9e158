//! A household that has a package (CA-61 to CA-64): its terms, the tasks that are planned in each, and its end.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use steward_kit::ids::{CustomerId, HouseholdId, UnitId};
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::base::{Change, Document, Promise, Stored, TimerKind, forbids};
use super::community_codes::EnrolmentState as State;
use super::ids::made_of;
use super::service_package::{Item, Turn, month_after};
use super::terms::Rules;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enrolment {
    /// The package.
    pub package_id: Uuid,
    /// Its code.
    pub package_code: String,
    /// The household.
    pub household_id: HouseholdId,
    /// Its unit.
    pub unit_id: UnitId,
    /// Whom to tell.
    pub customer_id: Option<CustomerId>,
    /// What it has, as it was when it began.
    pub items: Vec<Item>,
    /// What it costs in a month, in cents.
    pub month_price_cents: i64,
    /// Months of a term.
    pub term_months: u32,
    /// Where it stands.
    pub state: State,
    /// First day.
    pub start_date: Date,
    /// Last day.
    pub end_date: Option<Date>,
    /// Last day of the present term.
    pub term_end_date: Date,
    /// Tasks of the present term.
    pub tasks: Vec<Task>,
    /// When it was made.
    pub enrol_time: Timestamp,
}

/// A task of an item: a touchpoint of the household.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The touchpoint.
    pub touchpoint_id: Uuid,
    /// The item.
    pub item_code: String,
    /// From when it may be done.
    pub from_date: Date,
    /// Until when.
    pub to_date: Date,
}

/// What is told of an enrolment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It began.
    Confirmed,
    /// It ends with its period.
    Cancelled,
}

impl Document for Enrolment {
    type Fact = Fact;

    const NOUN: &'static str = "enrolment";

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn sort_time(&self) -> Timestamp {
        self.enrol_time
    }

    fn unique_key(&self) -> Option<String> {
        match self.state {
            State::Active | State::Ending => Some(format!("{}/{}", self.household_id, self.package_id)),
            State::Ended => None,
        }
    }
}

impl Enrolment {
    /// Plans the term that begins on `from`: its last day, and a task for each time that an item comes.
    pub fn plan_term(mut self, id: Uuid, from: Date, rules: &Rules) -> Result<Change<Self>> {
        let term = month_after(from, self.term_months)?.yesterday().map_err(Error::internal)?;
        self.term_end_date = term;
        let last = self.end_date.map_or(term, |end| end.min(term));
        let mut tasks = Vec::new();
        for item in &self.items {
            tasks.extend(item.turns(self.start_date, from, last)?.into_iter().map(|turn| task(id, &item.code, turn)));
        }
        self.tasks = tasks;
        let ends = rules.end_of(last)?;
        Ok(Change::to(self).promise(Promise::set(TimerKind::EnrolmentTerm, ends)))
    }

    /// Its term, or the whole of it, is over.
    pub fn term_over(&self, id: Uuid, now: Timestamp, rules: &Rules) -> Result<Option<Change<Self>>> {
        match (self.state, self.end_date) {
            (State::Ended, _) => Ok(None),
            (State::Ending, Some(end)) if rules.end_of(end)? <= now => {
                Ok(Some(Change::to(Self { state: State::Ended, tasks: Vec::new(), ..self.clone() })))
            }
            (State::Active | State::Ending, _) => {
                if rules.end_of(self.term_end_date)? > now {
                    return Ok(None);
                }
                let from = self.term_end_date.tomorrow().map_err(Error::internal)?;
                self.clone().plan_term(id, from, rules).map(Some)
            }
        }
    }

    /// The item of a code.
    pub fn item(&self, code: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.code == code)
    }

    /// Whether a day is one of its own.
    pub fn covers(&self, day: Date) -> bool {
        day >= self.start_date && self.end_date.is_none_or(|end| day <= end)
    }
}

fn task(enrolment: Uuid, item: &str, turn: Turn) -> Task {
    let touchpoint_id = made_of(&[b"enrolment", enrolment.as_bytes(), item.as_bytes(), turn.from.to_string().as_bytes()]);
    Task { touchpoint_id, item_code: item.to_owned(), from_date: turn.from, to_date: turn.to }
}

/// It ends with the month that is paid: with the day before the next day of the month on which it began.
pub fn cancel(before: &Stored<Enrolment>, today: Date, rules: &Rules) -> Result<Change<Enrolment>> {
    let one = &before.value;
    if one.state != State::Active {
        return forbids::<Enrolment, _>("ENROLMENT_STATE_FORBIDS", before.id, one.state.as_str(), &[]);
    }
    let mut months = 1;
    while month_after(one.start_date, months)? <= today {
        months += 1;
    }
    let end = month_after(one.start_date, months)?.yesterday().map_err(Error::internal)?;
    let after = Enrolment { state: State::Ending, end_date: Some(end), ..one.clone() };
    let ends = rules.end_of(end.min(one.term_end_date))?;
    Ok(Change::to(after).tell(Fact::Cancelled).promise(Promise::set(TimerKind::EnrolmentTerm, ends)))
}
