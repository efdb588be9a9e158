//! Closed orders are looked at again by sample (WO-74): a share of each week's, which is the same whoever draws it.

use aws_lc_rs::digest::{Context, SHA256};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span as Days, Timestamp};
use steward_kit::Error;
use steward_kit::calendar::Span;
use steward_kit::codes;
use steward_kit::error::WrongState;
use steward_kit::ids::{EstateId, WorkOrderId};

use super::case::{Case, CaseFilter, Kind, Urgency};
use super::history::Hash;
use super::policy::{Coverage, Policies};

steward_kit::define_id!(SpotCheckId, "spot check");

codes! {
    /// Where a spot check stands.
    CheckState {
        /// Waits for somebody.
        Open = "open",
        /// The work is as it should be.
        Passed = "passed",
        /// It is not.
        Failed = "failed",
    }
}

/// The weekly sample of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotCheckRule {
    /// The orders that it is drawn from.
    pub applies_to: CaseFilter,
    /// How many of them, rounded up.
    pub share: Coverage,
    /// How long after the end of the week a check is due.
    pub due: Span,
    /// Who is told when it is overdue.
    pub notify_roles: Vec<String>,
}

/// An order that was closed in the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedOrder {
    /// Id.
    pub id: WorkOrderId,
    /// Number.
    pub number: String,
    /// Kind.
    pub kind: Kind,
    /// Category.
    pub category: String,
    /// Urgency.
    pub urgency: Urgency,
    /// Staff subjects who handled it.
    pub handlers: Vec<String>,
}

/// One order to be looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotCheck {
    /// Id.
    pub id: SpotCheckId,
    /// Estate.
    pub estate_id: EstateId,
    /// The Monday of the week that it was drawn for.
    pub week_start: Date,
    /// The order.
    pub order: WorkOrderId,
    /// Its number.
    pub number: String,
    /// Staff subjects who handled it.
    pub handlers: Vec<String>,
    /// Where it stands.
    pub state: CheckState,
    /// When it is due.
    pub due_time: Timestamp,
    /// It was not done by then.
    pub overdue: bool,
    /// Who is told when it is overdue.
    pub notify_roles: Vec<String>,
    /// What was found, as codes.
    pub finding_codes: Vec<String>,
    /// When it was recorded.
    pub record_time: Option<Timestamp>,
    /// Staff subject who checked.
    pub checker: Option<String>,
}

impl Policies {
    /// The weekly sample, of the first layer that has one.
    pub fn spot_check(&self) -> Option<&SpotCheckRule> {
        self.sla.iter().find_map(|layer| layer.document.quality.spot_check.as_ref())
    }
}

/// The sample of a week. Each order has a lot of its own from the estate, the week and its id; the smallest lots are drawn, so that
/// anybody who knows the week's orders can draw it again.
pub fn draw(estate: EstateId, week_start: Date, rule: &SpotCheckRule, closed: Vec<ClosedOrder>) -> Vec<ClosedOrder> {
    let of_rule = closed.into_iter().filter(|order| {
        rule.applies_to.matches(Case { kind: order.kind, category: &order.category, urgency: order.urgency, liability: None })
    });
    let mut lots: Vec<(Hash, ClosedOrder)> = of_rule.map(|order| (lot(estate, week_start, order.id), order)).collect();
    lots.sort_by_key(|(lot, order)| (*lot, order.id));
    lots.truncate(rule.share.of(lots.len()));
    lots.into_iter().map(|(_, order)| order).collect()
}

fn lot(estate: EstateId, week_start: Date, order: WorkOrderId) -> Hash {
    let mut digest = Context::new(&SHA256);
    digest.update(estate.as_uuid().as_bytes());
    digest.update(week_start.to_string().as_bytes());
    digest.update(order.as_uuid().as_bytes());
    let mut lot = Hash::default();
    lot.copy_from_slice(digest.finish().as_ref());
    lot
}

/// A week of an estate: its Monday, its first instant, and the first one after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week {
    /// The Monday.
    pub monday: Date,
    /// Its beginning.
    pub start: Timestamp,
    /// The beginning of the next.
    pub end: Timestamp,
}

impl Week {
    /// The week that an instant lies in; `None` at the ends of time.
    pub fn of(at: Timestamp, zone: &TimeZone) -> Option<Self> {
        let day = zone.to_datetime(at).date();
        let since_monday = i64::from(day.weekday().to_monday_zero_offset());
        let monday = day.checked_sub(Days::new().days(since_monday)).ok()?;
        let next = monday.checked_add(Days::new().days(7)).ok()?;
        let begins = |day: Date| Some(day.to_zoned(zone.clone()).ok()?.timestamp());
        Some(Self { monday, start: begins(monday)?, end: begins(next)? })
    }

    /// The week before one that begins at an instant.
    pub fn before(at: Timestamp, zone: &TimeZone) -> Option<Self> {
        Self::of(at.checked_sub(jiff::SignedDuration::from_secs(1)).ok()?, zone)
    }
}

/// Why a result is not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckRefusal {
    /// There is one already.
    Settled(SpotCheckId, CheckState),
    /// Whoever checks handled the order.
    Handler(SpotCheckId),
}

impl From<CheckRefusal> for Error {
    fn from(refusal: CheckRefusal) -> Self {
        let none: [&str; 0] = [];
        Self::from(match refusal {
            CheckRefusal::Settled(id, state) => {
                WrongState::new("SPOT_CHECK_SETTLED", format!("spot check {id}"), state.as_str(), none, "the spot check has its result")
            }
            CheckRefusal::Handler(id) => WrongState::new(
                "CHECKED_BY_HANDLER",
                format!("spot check {id}"),
                CheckState::Open.as_str(),
                none,
                "who handled an order does not check it",
            ),
        })
    }
}

impl SpotCheck {
    /// The same with its result.
    ///
    /// # Errors
    /// `Settled`, `Handler`.
    pub fn recorded(&self, checker: &str, passed: bool, finding_codes: Vec<String>, now: Timestamp) -> Result<Self, CheckRefusal> {
        match self.state {
            CheckState::Open => {}
            CheckState::Passed | CheckState::Failed => return Err(CheckRefusal::Settled(self.id, self.state)),
        }
        if self.handlers.iter().any(|handler| handler == checker) {
            return Err(CheckRefusal::Handler(self.id));
        }
        let state = if passed { CheckState::Passed } else { CheckState::Failed };
        let (record_time, checker) = (Some(now), Some(checker.to_owned()));
        Ok(Self { state, finding_codes, record_time, checker, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(numerator: u32) -> SpotCheckRule {
        let share = Coverage { numerator, denominator: 100 };
        SpotCheckRule { applies_to: CaseFilter::default(), share, due: "7d".parse().expect("is a span"), notify_roles: Vec::new() }
    }

    fn closed(count: usize) -> Vec<ClosedOrder> {
        let order = |place| ClosedOrder {
            id: WorkOrderId::new(),
            number: format!("WO-2026-{place:06}"),
            kind: Kind::Repair,
            category: "plumbing".into(),
            urgency: Urgency::L2,
            handlers: Vec::new(),
        };
        (0..count).map(order).collect()
    }

    /// WO-74: 50 closed, 10 % are 5, the same ones in whatever order they come; another week draws others.
    #[test]
    fn ten_per_cent_of_fifty_are_five_and_always_the_same() {
        let (estate, week) = (EstateId::new(), Date::constant(2026, 3, 2));
        let orders = closed(50);
        let drawn = draw(estate, week, &rule(10), orders.clone());
        assert_eq!(drawn.len(), 5);
        let mut turned = orders.clone();
        turned.reverse();
        assert_eq!(draw(estate, week, &rule(10), turned), drawn);
        assert_ne!(draw(estate, Date::constant(2026, 3, 9), &rule(10), orders.clone()), drawn);
        assert_eq!(draw(estate, week, &rule(10), closed(1)).len(), 1, "rounded up");
        assert_eq!(draw(estate, week, &rule(0), orders), []);
    }

    #[test]
    fn a_week_is_local() {
        let zone = TimeZone::get("Asia/Shanghai").expect("is bundled");
        let at = |text: &str| text.parse::<Timestamp>().expect("is a time");
        let week = Week::of(at("2026-03-01T18:00:00Z"), &zone).expect("is one");
        assert_eq!(
            (week.monday, week.start, week.end),
            (Date::constant(2026, 3, 2), at("2026-03-01T16:00:00Z"), at("2026-03-08T16:00:00Z"))
        );
        assert_eq!(Week::before(week.end, &zone), Some(week));
    }
}
