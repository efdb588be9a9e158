//! The developer answers for the parts of a new unit, each for its own time from the handover (WO-50). What follows for a case is read
//! off the order and the unit's date: it is stored nowhere, so that a corrected date corrects it.

use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::case::{CaseFilter, Liability};
use super::work_order::WorkOrder;

/// For how long a part is under warranty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarrantyRule {
    /// The orders.
    pub applies_to: CaseFilter,
    /// How long.
    pub period: WarrantyPeriod,
    /// Who is liable as long as it lasts.
    pub within: Liability,
    /// Who is liable afterwards.
    pub after: Option<Liability>,
}

/// How long a warranty lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarrantyPeriod {
    /// Months.
    Months(u32),
    /// Seasons that begin on or after the handover.
    Seasons {
        /// How many.
        count: u32,
        /// Month and day of the first day of one.
        from: (i8, i8),
        /// Month and day of the last day.
        to: (i8, i8),
    },
}

impl WarrantyPeriod {
    /// The last day of a warranty that begins on a day; `None` outside the range of dates.
    pub fn last_day(self, delivered: Date) -> Option<Date> {
        match self {
            Self::Months(months) => {
                let end = delivered.checked_add(Span::new().try_months(i64::from(months)).ok()?).ok()?;
                end.yesterday().ok()
            }
            Self::Seasons { count, from, to } => {
                let begins = |year: i16| Date::new(year, from.0, from.1).ok();
                let is_over = begins(delivered.year())? < delivered;
                let first = delivered.year().checked_add(i16::from(is_over))?;
                let last = first.checked_add(i16::try_from(count.checked_sub(1)?).ok()?)?;
                Date::new(last.checked_add(i16::from(to < from))?, to.0, to.1).ok()
            }
        }
    }
}

/// What an order is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarrantyTerms {
    /// How long.
    pub period: WarrantyPeriod,
    /// Who is liable as long as it lasts.
    pub within: Liability,
    /// Who is liable afterwards.
    pub after: Option<Liability>,
    /// The local day on which the matter happened.
    pub happened_on: Date,
}

/// What the warranty says of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Whose matter it would be.
    pub liability: Option<Liability>,
    /// Last day of the warranty.
    pub last_day: Date,
}

impl WorkOrder {
    /// What the warranty of the unit suggests; `None` for common parts, parts without a warranty and units not handed over.
    pub fn warranty(&self) -> Option<Suggestion> {
        let (terms, delivered) = (self.terms.warranty.as_ref()?, self.delivery_date?);
        let last_day = terms.period.last_day(delivered)?;
        let liability = if terms.happened_on <= last_day { Some(terms.within) } else { terms.after };
        Some(Suggestion { liability, last_day })
    }
}
