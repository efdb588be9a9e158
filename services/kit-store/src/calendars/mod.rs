//! The official years and the working hours: those that ship with the product, and those that operators loaded since.
//!
//! Next year's notice comes out in November; an operator loads it once, at work-order, and every service hears of it by an
//! event that carries the whole document ([`CalendarStore::hear`]). Every deadline computed from then on knows it, without a
//! release. A loaded year takes the place of the shipped one.

mod facts;
mod hours;
mod years;

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::{Row, SqlStr};
use steward_kit::Result;
use steward_kit::calendar::{Calendars, HolidayYear, RegionKey, WorkingHours};
use steward_kit::error::Error;

use crate::db::Db;
use crate::epoch::{self, Cached, Loaded};
use crate::error::StoreResult;
use crate::estates::Estate;
use crate::policy::PolicyScope;
use crate::rollups::hash;

pub use facts::{hours_message, read_hours};
pub use hours::{HoursVersion, NewHours};
pub use years::LoadedYear;

/// The service whose operators load calendars; the others hear of them from it.
pub const SOURCE: &str = "work_order";

/// The name of the consumer that hears of calendars.
pub const CONSUMER: &str = "calendars";

/// The calendars, and the epoch they were true at (for the guard of a write, see [`crate::policy`]).
#[derive(Debug, Clone)]
pub struct CurrentCalendars {
    /// The policy epoch.
    pub epoch: i64,
    /// Shipped and loaded years, and working hours.
    pub calendars: Calendars,
    /// Hash of everything that is loaded, of every scope: what was computed with other calendars was computed with another one.
    pub content: [u8; 32],
}

/// The calendars of one service. Cheap to clone; clones share the memory.
#[derive(Debug, Clone)]
pub struct CalendarStore {
    db: Db,
    select: SqlStr,
    cached: Arc<Cached<Held>>,
}

/// What is kept in memory: calendars with the hours of everybody, and the hours of the narrower scopes.
#[derive(Debug, Default)]
struct Held {
    calendars: Calendars,
    /// By scope and name, the highest version.
    scoped: BTreeMap<(u8, Option<uuid::Uuid>), Vec<WorkingHours>>,
    content: [u8; 32],
}

impl CalendarStore {
    /// The calendars in `<schema>.calendar_years` and `<schema>.working_hours` over the shipped ones; loaded on first use.
    pub fn new(db: Db) -> Self {
        // The epoch is read in the same snapshot as the rows; empty tables still answer with it.
        let select = db.sql(
            "SELECT p.epoch, c.kind, c.scope_kind, c.scope_id, c.document FROM {schema}.policy_epoch p LEFT JOIN (
                 SELECT 'year' AS kind, NULL AS scope_kind, NULL::uuid AS scope_id, document FROM {schema}.calendar_years
                 UNION ALL
                 (SELECT DISTINCT ON (scope_kind, scope_id, name) 'hours', scope_kind, scope_id, document
                    FROM {schema}.working_hours ORDER BY scope_kind, scope_id, name, version DESC)) c ON true",
        );
        Self { db, select, cached: Arc::default() }
    }

    /// A snapshot to compute with, as the nation sees it.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn current(&self) -> Result<CurrentCalendars> {
        let loaded = self.held().await?;
        Ok(CurrentCalendars { epoch: loaded.epoch, calendars: loaded.value.calendars.clone(), content: loaded.value.content })
    }

    /// A snapshot as an estate sees it: the days of its region, and of working hours the most specific of each name.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn for_estate(&self, estate: &Estate) -> Result<CurrentCalendars> {
        let chain = [PolicyScope::Estate(estate.id), PolicyScope::Region(estate.region_id), PolicyScope::Group(estate.group_id)];
        let CurrentCalendars { epoch, calendars, content } = self.for_scopes(&chain).await?;
        let region: RegionKey = estate.region_id.to_string().parse().map_err(Error::internal)?;
        Ok(CurrentCalendars { epoch, calendars: calendars.for_region(Some(region)), content })
    }

    /// A snapshot with the working hours of these scopes, given most specific first, and those of everybody.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn for_scopes(&self, chain: &[PolicyScope]) -> Result<CurrentCalendars> {
        let loaded = self.held().await?;
        let mut calendars = loaded.value.calendars.clone();
        for hours in chain.iter().rev().filter_map(|scope| loaded.value.scoped.get(&key(*scope))).flatten() {
            calendars = calendars.with_hours(hours.clone());
        }
        Ok(CurrentCalendars { epoch: loaded.epoch, calendars, content: loaded.value.content })
    }

    /// Asks the database whether something was loaded meanwhile.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn refresh(&self) -> Result<()> {
        epoch::refresh(&self.db).await.map(drop)
    }

    async fn held(&self) -> Result<Arc<Loaded<Held>>> {
        self.cached.get("calendars", &self.db, self.read()).await
    }

    async fn read(&self) -> Result<Loaded<Held>> {
        let rows = sqlx::query(self.select.clone()).fetch_all(self.db.pool()).await.store()?;
        let mut loaded = Loaded { epoch: 0, value: Held { calendars: Calendars::shipped(), ..Held::default() } };
        for row in &rows {
            loaded.epoch = row.try_get("epoch").store()?;
            let Some(document) = row.try_get::<Option<&str>, _>("document").store()? else { continue };
            if row.try_get::<&str, _>("kind").store()? == "year" {
                loaded.value.calendars = loaded.value.calendars.with_year(HolidayYear::parse(document).map_err(Error::internal)?);
                continue;
            }
            let scope = PolicyScope::read(row.try_get("scope_kind").store()?, row.try_get("scope_id").store()?)?;
            let hours: WorkingHours = serde_json::from_str(document).map_err(Error::internal)?;
            if scope == PolicyScope::Base {
                loaded.value.calendars = loaded.value.calendars.with_hours(hours);
            } else {
                loaded.value.scoped.entry(key(scope)).or_default().push(hours);
            }
        }
        let held = &mut loaded.value;
        held.content = hash(format!("{:?}{:?}", held.calendars, held.scoped).as_bytes());
        Ok(loaded)
    }
}

fn key(scope: PolicyScope) -> (u8, Option<uuid::Uuid>) {
    (scope.rank(), scope.id())
}
