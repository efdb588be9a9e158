//! Packages and menus of services (CA-61 to CA-64): what is in them, how often it comes, what is free and what is charged.

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use steward_kit::calendar::Span;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::base::Document;
use super::community_codes::PackagePeriod;
use super::ids::made_of;

/// Most dated tasks of a term: what one transaction writes.
const MOST_TASKS: usize = 400;

/// Something that a household may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Code.
    pub code: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// How often it is done without being asked for.
    pub every: Option<PackagePeriod>,
    /// How many times in each period.
    pub times: u32,
    /// Whose task it is.
    pub role: String,
    /// How long before it is booked.
    pub booking_lead: Option<Span>,
    /// What use is counted in; empty for use that is not counted.
    pub unit_code: String,
    /// Free in a month, in units.
    pub free_quantity: i64,
    /// What a started block above that costs, in cents.
    pub overage_price_cents: i64,
    /// Units of a block.
    pub overage_block: i64,
    /// What it costs by itself in a month, in cents.
    pub month_price_cents: i64,
    /// How long a parcel is kept before the household is told.
    pub keep_within: Option<Span>,
}

/// A package, or a menu.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Package {
    /// Code.
    pub code: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// What is in it.
    pub items: Vec<Item>,
    /// What it costs in a month, in cents.
    pub month_price_cents: i64,
    /// Months of a term.
    pub term_months: u32,
    /// Households choose items of it.
    pub is_a_la_carte: bool,
    /// Since when it is offered.
    pub offer_time: Timestamp,
}

impl Document for Package {
    type Fact = std::convert::Infallible;

    const NOUN: &'static str = "service package";

    fn state(&self) -> &'static str {
        "offered"
    }

    fn sort_time(&self) -> Timestamp {
        self.offer_time
    }

    fn unique_key(&self) -> Option<String> {
        Some(self.code.clone())
    }
}

/// The id of the package of a code: written by whoever is first, found by everybody.
pub fn package_id(estate: EstateId, code: &str) -> Uuid {
    made_of(&[b"service_package", estate.as_uuid().as_bytes(), code.as_bytes()])
}

/// A day on which an item is done, and the last day on which it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// From when.
    pub from: Date,
    /// Until when.
    pub to: Date,
}

impl Package {
    /// Notes what contradicts itself, or the policy's list of packages.
    pub fn check(&self, offered: &[String], bad: &mut Violations) {
        if !offered.is_empty() && !offered.contains(&self.code) && !self.is_a_la_carte {
            bad.add("code", "PACKAGE_INVALID", format!("the care policy offers {}", offered.join(", ")));
        }
        let mut codes = std::collections::BTreeSet::new();
        for (at, item) in self.items.iter().enumerate() {
            let mut wrong = |field: &str, description: &str| bad.add(format!("items[{at}].{field}"), "PACKAGE_INVALID", description);
            if !codes.insert(item.code.as_str()) {
                wrong("code", "another item of the package has this code");
            }
            if item.every.is_some() && item.role.is_empty() {
                wrong("role", "what is done without being asked for has a role whose task it is");
            }
            if item.every.is_some_and(|every| item.times > shortest(every)) {
                wrong("times", "must be at most once a day");
            }
            if item.unit_code.is_empty() && (item.free_quantity > 0 || item.overage_price_cents > 0) {
                wrong("unit_code", "what is free or charged is counted in a unit");
            }
        }
        if self.turns_in(self.term_months).is_none_or(|count| count > MOST_TASKS) {
            bad.add("term_months", "PACKAGE_INVALID", format!("what recurs must come at most {MOST_TASKS} times in a term"));
        }
    }

    /// How often what recurs comes in so many months, counted from a first of January.
    fn turns_in(&self, months: u32) -> Option<usize> {
        let from = jiff::civil::date(2024, 1, 1);
        let to = month_after(from, months).ok()?.yesterday().ok()?;
        let mut count = 0;
        for item in &self.items {
            count += item.turns(from, from, to).ok()?.len();
        }
        Some(count)
    }

    /// What a household gets that chooses `codes`: the whole of a package, the chosen of a menu, at their prices.
    pub fn chosen(&self, codes: &[String]) -> Result<(Vec<Item>, i64)> {
        if !self.is_a_la_carte {
            return if codes.is_empty() {
                Ok((self.items.clone(), self.month_price_cents))
            } else {
                Err(Error::invalid("item_codes", "PACKAGE_INVALID", "a package is had as a whole; items are chosen of a menu"))
            };
        }
        let mut bad = Violations::new();
        let mut chosen: Vec<Item> = Vec::new();
        for (at, code) in codes.iter().enumerate() {
            match self.items.iter().find(|item| item.code == *code) {
                Some(item) if !chosen.iter().any(|have| have.code == item.code) => chosen.push(item.clone()),
                Some(_) => bad.add(format!("item_codes[{at}]"), "PACKAGE_INVALID", "was chosen already"),
                None => bad.add(format!("item_codes[{at}]"), "PACKAGE_INVALID", "must be an item of the menu"),
            }
        }
        if codes.is_empty() {
            bad.add("item_codes", "PACKAGE_INVALID", "choose at least one item of the menu");
        }
        bad.finish()?;
        let price = chosen.iter().map(|item| item.month_price_cents).sum();
        Ok((chosen, price))
    }
}

impl Item {
    /// Whether its use is counted.
    pub fn is_counted(&self) -> bool {
        !self.unit_code.is_empty()
    }

    /// What so many units above what is free cost, in cents: each started block its price.
    pub fn charge(&self, units: i64) -> i64 {
        let block = self.overage_block.max(1);
        (units + block - 1).div_euclid(block) * self.overage_price_cents
    }

    /// When it is done from `from` to `to`, in periods that are counted from `start`: so many times in each, spread evenly.
    pub fn turns(&self, start: Date, from: Date, to: Date) -> Result<Vec<Turn>> {
        let mut turns = Vec::new();
        let Some(every) = self.every else { return Ok(turns) };
        let times = i64::from(self.times.max(1));
        for number in 0.. {
            let (first, next) = (period(start, every, number)?, period(start, every, number + 1)?);
            if first > to {
                break;
            }
            let days = i64::from((next - first).get_days());
            let day = |part: i64| first.checked_add((days * part / times).days()).map_err(Error::internal);
            for part in 0..times {
                let turn = Turn { from: day(part)?, to: day(part + 1)?.yesterday().map_err(Error::internal)? };
                if turn.from >= from && turn.from <= to {
                    turns.push(Turn { to: turn.to.max(turn.from), ..turn });
                }
            }
        }
        Ok(turns)
    }
}

/// The days of the shortest of such periods.
const fn shortest(every: PackagePeriod) -> u32 {
    match every {
        PackagePeriod::Week => 7,
        PackagePeriod::Month => 28,
        PackagePeriod::Quarter => 89,
        PackagePeriod::HalfYear => 181,
        PackagePeriod::Year => 365,
    }
}

/// The first day of a period, counted from the first one. A month's day that a later month does not have is its last.
fn period(start: Date, every: PackagePeriod, number: u32) -> Result<Date> {
    let months = match every {
        PackagePeriod::Week => return start.checked_add(i64::from(number).weeks()).map_err(Error::internal),
        PackagePeriod::Month => 1,
        PackagePeriod::Quarter => 3,
        PackagePeriod::HalfYear => 6,
        PackagePeriod::Year => 12,
    };
    month_after(start, months * number)
}

/// So many months later.
pub fn month_after(start: Date, months: u32) -> Result<Date> {
    start.checked_add(i64::from(months).months()).map_err(Error::internal)
}

#[cfg(test)]
#[path = "tests/service_package.rs"]
mod tests;
