//! A calendar was loaded: clocks that count by it are computed anew, a batch at a time (XC-20). Each batch is the transaction
//! of a timer, which sets the timer of the next: it goes on after a crash where it stood.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::calendar::RegionKey;
use steward_kit::ids::WorkOrderId;
use steward_kit_store::estates::Estate;
use steward_kit_store::policy::PolicyScope;
use steward_kit_store::{Effects, TimerChange};
use uuid::Uuid;

use super::App;
use crate::domain::{CalendarLoaded, calendar_loaded};
use crate::store::{list_counting, lock_work_orders};

/// Kind of the timer that recomputes clocks, a batch at a time. Its key is a [`Progress`].
pub(crate) const RECOMPUTE_CLOCKS: &str = "recompute_clocks";

/// Orders of one transaction.
const BATCH: i64 = 50;

/// What was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recomputed {
    /// An official year, of a region if one is given.
    Year { year: i16, region: Option<RegionKey> },
    /// Working hours.
    Hours { name: String, scope: PolicyScope },
}

/// Where a recomputation stands: what it is for, and the last order that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    what: Recomputed,
    after: Option<(Uuid, Uuid)>,
}

impl Progress {
    /// Before the first order.
    pub(super) fn of(what: Recomputed) -> Self {
        Self { what, after: None }
    }

    /// As a timer's key: `year/<year>/<region>/<estate>/<order>` or `hours/<name>/<scope>/<estate>/<order>`.
    pub(crate) fn key(&self) -> String {
        let (estate, order) = self.after.map(|(estate, order)| (estate.to_string(), order.to_string())).unwrap_or_default();
        match &self.what {
            Recomputed::Year { year, region } => {
                format!("year/{year}/{}/{estate}/{order}", region.as_ref().map(RegionKey::as_str).unwrap_or_default())
            }
            Recomputed::Hours { name, scope } => format!("hours/{name}/{}/{estate}/{order}", scope_text(*scope)),
        }
    }

    /// Out of a timer's key.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let mut parts = key.split('/');
        let (kind, name, within, estate, order) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let what = match kind {
            "year" => {
                let region = if within.is_empty() { None } else { Some(within.parse().ok()?) };
                Recomputed::Year { year: name.parse().ok()?, region }
            }
            "hours" => Recomputed::Hours { name: name.to_owned(), scope: scope_of_text(within)? },
            _ => return None,
        };
        let after = if estate.is_empty() { None } else { Some((estate.parse().ok()?, order.parse().ok()?)) };
        Some(Self { what, after })
    }
}

impl Recomputed {
    /// Whether an estate goes by it.
    fn binds(&self, estate: &Estate) -> bool {
        match self {
            Self::Year { region: None, .. } | Self::Hours { scope: PolicyScope::Base, .. } => true,
            Self::Year { region: Some(region), .. } => estate.region_id.to_string() == region.as_str(),
            Self::Hours { scope: PolicyScope::Group(group), .. } => estate.group_id == *group,
            Self::Hours { scope: PolicyScope::Region(region), .. } => estate.region_id == *region,
            Self::Hours { scope: PolicyScope::Estate(id), .. } => estate.id == *id,
        }
    }
}

impl App {
    /// Recomputes the next batch. `subject` names the recomputation, for the timer of the batch after it.
    pub(crate) async fn recompute_clocks(&self, tx: &mut PgConnection, subject: Uuid, at: Progress, now: Timestamp) -> Result<Effects> {
        let scope = Scope::system("a calendar was loaded");
        // It may have been loaded by another replica a moment ago.
        self.rules.calendars.refresh().await?;
        let bound = self.rules.estates.all().await?;
        let bound: Vec<Uuid> = bound.iter().filter(|estate| at.what.binds(estate)).map(|estate| estate.id.as_uuid()).collect();
        let loaded = match &at.what {
            Recomputed::Year { year, .. } => CalendarLoaded::Year(*year),
            Recomputed::Hours { name, .. } => CalendarLoaded::Hours(name.clone()),
        };
        let batch = list_counting(&mut *tx, &scope, &loaded, &bound, at.after, BATCH).await?;
        let ids: Vec<Uuid> = batch.iter().map(|(_, order)| *order).collect();
        lock_work_orders(tx, &scope, &ids).await?;
        let orders: Vec<(WorkOrderId, ())> = ids.into_iter().map(|id| (id.into(), ())).collect();
        let mut effects = self.by_timers(tx, &orders, now, |order, (), ctx| calendar_loaded(order, &loaded, ctx, now)).await?;
        if let Some(last) = batch.last() {
            let next = Progress { after: Some(*last), ..at };
            effects.timers.push(TimerChange::set(RECOMPUTE_CLOCKS, subject, next.key(), None, now));
        }
        Ok(effects)
    }
}

fn scope_text(scope: PolicyScope) -> String {
    match scope {
        PolicyScope::Base => "base".to_owned(),
        PolicyScope::Group(id) => format!("group:{id}"),
        PolicyScope::Region(id) => format!("region:{id}"),
        PolicyScope::Estate(id) => format!("estate:{id}"),
    }
}

fn scope_of_text(text: &str) -> Option<PolicyScope> {
    let (kind, id) = text.split_once(':').unwrap_or((text, ""));
    let id = Uuid::try_parse(id);
    match kind {
        "base" => Some(PolicyScope::Base),
        "group" => Some(PolicyScope::Group(id.ok()?.into())),
        "region" => Some(PolicyScope::Region(id.ok()?.into())),
        "estate" => Some(PolicyScope::Estate(id.ok()?.into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_survives_in_a_key() {
        let region: RegionKey = Uuid::now_v7().to_string().parse().expect("an id is a region key");
        for what in [
            Recomputed::Year { year: 2027, region: None },
            Recomputed::Year { year: 2027, region: Some(region) },
            Recomputed::Hours { name: "business".to_owned(), scope: PolicyScope::Base },
            Recomputed::Hours { name: "business".to_owned(), scope: PolicyScope::Estate(Uuid::now_v7().into()) },
        ] {
            let begun = Progress::of(what);
            let going = Progress { after: Some((Uuid::now_v7(), Uuid::now_v7())), ..begun.clone() };
            assert_eq!((Progress::of_key(&begun.key()), Progress::of_key(&going.key())), (Some(begun), Some(going)));
        }
        assert_eq!(Progress::of_key("2027"), None);
    }
}
