//! What other rules would make of an estate's orders. Reads a batch of orders at a time, one trip each, and writes nothing.

use std::sync::Arc;

use jiff::Timestamp;
use steward_kit::auth::Access;
use steward_kit::calendar::{HolidayYear, WorkingHours};
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::paging::{PageRequest, PageSize};
use steward_kit::{Error, Result};
use steward_proto::plan::v1::policy_document::Document;

use super::App;
use super::policy_documents::{callback, intake, sla};
use super::rules::{EstateRules, Read, ReadLayer};
use crate::domain::{
    CalendarLoaded, ClockDifference, Compared, State, Surroundings, WorkOrder, check_callback, check_intake, check_sla, under_calendar,
    under_policies,
};
use crate::store::{OrderKey, list_work_orders_of_estate};

/// The other rules.
#[derive(Debug)]
pub(crate) enum OtherRules {
    /// A policy, as if it were the estate's own.
    Policy(Box<Document>),
    /// A year of the calendar.
    Year(HolidayYear),
    /// Working hours.
    Hours(WorkingHours),
}

/// A preview under way.
#[derive(Debug)]
pub(crate) struct Preview {
    app: Arc<App>,
    access: Access,
    estate: EstateId,
    since: Timestamp,
    rules: EstateRules,
    loaded: Option<CalendarLoaded>,
    after: Option<OrderKey>,
    seen: Seen,
}

/// What was found so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) orders: u32,
    pub(crate) clocks: u32,
    pub(crate) moved: u32,
    pub(crate) newly_late: u32,
    pub(crate) no_longer_late: u32,
    pub(crate) added: u32,
    pub(crate) dropped: u32,
    pub(crate) skipped: u32,
    /// Some differences of the last batch, each with the order's id and number.
    pub(crate) samples: Vec<(String, String, ClockDifference)>,
    /// Everything was looked at.
    pub(crate) is_done: bool,
}

/// Orders of one answer.
const BATCH: i32 = 200;

/// Samples of one answer.
const SAMPLES: usize = 20;

impl App {
    /// Begins a preview. No trip; the rules are checked as they would be when they are added.
    pub(crate) async fn preview_rules(
        self: Arc<Self>,
        access: &Access,
        estate: EstateId,
        since: Timestamp,
        other: OtherRules,
    ) -> Result<Preview> {
        access.scope.estate(estate)?;
        let mut rules = self.rules.of(estate, self.clock.now()).await?;
        let loaded = match other {
            OtherRules::Policy(document) => {
                lay_over(&mut rules, &document)?;
                None
            }
            OtherRules::Year(year) => {
                let loaded = CalendarLoaded::Year(year.year());
                rules.change_calendars(|calendars| calendars.with_year(year));
                Some(loaded)
            }
            OtherRules::Hours(hours) => {
                let loaded = CalendarLoaded::Hours(hours.name().to_owned());
                rules.change_calendars(|calendars| calendars.with_hours(hours));
                Some(loaded)
            }
        };
        Ok(Preview { app: self, access: access.clone(), estate, since, rules, loaded, after: None, seen: Seen::default() })
    }
}

impl Preview {
    /// Looks at the next batch; `None` after the last one. One trip.
    pub(crate) async fn next(&mut self) -> Result<Option<&Seen>> {
        if self.seen.is_done {
            return Ok(None);
        }
        let page = PageRequest { size: PageSize::of(BATCH)?, after: self.after };
        let estate = self.access.scope.estate(self.estate)?;
        let (db, cipher) = (self.app.db.pool(), self.app.cipher());
        let mut orders = list_work_orders_of_estate(db, cipher, &self.access.scope, estate, State::ALL, &page).await?;
        let is_last = orders.len() < usize::try_from(page.size.limit()).map_err(Error::internal)?;
        let all = orders.len();
        orders.retain(|order| order.receive_time >= self.since);
        self.seen.is_done = is_last || orders.len() < all;
        self.after = orders.last().map(OrderKey::of);
        self.seen.samples.clear();
        let now = self.app.clock.now();
        for order in &orders {
            let compared = self.compared(order, now)?;
            self.seen.add(order, compared);
        }
        Ok(Some(&self.seen))
    }

    fn compared(&self, order: &WorkOrder, now: Timestamp) -> Result<Option<Compared>> {
        let ctx = self.rules.context();
        match &self.loaded {
            Some(loaded) => Ok(Some(under_calendar(order, loaded, &ctx, now)?)),
            None => Ok(under_policies(order, &ctx, now)?),
        }
    }
}

impl Seen {
    fn add(&mut self, order: &WorkOrder, compared: Option<Compared>) {
        self.orders += 1;
        let Some(compared) = compared else {
            self.skipped += 1;
            return;
        };
        self.clocks += compared.clock_count;
        for difference in compared.differences {
            match (&difference.before, &difference.after) {
                (None, _) => self.added += 1,
                (_, None) => self.dropped += 1,
                (Some(before), Some(after)) => self.moved += u32::from(before.due_time != after.due_time),
            }
            self.newly_late += u32::from(difference.is_newly_late());
            self.no_longer_late += u32::from(difference.is_no_longer_late());
            if self.samples.len() < SAMPLES {
                self.samples.push((order.id.to_string(), order.number.to_string(), difference));
            }
        }
    }
}

/// The document in the place of the estate's own of its kind, checked against the layers below.
fn lay_over(rules: &mut EstateRules, document: &Document) -> Result<()> {
    let mut bad = Violations::new();
    let place = format!("policy.{}", steward_kit::plan::code_of(steward_kit::plan::kind_of(document)));
    rules.drop_own(document);
    let ctx = rules.context();
    let around = Surroundings { below: ctx.policies, calendars: ctx.calendars };
    let read = match document {
        Document::Intake(policy) => intake(&mut bad, &place, policy).map(|policy| {
            check_intake(&mut bad, &place, &policy, around);
            Read::Intake(policy.into())
        }),
        Document::Sla(policy) => sla(&mut bad, &place, policy).map(|policy| {
            check_sla(&mut bad, &place, &policy, around);
            Read::Sla(policy.into())
        }),
        Document::Callback(policy) => callback(&mut bad, &place, policy).map(|policy| {
            check_callback(&mut bad, &place, &policy, around);
            Read::Callback(policy.into())
        }),
        Document::Survey(_) | Document::Care(_) | Document::Contact(_) | Document::Metrics(_) => {
            let owner = steward_kit::plan::owner_of(steward_kit::plan::kind_of(document));
            return Err(Error::invalid("policy", "POLICY_KIND_NOT_OWNED", format!("policies of this kind are owned by {owner}")));
        }
    };
    let read = bad.build(|| read)?;
    rules.lay_first(ReadLayer::proposed(read));
    Ok(())
}
