//! Figures of a period, by the definitions that the caller brings, and the rows behind one. One trip where what is asked for was
//! counted before and is true still, whatever the number of figures, estates, waves and responses; what is not is counted, some
//! estates at a time, and kept ([`steward_kit_store::rollups`]).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::Result;
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit::metric::{AsOf, Asked, AskedRows, Explained, Tally};
use steward_kit::proto::to_timestamp;
use steward_kit_store::rollups::Question;
use steward_proto::metric::v1 as pb;
use uuid::Uuid;

use super::App;
use super::count_answers::{counted, no_formula};
use crate::domain::figures::{Behind, figure};

/// Place of a row: by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct BehindKey {
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
        let tallies = self.rollups.tallies(&questions, &estates, as_of).await?;
        let mut limits = Vec::with_capacity(estates.len());
        for estate in &asked.estates {
            limits.push(self.suppress_below(*estate, as_of).await?);
        }
        let strictest = limits.iter().copied().max().unwrap_or_default();
        let mut values = Vec::with_capacity(asked.definitions.len() * (estates.len() + 1));
        for (question, by_estate) in questions.iter().zip(&tallies) {
            for (place, definition) in question.definitions.iter().enumerate() {
                let value = |tally: &Tally, below: u32, estate: &str| -> Result<pb::MetricValue> {
                    let figure = figure(definition, tally, below).ok_or_else(|| no_formula(definition))?;
                    Ok(definition.value(&figure, question.period, &asked.plan_code, estate, as_of))
                };
                let mut all = Vec::with_capacity(estates.len());
                for ((estate, below), tally) in asked.estates.iter().zip(&limits).zip(by_estate.iter().filter_map(|of| of.get(place))) {
                    values.push(value(tally, *below, &estate.to_string())?);
                    all.push(tally);
                }
                values.push(value(&Tally::sum(all), strictest, "")?);
            }
        }
        Ok(values)
    }

    /// The figure, and its rows after the page's start; one more than fit on it. Nothing kept is used: the rows are listed by the same
    /// pass that makes the figure. Two trips, the cost is that of the figure's rows.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn explain_metric(&self, access: &Access, asked: &AskedRows<BehindKey>) -> Result<Explained<BehindKey>> {
        let (as_of, definition, page) = (self.clock.now(), &asked.definition, &asked.page);
        let period = definition.period_for(asked.period);
        let scoped = access.scope.estate(asked.estate)?;
        let below = self.suppress_below(asked.estate, as_of).await?;
        let mut db = self.connection().await?;
        let sheet = self.rollups.counter().sheet(&mut db, scoped, period, definition).await?;
        drop(db);
        let found = counted(definition, &AsOf::new(as_of), &sheet)?;
        let figure = figure(definition, &found.tally, below).ok_or_else(|| no_formula(definition))?;
        let value = definition.value(&figure, period, &asked.plan_code, &asked.estate.to_string(), as_of);
        let mut rows: Vec<(BehindKey, &Behind)> = found.rows.iter().map(|row| (BehindKey { at: row.at, id: row.id }, row)).collect();
        // The figure of few gives them away, and so do its rows.
        rows.retain(|(key, _)| !figure.is_suppressed && page.after.is_none_or(|after| *key > after));
        rows.sort_by_key(|(key, _)| *key);
        rows.truncate(page.size.rows() + 1);
        Ok((value, rows.into_iter().map(|(key, row)| (key, message(row))).collect()))
    }

    /// Of how many at least an estate shows figures. From memory.
    async fn suppress_below(&self, estate: EstateId, now: Timestamp) -> Result<u32> {
        Ok(self.rules.of(estate, now).await?.terms("").suppress_below)
    }
}

fn message(row: &Behind) -> pb::MetricRow {
    pb::MetricRow {
        subject_kind: row.kind.to_owned(),
        subject_id: row.id.to_string(),
        in_numerator: row.counts,
        in_denominator: true,
        reason_code: row.reason.to_owned(),
        subject_number: String::new(),
        event_time: Some(to_timestamp(row.at)),
        value: row.value,
        weight_ppm: row.weight,
    }
}
