//! Facts are kept true: households that changed, and every household of an estate whose day has ended, are derived again,
//! tagged by the rules in force, and told of.
//!
//! A change of the register appends the households that it touches to `fact_changes` in its own transaction (triggers), so
//! none is lost. The keeper takes them in batches, one keeper an estate at a time; readers that must see their own writes
//! settle the estate first. A batch of 500 households is eight trips.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use prost::Message;
use serde_json::Value;
use sqlx::PgConnection;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::predicate::{Catalogue, Compiled, Reason};
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use steward_proto::common::v1 as common;
use uuid::Uuid;

use super::App;
use crate::domain::facts::{FactRow, HouseholdSource, RowFacts, TagRule, changed_fields, derive};
use crate::events::publish;
use crate::store::fact_sources::read_sources;
use crate::store::facts::{DueEstate, begin_day, list_due_estates, lock_estate_facts, read_facts, take_changes, write_facts};
use crate::store::tags::{TagChange, list_active_rules, read_assignments, write_assignments};

/// Households derived in one transaction.
const BATCH: i64 = 500;

/// What a batch writes.
#[derive(Default)]
struct Gathered {
    rows: Vec<Value>,
    gone: Vec<(Uuid, Uuid)>,
    taken: Vec<TagChange>,
    given: Vec<TagChange>,
    effects: Effects,
}

/// What a batch was decided by.
struct Before {
    rules: Vec<TagRule>,
    facts: HashMap<(Uuid, Uuid), Value>,
    assignments: HashMap<(Uuid, Uuid), Vec<(Uuid, i32)>>,
}

impl App {
    /// Derives whatever is behind; says whether there was anything.
    pub(crate) async fn keep_facts(&self) -> Result<bool> {
        let due = list_due_estates(self.db.pool(), None, self.clock.now()).await?;
        for estate in &due {
            self.settle_estate(estate).await?;
        }
        Ok(!due.is_empty())
    }

    /// Derives what is behind in these estates, so that what was written before is seen.
    pub(crate) async fn settle_facts(&self, estates: &[Uuid]) -> Result<()> {
        for estate in list_due_estates(self.db.pool(), Some(estates), self.clock.now()).await? {
            // A transaction that lost a race, with a month that is being attached for one, is simply done again.
            match self.settle_estate(&estate).await {
                Err(Error::Unavailable { .. }) => self.settle_estate(&estate).await?,
                settled => settled?,
            }
        }
        Ok(())
    }

    async fn settle_estate(&self, estate: &DueEstate) -> Result<()> {
        let today = local_date(&estate.time_zone, self.clock.now())?;
        if estate.is_whole {
            let mut tx = self.db.begin().await?;
            lock_estate_facts(&mut tx, estate.id).await?;
            begin_day(&mut tx, estate.id, today).await?;
            tx.commit().await.store()?;
        }
        while self.keep_batch(estate, today).await? {}
        Ok(())
    }

    /// One batch; says whether there may be more.
    async fn keep_batch(&self, estate: &DueEstate, today: Date) -> Result<bool> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        lock_estate_facts(&mut tx, estate.id).await?;
        let households = take_changes(&mut tx, estate.id, BATCH).await?;
        if households.is_empty() {
            return Ok(false);
        }
        let sources = read_sources(&mut tx, &self.vault, &households, &estate.time_zone, today).await?;
        let before = Before {
            rules: active_rules(&mut tx).await?,
            facts: read_facts(&mut tx, &households).await?,
            assignments: read_assignments(&mut tx, &households).await?,
        };
        let mut gathered = Gathered::default();
        for source in &sources {
            gathered.household(source, &before, today, now)?;
        }
        if !(gathered.rows.is_empty() && gathered.gone.is_empty()) {
            write_facts(&mut tx, &Value::Array(std::mem::take(&mut gathered.rows)), &gathered.gone, now).await?;
        }
        write_assignments(&mut tx, &gathered.taken, &gathered.given, now).await?;
        gathered.effects.write(&self.db, &mut tx, now).await?;
        tx.commit().await.store()?;
        self.db.wake(&gathered.effects);
        Ok(true)
    }
}

impl Gathered {
    fn household(&mut self, source: &HouseholdSource, before: &Before, today: Date, now: Timestamp) -> Result<()> {
        let mut rows = derive(source, today);
        for row in &mut rows {
            self.tag(row, before, today)?;
        }
        let of_household: BTreeSet<String> = rows.iter().flat_map(|row| row.tags.iter().cloned()).collect();
        let mut fields = BTreeSet::new();
        let mut present = BTreeSet::new();
        for row in &mut rows {
            row.household_tags = of_household.iter().cloned().collect();
            let after = serde_json::to_value(&*row).map_err(Error::internal)?;
            let known = before.facts.get(&(row.household_id.as_uuid(), row.customer_id));
            let changed = changed_fields(known.unwrap_or(&Value::Null), &after);
            if known.is_none() || !changed.is_empty() {
                self.rows.push(after);
            }
            fields.extend(changed);
            present.insert(row.customer_id);
        }
        for (household, member) in before.facts.keys().filter(|(household, _)| *household == source.id.as_uuid()) {
            if !present.contains(member) {
                self.gone.push((*household, *member));
                fields.insert("household.member_count");
                let held = before.assignments.get(&(*household, *member)).into_iter().flatten();
                let estate_id = source.estate_id.as_uuid();
                self.taken.extend(held.map(|(tag, version)| TagChange {
                    household_id: *household,
                    customer_id: *member,
                    tag_id: *tag,
                    estate_id,
                    version: *version,
                    reasons: Value::Null,
                }));
            }
        }
        if !fields.is_empty() {
            self.effects.events.push(publish::household_facts_changed(source, fields, now));
        }
        Ok(())
    }

    /// Gives a row its tags, and notes which came and which went. Whoever wants no profile has none (CP-27).
    fn tag(&mut self, row: &mut FactRow, before: &Before, today: Date) -> Result<()> {
        let Some(member) = row.member() else { return Ok(()) };
        let facts = RowFacts(serde_json::to_value(&*row).map_err(Error::internal)?);
        let held = before.assignments.get(&(row.household_id.as_uuid(), member.as_uuid())).cloned().unwrap_or_default();
        let change = |tag_id: Uuid, version: i32, reasons: Value| TagChange {
            household_id: row.household_id.as_uuid(),
            customer_id: member.as_uuid(),
            tag_id,
            estate_id: row.estate_id.as_uuid(),
            version,
            reasons,
        };
        let mut kept = BTreeSet::new();
        let mut codes = Vec::new();
        for rule in before.rules.iter().filter(|_| row.has_opted_out_of_profiling != Some(true)) {
            let finding = rule.rule.evaluate(&facts, today);
            if !finding.holds() {
                continue;
            }
            codes.push(rule.code.clone());
            if held.contains(&(rule.id, rule.version)) {
                kept.insert(rule.id);
            } else {
                self.given.push(change(rule.id, rule.version, reasons_json(&finding.reasons)));
            }
        }
        let taken = held.iter().filter(|(tag, _)| !kept.contains(tag));
        self.taken.extend(taken.map(|(tag, version)| change(*tag, *version, Value::Null)));
        row.tags = codes;
        Ok(())
    }
}

/// The rules in force, compiled. One that this version can no longer read tags nobody and is told in the log.
async fn active_rules(tx: &mut PgConnection) -> Result<Vec<TagRule>> {
    let stored = list_active_rules(tx).await?;
    let rules = stored.into_iter().filter_map(|stored| {
        let predicate = common::Predicate::decode(stored.predicate.as_slice()).ok()?;
        let mut bad = Violations::new();
        let Some(rule) = Compiled::of(&predicate, Catalogue::household(), "predicate", &mut bad) else {
            tracing::error!(tag = stored.code, version = stored.version, %bad, "a tag's rule does not compile; it tags nobody");
            return None;
        };
        Some(TagRule { id: stored.tag_id, code: stored.code, version: stored.version, rule })
    });
    Ok(rules.collect())
}

/// Reasons as they are kept beside an assignment.
fn reasons_json(reasons: &[Reason]) -> Value {
    let told = reasons.iter().map(|reason| {
        serde_json::json!({
            "path": reason.path,
            "field": reason.field,
            "operator": reason.operator.as_str_name(),
            "truth": reason.truth.wire().as_str_name(),
            "fact": reason.fact,
        })
    });
    Value::Array(told.collect())
}

/// The local day of an instant.
pub(crate) fn local_date(zone: &str, now: Timestamp) -> Result<Date> {
    Ok(now.to_zoned(TimeZone::get(zone).map_err(Error::internal)?).date())
}

/// The estates of an audience, as queries take them.
pub(crate) fn one(estate: EstateId) -> [Uuid; 1] {
    [estate.as_uuid()]
}
