//! Warranties of a policy document, as the domain reads them.

use jiff::civil::Date;
use steward_kit::calendar::Unit;
use steward_kit::error::Violations;
use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;

use super::policy_documents::{all, filter};
use crate::contract::{Code, required};
use crate::domain::{Liability, WarrantyPeriod, WarrantyRule};

/// Reason of what the declared rules cannot say.
const REASON: &str = "POLICY_INVALID";

/// A year with 28 days in February: a season does not begin on a day that most years lack.
const COMMON_YEAR: i16 = 2023;

pub(super) fn rules(bad: &mut Violations, at: &str, policy: &plan::SlaPolicy) -> Option<Vec<WarrantyRule>> {
    all(policy.warranty_rules.iter().enumerate().map(|(index, rule)| {
        let at = format!("{at}.warranty_rules[{index}]");
        let applies_to = filter(bad, &format!("{at}.applies_to"), rule.applies_to.as_ref());
        let within = required(bad, &format!("{at}.within"), rule.within);
        let period = period(bad, &at, rule);
        Some(WarrantyRule { applies_to: applies_to?, period: period?, within: within?, after: Liability::of_number(rule.after) })
    }))
}

fn period(bad: &mut Violations, at: &str, rule: &plan::WarrantyRule) -> Option<WarrantyPeriod> {
    match (&rule.period, &rule.seasons) {
        (Some(span), None) => months(bad, &format!("{at}.period"), span).map(WarrantyPeriod::Months),
        (None, Some(seasons)) => {
            let from = day(bad, &format!("{at}.seasons.from_day"), &seasons.from_day);
            let to = day(bad, &format!("{at}.seasons.to_day"), &seasons.to_day);
            Some(WarrantyPeriod::Seasons { count: seasons.count, from: from?, to: to? })
        }
        (Some(_), Some(_)) | (None, None) => {
            bad.add(at, REASON, "needs either `period` or `seasons`");
            None
        }
    }
}

/// Month and day of `MM-DD`.
fn day(bad: &mut Violations, field: &str, text: &str) -> Option<(i8, i8)> {
    let parts = text.split_once('-').filter(|_| text.len() == 5);
    let read = parts.and_then(|(month, day)| Date::new(COMMON_YEAR, month.parse().ok()?, day.parse().ok()?).ok());
    if read.is_none() {
        bad.add(field, REASON, "must be a day of every year, as `11-15`");
    }
    read.map(|date| (date.month(), date.day()))
}

/// Months of a span; refused in any other unit.
pub(super) fn months(bad: &mut Violations, field: &str, span: &common::Span) -> Option<u32> {
    let span = bad.span(field, span)?;
    let each = match span.unit() {
        Unit::Month => Some(1),
        Unit::Quarter => Some(3),
        Unit::HalfYear => Some(6),
        Unit::Year => Some(12),
        Unit::Second | Unit::Minute | Unit::Hour | Unit::WorkingDay | Unit::Day | Unit::Week => None,
    };
    let months = each.and_then(|each: u32| span.value().checked_mul(each));
    if months.is_none() {
        bad.add(field, REASON, "must be in months, quarters or years");
    }
    months
}
