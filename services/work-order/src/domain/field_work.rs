//! Work on site: what was agreed with the customer before, and what was confirmed at the door. Data; the verbs are one file each.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::Actor;
use super::policy::PriceItem;

/// What an order knows of its work on site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldWork {
    /// Appointments of every cycle, oldest first: a new one takes the place of the one before (WO-46).
    pub appointments: Vec<Appointment>,
    /// Starts of the work, one per cycle at most (WO-47).
    pub starts: Vec<WorkStart>,
    /// Quotes of every cycle, oldest first (WO-49).
    pub quotes: Vec<Quote>,
    /// Staff subject who asked for the last suspension (WO-43).
    pub suspension_asked_by: Option<String>,
}

/// A visit agreed with the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// Cycle of the order.
    pub cycle: u32,
    /// From when the customer expects somebody.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// When it was agreed.
    pub at: Timestamp,
    /// Who agreed it.
    pub actor: Actor,
    /// The customer was called and apologised to.
    pub apology_call: bool,
    /// Agreed before the start of the one whose place it takes.
    pub told_in_time: bool,
}

/// The work on site began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkStart {
    /// Cycle of the order.
    pub cycle: u32,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// Points of the checklist that were confirmed.
    pub checked: Vec<String>,
}

/// What the customer was told the work would cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Cycle of the order.
    pub cycle: u32,
    /// What it is made of.
    pub lines: Vec<QuoteLine>,
    /// When it was given.
    pub at: Timestamp,
    /// Who gave it.
    pub actor: Actor,
    /// When the customer agreed, and who says so.
    pub confirmed: Option<(Timestamp, Actor)>,
}

/// One line of a quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteLine {
    /// The item as the price list has it.
    pub item: PriceItem,
    /// How many of its units.
    pub quantity: u32,
}

impl Quote {
    /// The sum, in fen.
    pub fn total_fen(&self) -> i64 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.item.unit_price_fen.saturating_mul(i64::from(line.quantity))))
    }
}

impl FieldWork {
    /// The appointment that holds in a cycle.
    pub fn appointment(&self, cycle: u32) -> Option<&Appointment> {
        self.appointments.iter().rfind(|made| made.cycle == cycle)
    }

    /// The start of the work in a cycle.
    pub fn start(&self, cycle: u32) -> Option<&WorkStart> {
        self.starts.iter().rfind(|start| start.cycle == cycle)
    }

    /// The quote that holds in a cycle.
    pub fn quote(&self, cycle: u32) -> Option<&Quote> {
        self.quotes.iter().rfind(|quote| quote.cycle == cycle)
    }
}
