//! Figures of a period, by the definitions that the caller brings, and the rows behind one. One trip for the zones and one for
//! each figure, whatever the number of estates; an explanation costs one more.
//!
//! Figures of files tell how they stand: tenures as they held on the period's last day that has come, everything else as it is now.
//! Figures of churn tell who of those that were there on the period's first day has left in it, by the register of exits.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit::metric::{Asked, AskedRows, Definition, Explained, Period, WEIGHT_ONE};
use steward_kit::proto::to_timestamp;
use steward_kit::{Error, Result};
use steward_proto::metric::v1 as pb;
use uuid::Uuid;

use super::App;
use crate::domain::exit::ExitKind;
use crate::domain::figures::{Cohort, EstateStay, Tally, figure};
use crate::store::metrics::{JudgedRow, Stretch, list_files, list_zones, tally_files};
use crate::store::stays::{EstateRow, list_estate_stays, list_stays, tally_stays};

/// Place of a row: by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RowKey {
    pub(crate) at: Timestamp,
    pub(crate) id: Uuid,
}

type Zones = Vec<(ScopedEstate, TimeZone)>;

/// What a figure is counted from, by estate and over all of them.
#[derive(Default)]
struct Counted {
    tallies: BTreeMap<Uuid, Vec<Tally>>,
    /// Over all estates, where that is not the sum of them: nobody counts twice in the group.
    all: Option<Vec<Tally>>,
    estates: Vec<EstateRow>,
}

impl App {
    /// One value for each figure and estate, and one over all of them.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn compute_metrics(&self, access: &Access, asked: &Asked) -> Result<Vec<pb::MetricValue>> {
        let as_of = self.clock.now();
        let zones = self.zones(access, &asked.estates).await?;
        let mut values = Vec::with_capacity(asked.definitions.len() * (zones.len() + 1));
        for definition in &asked.definitions {
            let counted = definition.period_for(asked.period);
            let (cohort, mut found) = self.counted(definition, &stretches(&zones, counted, as_of)?).await?;
            let value = |tallies: &[Tally], estates: &[EstateStay], estate: &str| {
                definition.value(&figure(cohort, tallies, estates), counted, &asked.plan_code, estate, as_of)
            };
            for (estate, _) in &zones {
                let id = estate.as_uuid();
                let own = found.tallies.get(&id).map_or(&[][..], Vec::as_slice);
                values.push(value(own, &found.stays(|row| row.estate == id), &estate.id().to_string()));
            }
            let all = found.all.take().unwrap_or_else(|| found.tallies.values().flatten().copied().collect());
            values.push(value(&all, &found.stays(|_| true), ""));
        }
        Ok(values)
    }

    /// The figure, and its rows after the page's start; one more than fit on it.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn explain_metric(&self, access: &Access, asked: &AskedRows<RowKey>) -> Result<Explained<RowKey>> {
        let (as_of, definition, page) = (self.clock.now(), &asked.definition, &asked.page);
        let counted = definition.period_for(asked.period);
        let zones = self.zones(access, &[asked.estate]).await?;
        let stretches = stretches(&zones, counted, as_of)?;
        let (cohort, mut found) = self.counted(definition, &stretches).await?;
        let tallies: Vec<Tally> = std::mem::take(&mut found.tallies).into_values().flatten().collect();
        let made = figure(cohort, &tallies, &found.stays(|_| true));
        let value = definition.value(&made, counted, &asked.plan_code, &asked.estate.to_string(), as_of);
        let Some(stretch) = stretches.first() else { return Ok((value, Vec::new())) };
        let rows = match cohort {
            Cohort::Customers | Cohort::Households => list_files(self.db.pool(), cohort.subject(), stretch, page).await?,
            Cohort::Stays => list_stays(self.db.pool(), stretch, &exit_kinds(definition), page).await?,
            Cohort::Estates => found.estates.into_iter().map(judged).filter(|row| page.after.is_none_or(|after| row.key > after)).collect(),
        };
        Ok((value, rows.into_iter().map(|row| (row.key, message(cohort.subject(), row))).collect()))
    }

    async fn counted(&self, definition: &Definition, stretches: &[Stretch]) -> Result<(Cohort, Counted)> {
        let metric = definition.metric.id;
        let cohort = Cohort::of(metric).ok_or_else(|| Error::bug(format_args!("no formula for {metric}")))?;
        let counted = match cohort {
            Cohort::Customers | Cohort::Households => {
                Counted { tallies: tally_files(self.db.pool(), cohort.subject(), stretches).await?, ..Counted::default() }
            }
            Cohort::Stays => {
                let (tallies, all) = tally_stays(self.db.pool(), stretches, &exit_kinds(definition)).await?;
                Counted { tallies, all: Some(all), ..Counted::default() }
            }
            Cohort::Estates => Counted { estates: list_estate_stays(self.db.pool(), stretches).await?, ..Counted::default() },
        };
        Ok((cohort, counted))
    }

    /// The estates asked for, each found in the scope, with their zones.
    async fn zones(&self, access: &Access, estates: &[EstateId]) -> Result<Zones> {
        let scoped = estates.iter().map(|id| access.scope.estate(*id)).collect::<Result<Vec<_>>>()?;
        let zones: HashMap<Uuid, String> = list_zones(self.db.pool(), &scoped).await?;
        let zoned = scoped.into_iter().map(|estate| {
            let zone = zones.get(&estate.as_uuid()).ok_or_else(|| Error::not_found("estate", estate.id()))?;
            Ok((estate, TimeZone::get(zone).map_err(Error::internal)?))
        });
        zoned.collect()
    }
}

/// The period in each estate. A period that has not begun there has nothing to count.
fn stretches(zones: &Zones, period: Period, now: Timestamp) -> Result<Vec<Stretch>> {
    let mut stretches = Vec::with_capacity(zones.len());
    for (estate, zone) in zones {
        let instants = period.instants(zone);
        let (start, end) = instants.ok_or_else(|| Error::invalid("period", "PERIOD_INVALID", "is out of range"))?;
        if start <= now {
            let today = now.to_zoned(zone.clone()).date();
            let zone = zone.iana_name().ok_or_else(|| Error::bug("an estate's zone has no name"))?.to_owned();
            stretches.push(Stretch { estate: *estate, start, end, first_day: period.from, day: period.to.min(today), zone });
        }
    }
    Ok(stretches)
}

/// The exits that count as lost: those that the plan names, or those that the service is answerable for (F-13b).
fn exit_kinds(definition: &Definition) -> Vec<String> {
    let chosen = &definition.parameters.exit_kinds;
    if chosen.is_empty() { ExitKind::service_related() } else { chosen.clone() }
}

impl Counted {
    fn stays(&self, picks: impl Fn(&EstateRow) -> bool) -> Vec<EstateStay> {
        self.estates.iter().filter(|row| picks(row)).map(|row| row.stay).collect()
    }
}

fn judged(row: EstateRow) -> JudgedRow {
    JudgedRow { key: RowKey { at: row.at, id: row.estate }, number: row.code, standing: row.stay.standing }
}

fn message(subject: &str, row: JudgedRow) -> pb::MetricRow {
    pb::MetricRow {
        subject_kind: subject.to_owned(),
        subject_id: row.key.id.to_string(),
        subject_number: row.number,
        in_numerator: row.standing.in_numerator(),
        in_denominator: row.standing.in_denominator(),
        reason_code: row.standing.as_str().to_owned(),
        event_time: Some(to_timestamp(row.key.at)),
        value: 0,
        weight_ppm: WEIGHT_ONE,
    }
}
