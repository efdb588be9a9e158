//! Figures of a period, by the definitions that the caller brings, and the rows behind one. One trip for each period and limit
//! that the definitions name, whatever the number of estates and figures; an explanation costs one more.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::metric::{Asked, AskedRows, Definition, Explained, Period, WEIGHT_ONE};
use steward_kit::proto::to_timestamp;
use steward_kit::{Error, Result};
use steward_proto::metric::v1 as pb;
use uuid::Uuid;

use super::App;
use crate::domain::figures::{Cohort, Tally, figure, limit_seconds};
use crate::store::metrics::{RowKey, Stretch, list_tallied, tally_messages};

/// What a definition counts.
struct Counting {
    cohort: Cohort,
    period: Period,
    limit: Option<i64>,
}

impl Counting {
    fn of(definition: &Definition, asked: Period) -> Result<Self> {
        let metric = definition.metric.id;
        let cohort = Cohort::of(metric).ok_or_else(|| Error::bug(format_args!("no formula for {metric}")))?;
        let limit = definition.parameters.limit.as_ref().and_then(limit_seconds);
        Ok(Self { cohort, period: definition.period_for(asked), limit })
    }
}

impl App {
    /// One value for each figure and estate, and one over all of them.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn compute_metrics(&self, access: &Access, asked: &Asked) -> Result<Vec<pb::MetricValue>> {
        let as_of = self.clock.now();
        let mut counted: BTreeMap<_, BTreeMap<Uuid, Vec<Tally>>> = BTreeMap::new();
        let mut values = Vec::with_capacity(asked.definitions.len() * (asked.estates.len() + 1));
        for definition in &asked.definitions {
            let counting = Counting::of(definition, asked.period)?;
            let key = (counting.period.from, counting.period.to, counting.limit);
            if let Entry::Vacant(place) = counted.entry(key) {
                let stretches = self.stretches(access, &asked.estates, counting.period).await?;
                place.insert(tally_messages(self.db.pool(), &stretches, counting.limit).await?);
            }
            let tallies = counted.get(&key).ok_or_else(|| Error::bug("messages that were just counted"))?;
            let value = |tallies: &[Tally], estate: &str| {
                let made = figure(counting.cohort, counting.limit.is_some(), tallies);
                definition.value(&made, counting.period, &asked.plan_code, estate, as_of)
            };
            for estate in &asked.estates {
                values.push(value(tallies.get(&estate.as_uuid()).map_or(&[][..], Vec::as_slice), &estate.to_string()));
            }
            values.push(value(&tallies.values().flatten().copied().collect::<Vec<_>>(), ""));
        }
        Ok(values)
    }

    /// The figure of one estate, and its rows after the page's start; one more than fit on it.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn explain_metric(&self, access: &Access, asked: &AskedRows<RowKey>) -> Result<Explained<RowKey>> {
        let definition = &asked.definition;
        let Counting { cohort, period, limit } = Counting::of(definition, asked.period)?;
        let stretches = self.stretches(access, &[asked.estate], period).await?;
        let stretch = *stretches.first().ok_or_else(|| Error::bug("an estate without its period"))?;
        let tallies = tally_messages(self.db.pool(), &stretches, limit).await?.into_values().flatten().collect::<Vec<_>>();
        let made = figure(cohort, limit.is_some(), &tallies);
        let value = definition.value(&made, period, &asked.plan_code, &asked.estate.to_string(), self.clock.now());
        let rows = list_tallied(self.db.pool(), stretch, limit, &asked.page).await?;
        Ok((value, rows.into_iter().map(|(key, tally)| (key, row(key, cohort, limit.is_some(), &tally))).collect()))
    }

    /// The period in each estate, found in the caller's scope. From memory.
    async fn stretches(&self, access: &Access, estates: &[EstateId], period: Period) -> Result<Vec<Stretch>> {
        let mut stretches = Vec::with_capacity(estates.len());
        for id in estates {
            let estate = access.scope.estate(*id)?;
            let zone = self.estates.get(*id).await?.zone()?;
            let (start, end) = period.instants(&zone).ok_or_else(|| Error::invalid("period", "PERIOD_INVALID", "is out of range"))?;
            stretches.push(Stretch { estate, start, end });
        }
        Ok(stretches)
    }
}

/// A message as a row: its id, its time and how it stands. No name, no address, no word of it.
fn row(key: RowKey, cohort: Cohort, limited: bool, tally: &Tally) -> pb::MetricRow {
    let standing = tally.placed(cohort, limited).into_iter().find(|(_, count)| *count > 0).map(|(standing, _)| standing);
    let reason = tally.reason.map(|reason| reason.as_str()).or(standing.map(|standing| standing.as_str()));
    pb::MetricRow {
        subject_kind: "message".to_owned(),
        subject_id: key.id.to_string(),
        in_numerator: standing.is_some_and(|standing| standing.in_numerator(cohort)),
        in_denominator: standing.is_some_and(|standing| standing.in_denominator(cohort)),
        reason_code: reason.unwrap_or_default().to_owned(),
        subject_number: String::new(),
        event_time: Some(to_timestamp(key.at)),
        value: tally.latency_ms / 1000,
        weight_ppm: WEIGHT_ONE,
    }
}
