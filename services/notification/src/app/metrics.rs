//! Figures of a period, by the definitions that the caller brings, and the rows behind one. One trip where what is asked for was counted
//! before and is true still, whatever the number of figures, estates and messages; what is not is counted, some estates at a time, and
//! kept ([`steward_kit_store::rollups`]).

use steward_kit::Error;
use steward_kit::Result;
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::metric::{Asked, AskedRows, Explained, Tally, WEIGHT_ONE};
use steward_kit::proto::to_timestamp;
use steward_kit_store::StoreResult;
use steward_kit_store::rollups::Question;
use steward_proto::metric::v1 as pb;

use super::App;
use super::count_messages::Counting;
use crate::domain::figures::{Alike, Cohort, figure, tally};
use crate::store::metrics::{RowKey, list_tallied, tally_messages};

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
        let mut values = Vec::with_capacity(asked.definitions.len() * (estates.len() + 1));
        for (question, by_estate) in questions.iter().zip(&tallies) {
            for (place, definition) in question.definitions.iter().enumerate() {
                let cohort = Counting::of(definition)?.cohort;
                let value = |tally: &Tally, estate: &str| {
                    definition.value(&figure(cohort, tally), question.period, &asked.plan_code, estate, as_of)
                };
                let own: Vec<&Tally> = by_estate.iter().filter_map(|of| of.get(place)).collect();
                values.extend(asked.estates.iter().zip(&own).map(|(estate, tally)| value(tally, &estate.to_string())));
                values.push(value(&Tally::sum(own), ""));
            }
        }
        Ok(values)
    }

    /// The figure of one estate, and its rows after the page's start; one more than fit on it. Nothing kept is used. Two trips.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn explain_metric(&self, access: &Access, asked: &AskedRows<RowKey>) -> Result<Explained<RowKey>> {
        let definition = &asked.definition;
        let (Counting { cohort, limit_seconds: limit }, period) = (Counting::of(definition)?, definition.period_for(asked.period));
        let stretches = self.rollups.counter().stretches(&[access.scope.estate(asked.estate)?], period).await?;
        let stretch = *stretches.first().ok_or_else(|| Error::bug("an estate without its period"))?;
        let mut db = self.db.pool().acquire().await.store()?;
        let alike: Vec<Alike> = tally_messages(&mut db, &stretches, limit).await?.into_values().flatten().collect();
        let made = figure(cohort, &tally(cohort, limit.is_some(), &alike));
        let value = definition.value(&made, period, &asked.plan_code, &asked.estate.to_string(), self.clock.now());
        let rows = list_tallied(&mut db, stretch, limit, &asked.page).await?;
        Ok((value, rows.into_iter().map(|(key, message)| (key, row(key, cohort, limit.is_some(), &message))).collect()))
    }
}

/// A message as a row: its id, its time and how it stands. No name, no address, no word of it.
fn row(key: RowKey, cohort: Cohort, limited: bool, message: &Alike) -> pb::MetricRow {
    let standing = message.placed(cohort, limited).into_iter().find(|(_, count)| *count > 0).map(|(standing, _)| standing);
    let reason = message.reason.map(|reason| reason.as_str()).or(standing.map(|standing| standing.as_str()));
    pb::MetricRow {
        subject_kind: "message".to_owned(),
        subject_id: key.id.to_string(),
        in_numerator: standing.is_some_and(|standing| standing.in_numerator(cohort)),
        in_denominator: standing.is_some_and(|standing| standing.in_denominator(cohort)),
        reason_code: reason.unwrap_or_default().to_owned(),
        subject_number: String::new(),
        event_time: Some(to_timestamp(key.at)),
        value: message.latency_ms / 1000,
        weight_ppm: WEIGHT_ONE,
    }
}
