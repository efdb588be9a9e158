//! Figures of a period, by the definitions that the caller brings, and the rows behind one. One trip where what is asked for was counted
//! before and is true still, whatever the number of figures and estates; what is not is counted, some estates at a time, and kept
//! ([`steward_kit_store::rollups`]). An explanation costs two trips.
//!
//! Figures of files tell how they stand: tenures as they held on the period's last day that has come, everything else as it is now.
//! Figures of churn tell who of those that were there on the period's first day has left in it, by the register of exits.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::Result;
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::metric::{Asked, AskedRows, Explained, Tally, WEIGHT_ONE};
use steward_kit::proto::to_timestamp;
use steward_kit_store::StoreResult;
use steward_kit_store::rollups::Question;
use steward_proto::metric::v1 as pb;
use uuid::Uuid;

use super::App;
use super::count_customers::{cohort_of, exit_kinds};
use crate::domain::figures::{Cohort, figure};
use crate::store::metrics::{JudgedRow, list_files};
use crate::store::stays::{EstateRow, list_estate_stays, list_stays};

/// Place of a row: by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RowKey {
    pub(crate) at: Timestamp,
    pub(crate) id: Uuid,
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
        let mut values = Vec::with_capacity(asked.definitions.len() * (estates.len() + 1));
        for (question, by_estate) in questions.iter().zip(&tallies) {
            for (place, definition) in question.definitions.iter().enumerate() {
                let cohort = cohort_of(definition)?;
                let value = |tally: &Tally, estate: &str| {
                    definition.value(&figure(cohort, tally), question.period, &asked.plan_code, estate, as_of)
                };
                let mut all = Vec::with_capacity(estates.len());
                for (estate, tally) in asked.estates.iter().zip(by_estate.iter().filter_map(|of| of.get(place))) {
                    values.push(value(tally, &estate.to_string()));
                    all.push(tally);
                }
                values.push(value(&Tally::sum(all), ""));
            }
        }
        Ok(values)
    }

    /// The figure, and its rows after the page's start; one more than fit on it. Nothing kept is used. Two trips.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn explain_metric(&self, access: &Access, asked: &AskedRows<RowKey>) -> Result<Explained<RowKey>> {
        let (as_of, definition, page) = (self.clock.now(), &asked.definition, &asked.page);
        let (period, cohort) = (definition.period_for(asked.period), cohort_of(definition)?);
        let counter = self.rollups.counter();
        let readings = counter.readings(&[access.scope.estate(asked.estate)?], period, as_of).await?;
        let value = |tally: &Tally| definition.value(&figure(cohort, tally), period, &asked.plan_code, &asked.estate.to_string(), as_of);
        let Some(stretch) = readings.into_iter().find_map(|reading| reading.stretch) else {
            return Ok((value(&Tally::default()), Vec::new()));
        };
        let mut db = self.db.pool().acquire().await.store()?;
        let stretches = std::slice::from_ref(&stretch);
        let tallies = counter.tallies(&mut db, definition, stretches).await?;
        let rows = match cohort {
            Cohort::Customers | Cohort::Households => list_files(&mut db, cohort.subject(), &stretch, page).await?,
            Cohort::Stays => list_stays(&mut db, &stretch, &exit_kinds(definition), page).await?,
            Cohort::Estates => {
                let rows = list_estate_stays(&mut db, stretches).await?.into_iter().map(judged);
                rows.filter(|row| page.after.is_none_or(|after| row.key > after)).collect()
            }
        };
        let rows = rows.into_iter().map(|row| (row.key, message(cohort.subject(), row))).collect();
        Ok((value(&Tally::sum(tallies.values())), rows))
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
