//! Figures of a period, by the definitions that the caller brings, and the rows behind one. One trip for the zones and one for
//! each figure, whatever the number of estates; an explanation costs one more.
//!
//! Figures tell how the files stand: tenures as they held on the period's last day that has come, everything else as it is now.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit::metric::{Definition, Period, WEIGHT_ONE};
use steward_kit::paging::PageRequest;
use steward_kit::proto::to_timestamp;
use steward_kit::{Error, Result};
use steward_proto::metric::v1 as pb;
use uuid::Uuid;

use super::App;
use crate::domain::figures::{Cohort, Tally, figure};
use crate::store::metrics::{FileRow, Stretch, list_files, list_zones, tally_files};

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) estates: Vec<EstateId>,
    pub(crate) period: Period,
    pub(crate) plan_code: String,
    pub(crate) definitions: Vec<Definition>,
}

/// What is to be explained.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) estate: EstateId,
    pub(crate) period: Period,
    pub(crate) plan_code: String,
    pub(crate) definition: Definition,
}

/// Place of a row: by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RowKey {
    pub(crate) at: Timestamp,
    pub(crate) id: Uuid,
}

type Zones = Vec<(ScopedEstate, TimeZone)>;

impl App {
    /// One value for each figure and estate, and one over all of them.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn compute_metrics(&self, access: &Access, asked: &Figures) -> Result<Vec<pb::MetricValue>> {
        let as_of = self.clock.now();
        let zones = self.zones(access, &asked.estates).await?;
        let mut values = Vec::with_capacity(asked.definitions.len() * (zones.len() + 1));
        for definition in &asked.definitions {
            let counted = definition.period_for(asked.period);
            let (cohort, tallies) = self.tallies(definition, &stretches(&zones, counted, as_of)?).await?;
            let value =
                |tallies: &[Tally], estate: &str| definition.value(&figure(cohort, tallies), counted, &asked.plan_code, estate, as_of);
            for (estate, _) in &zones {
                let own = tallies.get(&estate.as_uuid()).map_or(&[][..], Vec::as_slice);
                values.push(value(own, &estate.id().to_string()));
            }
            let all: Vec<Tally> = tallies.into_values().flatten().collect();
            values.push(value(&all, ""));
        }
        Ok(values)
    }

    /// The figure, and its rows after the page's start; one more than fit on it.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn explain_metric(
        &self,
        access: &Access,
        question: &Question,
        page: &PageRequest<RowKey>,
    ) -> Result<(pb::MetricValue, Vec<(RowKey, pb::MetricRow)>)> {
        let (as_of, definition) = (self.clock.now(), &question.definition);
        let counted = definition.period_for(question.period);
        let zones = self.zones(access, &[question.estate]).await?;
        let stretches = stretches(&zones, counted, as_of)?;
        let (cohort, tallies) = self.tallies(definition, &stretches).await?;
        let tallies: Vec<Tally> = tallies.into_values().flatten().collect();
        let value = definition.value(&figure(cohort, &tallies), counted, &question.plan_code, &question.estate.to_string(), as_of);
        let rows = match (cohort.subject(), stretches.first()) {
            (Some(subject), Some(stretch)) => {
                let rows = list_files(self.db.pool(), subject, *stretch, page).await?;
                rows.into_iter().map(|row| (row.key, message(subject, row))).collect()
            }
            (None, _) | (_, None) => Vec::new(),
        };
        Ok((value, rows))
    }

    async fn tallies(&self, definition: &Definition, stretches: &[Stretch]) -> Result<(Cohort, BTreeMap<Uuid, Vec<Tally>>)> {
        let metric = definition.metric.id;
        let cohort = Cohort::of(metric).ok_or_else(|| Error::bug(format_args!("no formula for {metric}")))?;
        let tallies = match cohort.subject() {
            Some(subject) => tally_files(self.db.pool(), subject, stretches).await?,
            None => BTreeMap::new(),
        };
        Ok((cohort, tallies))
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
            stretches.push(Stretch { estate: *estate, end, day: period.to.min(today) });
        }
    }
    Ok(stretches)
}

fn message(subject: &str, row: FileRow) -> pb::MetricRow {
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
