//! Figures of a period, by the definitions that the caller brings, and the rows behind one. One trip where what is asked for was counted
//! before and is true still, whatever the number of figures and estates; what is not is counted, some estates at a time, and kept
//! ([`steward_kit_store::rollups`]). Customer is asked once for each two hundred estates: for the base of the coverage of talks, and for
//! the homes that are not handed over, which the coverage of care leaves out; those that there are cost another trip.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::Result;
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit::metric::{Asked, AskedRows, Basis, Definition, Explained, Period, Ratio, Tally, WEIGHT_ONE, household_base};
use steward_kit::proto::to_timestamp;
use steward_kit_store::StoreResult;
use steward_kit_store::rollups::{Question, Stretch};
use steward_proto::metric::v1 as pb;
use uuid::Uuid;

use super::App;
use super::count_care::cohort_of;
use crate::domain::figures::{Cohort, Row, figure, tally};
use crate::store::metrics::{Rows, covered_among};

/// Place of a row: by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RowKey {
    at: Timestamp,
    id: Uuid,
}

impl App {
    /// One value for each figure and estate, and one over all of them.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn compute_metrics(&self, access: &Access, asked: &Asked) -> Result<Vec<pb::MetricValue>> {
        let as_of = self.clock.now();
        let estates: Vec<ScopedEstate> = asked.estates.iter().map(|id| access.scope.estate(*id)).collect::<Result<_>>()?;
        let questions = Question::each(asked.period, &asked.definitions);
        // Before the counts that it is taken from: what comes in between is in one of them for a moment, and no count is ever below zero.
        let mut early = Vec::with_capacity(asked.definitions.len());
        for question in &questions {
            for definition in &question.definitions {
                early.push(self.early(&estates, question.period, definition, as_of).await?);
            }
        }
        let mut early = early.into_iter();
        let mut tallies = self.rollups.tallies(&questions, &estates, as_of).await?;
        let mut values = Vec::with_capacity(asked.definitions.len() * (estates.len() + 1));
        for (question, by_estate) in questions.iter().zip(&mut tallies) {
            for (place, definition) in question.definitions.iter().enumerate() {
                let early = early.next().unwrap_or_default();
                let bases = self.bases(&asked.estates, question.period, definition, &asked.bases).await?;
                let cohort = cohort_of(definition)?;
                let value = |tally: &Tally, base: Option<Ratio>, estate: &str| {
                    definition.value(&figure(cohort, tally, base), question.period, &asked.plan_code, estate, as_of)
                };
                let mut all = Vec::with_capacity(estates.len());
                for (estate, counted) in asked.estates.iter().zip(by_estate.iter_mut().filter_map(|of| of.get_mut(place))) {
                    if let Some(early) = early.get(&estate.as_uuid()) {
                        counted.take(&tally(cohort, early));
                    }
                    let base = bases.as_ref().map(|bases| bases.get(&estate.as_uuid()).copied());
                    values.push(value(counted, base.flatten(), &estate.to_string()));
                    // An estate without a base cannot be part of a rate of households.
                    if base != Some(None) {
                        all.push(&*counted);
                    }
                }
                let base = bases.and_then(|bases| bases.into_values().try_fold(Ratio::ZERO, Ratio::plus));
                values.push(value(&Tally::sum(all), base.filter(|base| *base > Ratio::ZERO), ""));
            }
        }
        Ok(values)
    }

    /// The figure of one estate, and its rows after the page's start; one more than fit on it. Nothing kept is used: the rows are listed by
    /// the same pass that makes the figure. The cost is that of the figure's rows.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn explain_metric(&self, access: &Access, asked: &AskedRows<RowKey>) -> Result<Explained<RowKey>> {
        let (as_of, estate, definition, page) = (self.clock.now(), asked.estate, &asked.definition, &asked.page);
        let (period, scoped) = (definition.period_for(asked.period), [access.scope.estate(estate)?]);
        let mut db = self.db.pool().acquire().await.store()?;
        let mut found = self.rollups.counter().rows(&mut db, &scoped, period, definition, as_of).await?;
        drop(db);
        let mut rows = found.rows.remove(&estate.as_uuid()).unwrap_or_default();
        let early = self.early(&scoped, period, definition, as_of).await?;
        rows.retain(|row| !early.values().flatten().any(|early| early.id == row.id));
        let bases = self.bases(&[estate], period, definition, &asked.bases).await?;
        let cohort = cohort_of(definition)?;
        let made = figure(cohort, &tally(cohort, &rows), bases.and_then(|bases| bases.into_values().next()));
        let value = definition.value(&made, period, &asked.plan_code, &estate.to_string(), as_of);
        let key = |row: &Row| RowKey { at: row.at, id: row.id };
        rows.retain(|row| page.after.is_none_or(|after| key(row) > after));
        rows.sort_by_key(key);
        rows.truncate(page.size.rows() + 1);
        Ok((value, rows.iter().map(|row| (key(row), message(row))).collect()))
    }

    /// Care that came before the handover: the households below the line are those that have theirs (F-09). None for another figure.
    async fn early(&self, estates: &[ScopedEstate], period: Period, definition: &Definition, now: Timestamp) -> Result<Rows> {
        if cohort_of(definition)? != Cohort::Covered {
            return Ok(Rows::new());
        }
        let ids: Vec<EstateId> = estates.iter().map(|estate| estate.id()).collect();
        let waiting = self.audience.not_delivered(&ids, period.to).await?;
        if waiting.is_empty() {
            return Ok(Rows::new());
        }
        let counter = self.rollups.counter();
        let wanted = counter.wanted(estates, definition, now).await?;
        let of_estate: BTreeMap<EstateId, (Stretch, String)> = counter
            .stretches(estates, period)
            .await?
            .into_iter()
            .zip(wanted.layers)
            .map(|(stretch, layer)| (stretch.estate.id(), (stretch, layer)))
            .collect();
        let (mut stretches, mut layers, mut some) = (Vec::new(), Vec::new(), Vec::new());
        for (estate, household) in &waiting {
            if let Some((stretch, layer)) = of_estate.get(estate) {
                stretches.push(*stretch);
                layers.push(layer.clone());
                some.push(household.as_uuid());
            }
        }
        covered_among(self.db.pool(), &stretches, &layers, &some, wanted.programme).await
    }

    /// The households that a rate has below the line, by estate; `None` for a figure that has none.
    async fn bases(
        &self,
        estates: &[EstateId],
        period: Period,
        definition: &Definition,
        bases: &[pb::HouseholdBase],
    ) -> Result<Option<BTreeMap<Uuid, Ratio>>> {
        Ok(match cohort_of(definition)? {
            // Who was there on the first day of the month (F-08b).
            Cohort::Talks => Some(self.audience.bases(estates, period.from).await?),
            Cohort::Covered => {
                let basis = definition.parameters.basis.unwrap_or(Basis::Delivered);
                let of = |estate: &EstateId| Some((estate.as_uuid(), household_base(bases, &estate.to_string(), basis, period)?));
                Some(estates.iter().filter_map(of).collect())
            }
            Cohort::Targeted | Cohort::TargetedTwice | Cohort::Handovers | Cohort::Visits | Cohort::Complained => None,
        })
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
