//! Figures of a period, by the definitions that the caller brings, and the rows behind one. One trip for each figure, whatever the number
//! of estates; the coverage of talks asks customer once for each two hundred estates, that of care once for each estate that had some,
//! several estates at once.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::metric::{Asked, AskedRows, Basis, Definition, Explained, Period, Ratio, WEIGHT_ONE, household_base};
use steward_kit::proto::to_timestamp;
use steward_kit::{Error, Result};
use steward_proto::metric::v1 as pb;
use uuid::Uuid;

use super::App;
use crate::domain::codes::Layer;
use crate::domain::figures::{Cohort, Row, cohort, figure};
use crate::store::caused::complained;
use crate::store::metrics::{Rows, Stretch, covered, handovers, talks, targeted, visits};

/// How long complaints are laid to a campaign, where the plan says nothing (F-05c).
const LAID_TO_CAMPAIGN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Place of a row: by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RowKey {
    at: Timestamp,
    id: Uuid,
}

/// Rows of a figure and what stands below the line, by estate.
struct Counted {
    cohort: Cohort,
    period: Period,
    rows: Rows,
    bases: BTreeMap<Uuid, Ratio>,
}

impl App {
    /// One value for each figure and estate, and one over all of them.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn compute_metrics(&self, access: &Access, asked: &Asked) -> Result<Vec<pb::MetricValue>> {
        let as_of = self.clock.now();
        let mut values = Vec::new();
        for definition in &asked.definitions {
            let counted = self.count(access, &asked.estates, asked.period, &asked.bases, definition).await?;
            let value = |rows: &[&Row], base, estate: &str| {
                definition.value(&figure(counted.cohort, rows, base), counted.period, &asked.plan_code, estate, as_of)
            };
            let mut all = Vec::new();
            for estate in &asked.estates {
                let id = estate.as_uuid();
                let rows: Vec<&Row> = counted.rows.get(&id).into_iter().flatten().collect();
                values.push(value(&rows, counted.bases.get(&id).copied(), &estate.to_string()));
                all.extend(rows);
            }
            let base = counted.bases.values().copied().try_fold(Ratio::ZERO, Ratio::plus).filter(|base| *base > Ratio::ZERO);
            values.push(value(&all, base, ""));
        }
        Ok(values)
    }

    /// The figure of one estate, and its rows after the page's start; one more than fit on it.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn explain_metric(&self, access: &Access, asked: &AskedRows<RowKey>) -> Result<Explained<RowKey>> {
        let (estate, definition, page) = (asked.estate, &asked.definition, &asked.page);
        let mut counted = self.count(access, &[estate], asked.period, &asked.bases, definition).await?;
        let mut rows = counted.rows.remove(&estate.as_uuid()).unwrap_or_default();
        let base = counted.bases.get(&estate.as_uuid()).copied();
        let made = figure(counted.cohort, &rows.iter().collect::<Vec<_>>(), base);
        let value = definition.value(&made, counted.period, &asked.plan_code, &estate.to_string(), self.clock.now());
        let key = |row: &Row| RowKey { at: row.at, id: row.id };
        rows.retain(|row| page.after.is_none_or(|after| key(row) > after));
        rows.sort_by_key(key);
        rows.truncate(page.size.rows() + 1);
        Ok((value, rows.iter().map(|row| (key(row), message(row))).collect()))
    }

    async fn count(
        &self,
        access: &Access,
        estates: &[EstateId],
        asked: Period,
        bases: &[pb::HouseholdBase],
        definition: &Definition,
    ) -> Result<Counted> {
        let cohort = cohort(definition.metric.id).ok_or_else(|| Error::bug(format_args!("no formula for {}", definition.metric.id)))?;
        let period = definition.period_for(asked);
        let stretches = self.stretches(access, estates, period).await?;
        let (db, programme) = (self.db.pool(), definition.parameters.programme.as_str());
        let rows = match cohort {
            Cohort::Talks => talks(db, &stretches).await?,
            Cohort::Covered => {
                // A plan names a layer (CA-06), or a programme of its own; else the care policy says which layer has to reach everybody.
                let (layers, programme) = match (programme, Layer::parse(programme)) {
                    ("", _) => (self.coverage_layers(estates).await?, ""),
                    (layer, Some(_)) => (vec![layer.to_owned(); stretches.len()], ""),
                    (programme, None) => (vec![String::new(); stretches.len()], programme),
                };
                let mut rows = covered(db, &stretches, &layers, programme).await?;
                // Care comes before the handover too; the households below the line are those that have theirs.
                let cared: Vec<EstateId> = estates.iter().copied().filter(|estate| rows.contains_key(&estate.as_uuid())).collect();
                let early = self.audience.not_delivered(&cared, period.to).await?;
                for own in rows.values_mut() {
                    own.retain(|row| !early.contains(&row.id));
                }
                rows
            }
            Cohort::Targeted => targeted(db, &stretches, programme, false).await?,
            Cohort::TargetedTwice => {
                let mut rows = targeted(db, &stretches, programme, false).await?;
                if let Some(before) = period.previous() {
                    let stretches = self.stretches(access, estates, before).await?;
                    for (estate, more) in targeted(db, &stretches, programme, true).await? {
                        rows.entry(estate).or_default().extend(more);
                    }
                }
                rows
            }
            Cohort::Handovers => handovers(db, &stretches, programme).await?,
            Cohort::Visits => visits(db, &stretches).await?,
            Cohort::Complained => {
                let mut until = Vec::with_capacity(stretches.len());
                for stretch in &stretches {
                    let rules = self.rules.of(stretch.estate.id(), self.clock.now()).await?;
                    let own = rules.due_if(stretch.end, definition.parameters.look_ahead.as_ref())?;
                    until.push(own.map_or_else(|| stretch.end.checked_add(LAID_TO_CAMPAIGN), Ok).map_err(Error::internal)?);
                }
                complained(db, &stretches, &until, programme).await?
            }
        };
        let bases = match cohort {
            // Who was there on the first day of the month (F-08b).
            Cohort::Talks => self.audience.bases(estates, period.from).await?,
            Cohort::Covered => {
                let basis = definition.parameters.basis.unwrap_or(Basis::Delivered);
                let of = |estate: &EstateId| Some((estate.as_uuid(), household_base(bases, &estate.to_string(), basis, period)?));
                estates.iter().filter_map(of).collect()
            }
            Cohort::Targeted | Cohort::TargetedTwice | Cohort::Handovers | Cohort::Visits | Cohort::Complained => BTreeMap::new(),
        };
        Ok(Counted { cohort, period, rows, bases })
    }

    /// The layer that has to reach everybody in each estate (F-09); empty where the care policy names none: then all care counts.
    async fn coverage_layers(&self, estates: &[EstateId]) -> Result<Vec<String>> {
        let now = self.clock.now();
        let mut layers = Vec::with_capacity(estates.len());
        for estate in estates {
            // From memory.
            layers.push(self.rules.of(*estate, now).await?.terms.coverage_layer.unwrap_or_default());
        }
        Ok(layers)
    }

    async fn stretches(&self, access: &Access, estates: &[EstateId], period: Period) -> Result<Vec<Stretch>> {
        let mut stretches = Vec::with_capacity(estates.len());
        for id in estates {
            let estate = access.scope.estate(*id)?;
            let zone = self.rules.estates.get(*id).await?.zone()?;
            let (start, end) = period.instants(&zone).ok_or_else(|| Error::invalid("period", "PERIOD_INVALID", "is out of range"))?;
            stretches.push(Stretch { estate, start, end });
        }
        Ok(stretches)
    }
}

fn message(row: &Row) -> pb::MetricRow {
    pb::MetricRow {
        subject_kind: row.kind.to_owned(),
        subject_id: row.id.to_string(),
        in_numerator: row.in_numerator,
        in_denominator: row.in_denominator,
        reason_code: row.reason.clone(),
        subject_number: String::new(),
        event_time: Some(to_timestamp(row.at)),
        value: 1,
        weight_ppm: WEIGHT_ONE,
    }
}
