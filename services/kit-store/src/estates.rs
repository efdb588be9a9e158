//! The estates of the group, as a service knows them: a table fed by the customer service's events, and all of it in
//! memory. (The customer service keeps the same columns in a table of its own and raises the epoch itself.)

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use jiff_sqlx::ToSqlx;
use prost::Name;
use sqlx::{PgConnection, Row, SqlStr};
use steward_kit::error::Violations;
use steward_kit::ids::{EstateId, GroupId, RegionId};
use steward_kit::{Error, Result};
use steward_proto::customer::v1::{EstateRegistered, EstateUpdated};
use steward_proto::event::v1::Event;
use uuid::Uuid;

use crate::db::Db;
use crate::epoch::{self, Cached, Loaded};
use crate::error::StoreResult;
use crate::inbox::payload;

/// One estate and where it hangs in the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estate {
    /// Its id.
    pub id: EstateId,
    /// The group that runs it.
    pub group_id: GroupId,
    /// The region it belongs to.
    pub region_id: RegionId,
    /// Its name, for people.
    pub name: String,
    /// IANA name of the zone its business time is cut in.
    pub time_zone: String,
}

impl Estate {
    /// The zone itself.
    ///
    /// # Errors
    /// A name that the tz database does not know.
    pub fn zone(&self) -> Result<TimeZone> {
        TimeZone::get(&self.time_zone).map_err(Error::internal)
    }
}

type Estates = HashMap<EstateId, Arc<Estate>>;

/// The directory. Cheap to clone; clones share the memory.
#[derive(Debug, Clone)]
pub struct EstateDirectory {
    db: Db,
    select: SqlStr,
    cached: Arc<Cached<Estates>>,
}

impl EstateDirectory {
    /// A directory over `<schema>.estates`; loaded on first use.
    pub fn new(db: Db) -> Self {
        // The epoch is read in the same snapshot as the rows; an empty table still answers with it.
        let select = db.sql(
            "SELECT p.epoch, e.id, e.group_id, e.region_id, e.name, e.time_zone
               FROM {schema}.policy_epoch p LEFT JOIN {schema}.estates e ON true",
        );
        Self { db, select, cached: Arc::default() }
    }

    /// An estate by its id.
    ///
    /// # Errors
    /// `NotFound` when this service does not know it (yet).
    pub async fn get(&self, id: EstateId) -> Result<Arc<Estate>> {
        if let Some(estate) = self.current().await?.value.get(&id) {
            return Ok(estate.clone());
        }
        // It may have come since: one look at the epoch tells.
        epoch::refresh(&self.db).await?;
        self.current().await?.value.get(&id).cloned().ok_or_else(|| Error::not_found("estate", id))
    }

    /// Every estate, in no order.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn all(&self) -> Result<Vec<Arc<Estate>>> {
        Ok(self.current().await?.value.values().cloned().collect())
    }

    /// Whether an event says something of estates.
    pub fn wants(kind: &str) -> bool {
        kind == EstateRegistered::full_name() || kind == EstateUpdated::full_name()
    }

    /// Applies an event of the customer service, if it is one about estates.
    ///
    /// # Errors
    /// As [`Self::apply`]; a fact that cannot be read is poison.
    pub async fn hear(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<()> {
        if event.r#type == EstateRegistered::full_name() {
            let fact: EstateRegistered = payload(event)?;
            let estate = read(&fact.estate_id, &fact.group_id, &fact.region_id, fact.name, fact.time_zone)?;
            self.apply(tx, &estate, now).await?;
        } else if event.r#type == EstateUpdated::full_name() {
            let fact: EstateUpdated = payload(event)?;
            let estate = read(&fact.estate_id, &fact.group_id, &fact.region_id, fact.name, fact.time_zone)?;
            self.apply(tx, &estate, now).await?;
        }
        Ok(())
    }

    /// Writes what an event said of an estate, in the consumer's transaction. Writing the same again changes nothing.
    ///
    /// # Errors
    /// `Internal` for a time zone that is none; else those of the statement.
    pub async fn apply(&self, tx: &mut PgConnection, estate: &Estate, now: Timestamp) -> Result<()> {
        estate.zone()?;
        let sql = self.db.sql(
            "WITH written AS (
                 INSERT INTO {schema}.estates AS e (id, group_id, region_id, name, time_zone, create_time, update_time)
                 VALUES ($1, $2, $3, $4, $5, $6, $6)
                 ON CONFLICT ON CONSTRAINT estates_pkey DO UPDATE
                     SET group_id = EXCLUDED.group_id, region_id = EXCLUDED.region_id, name = EXCLUDED.name,
                         time_zone = EXCLUDED.time_zone, update_time = EXCLUDED.update_time
                   WHERE (e.group_id, e.region_id, e.name, e.time_zone)
                         IS DISTINCT FROM (EXCLUDED.group_id, EXCLUDED.region_id, EXCLUDED.name, EXCLUDED.time_zone)
                 RETURNING id)
             UPDATE {schema}.policy_epoch SET epoch = epoch + 1 WHERE EXISTS (SELECT FROM written)",
        );
        sqlx::query(sql)
            .bind(estate.id.as_uuid())
            .bind(estate.group_id.as_uuid())
            .bind(estate.region_id.as_uuid())
            .bind(&estate.name)
            .bind(&estate.time_zone)
            .bind(now.to_sqlx())
            .execute(tx)
            .await
            .store()?;
        Ok(())
    }

    async fn current(&self) -> Result<Arc<Loaded<Estates>>> {
        self.cached.get("estates", &self.db, self.load()).await
    }

    async fn load(&self) -> Result<Loaded<Estates>> {
        let rows = sqlx::query(self.select.clone()).fetch_all(self.db.pool()).await.store()?;
        let mut loaded = Loaded::<Estates>::default();
        for row in &rows {
            loaded.epoch = row.try_get("epoch").store()?;
            let Some(id) = row.try_get::<Option<Uuid>, _>("id").store()? else { continue };
            let estate = Estate {
                id: id.into(),
                group_id: row.try_get::<Uuid, _>("group_id").store()?.into(),
                region_id: row.try_get::<Uuid, _>("region_id").store()?.into(),
                name: row.try_get("name").store()?,
                time_zone: row.try_get("time_zone").store()?,
            };
            loaded.value.insert(estate.id, Arc::new(estate));
        }
        Ok(loaded)
    }
}

fn read(id: &str, group: &str, region: &str, name: String, time_zone: String) -> Result<Estate> {
    let mut bad = Violations::new();
    let (id, group, region) = (bad.id("estate_id", id), bad.id("group_id", group), bad.id("region_id", region));
    bad.build(|| Some(Estate { id: id?, group_id: group?, region_id: region?, name, time_zone }))
}
