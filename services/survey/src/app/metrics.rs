//! Figures of a period, by the definitions that the caller brings, and the rows behind one. About six trips for each estate and
//! length of period, whatever the number of figures.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::metric::{Definition, Period};
use steward_kit::paging::PageRequest;
use steward_kit::proto::to_timestamp;
use steward_kit::{Error, Result};
use steward_proto::metric::v1 as pb;
use uuid::Uuid;

use super::App;
use crate::domain::Wave;
use crate::domain::figures::{Behind, Sheet, WaveSheet, count};
use crate::store::counts::load_numbers;
use crate::store::facts::{self, Happened};

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
pub(crate) struct Explained {
    pub(crate) estate: EstateId,
    pub(crate) period: Period,
    pub(crate) plan_code: String,
    pub(crate) definition: Definition,
}

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
    pub(crate) async fn compute_metrics(&self, access: &Access, asked: &Figures) -> Result<Vec<pb::MetricValue>> {
        let as_of = self.clock.now();
        let mut by_period: BTreeMap<_, (Period, Vec<&Definition>)> = BTreeMap::new();
        for definition in &asked.definitions {
            let counted = definition.period_for(asked.period);
            by_period.entry((counted.from, counted.to)).or_insert((counted, Vec::new())).1.push(definition);
        }
        let mut values = Vec::new();
        for (counted, definitions) in by_period.into_values() {
            let mut sheets = Vec::with_capacity(asked.estates.len());
            for estate in &asked.estates {
                sheets.push((*estate, self.sheet(access, *estate, counted, &definitions, as_of).await?));
            }
            for definition in definitions {
                let value = |sheets: &[&Sheet], estate: &str| {
                    let found = count(definition, sheets, as_of)
                        .ok_or_else(|| Error::bug(format_args!("no formula for {}", definition.metric.id)))?;
                    Ok::<_, Error>(definition.value(&found.figure, counted, &asked.plan_code, estate, as_of))
                };
                for (estate, sheet) in &sheets {
                    values.push(value(&[sheet], &estate.to_string())?);
                }
                let all: Vec<&Sheet> = sheets.iter().map(|(_, sheet)| sheet).collect();
                values.push(value(&all, "")?);
            }
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
        asked: &Explained,
        page: &PageRequest<BehindKey>,
    ) -> Result<(pb::MetricValue, Vec<(BehindKey, pb::MetricRow)>)> {
        let (as_of, definition) = (self.clock.now(), &asked.definition);
        let counted = definition.period_for(asked.period);
        let sheet = self.sheet(access, asked.estate, counted, &[definition], as_of).await?;
        let found =
            count(definition, &[&sheet], as_of).ok_or_else(|| Error::bug(format_args!("no formula for {}", definition.metric.id)))?;
        let value = definition.value(&found.figure, counted, &asked.plan_code, &asked.estate.to_string(), as_of);
        let rows = found
            .rows
            .iter()
            .map(|row| (BehindKey { at: row.at, id: row.id }, message(row)))
            .filter(|(key, _)| page.after.is_none_or(|after| *key > after))
            .take(page.size.rows() + 1);
        Ok((value, rows.collect()))
    }

    /// The facts of an estate in a period, as far as these definitions need them.
    async fn sheet(&self, access: &Access, estate: EstateId, period: Period, needed: &[&Definition], now: Timestamp) -> Result<Sheet> {
        let scoped = access.scope.estate(estate)?;
        let rules = self.rules.of(estate, now).await?;
        let span = period.instants(&rules.zone).ok_or_else(|| Error::invalid("period", "PERIOD_INVALID", "is out of range"))?;
        let pool = self.db.pool();
        let mut waves = Vec::new();
        for wave in facts::list_between::<Wave>(pool, &self.cipher, scoped, Happened::Launched, span).await? {
            // There is a standing wave a month for each occasion; nobody but who names its programme counts it.
            let is_named = needed.iter().any(|definition| definition.parameters.programme == wave.programme_code);
            if is_named || !wave.is_standing {
                waves.push(self.wave_sheet(&wave).await?);
            }
        }
        Ok(Sheet {
            waves,
            assessed: facts::list_between(pool, &self.cipher, scoped, Happened::Assessed, span).await?,
            collating: facts::list_between(pool, &self.cipher, scoped, Happened::CollationDue, span).await?,
            implemented: facts::list_between(pool, &self.cipher, scoped, Happened::Implemented, span).await?,
            verified: facts::list_between(pool, &self.cipher, scoped, Happened::Verified, span).await?,
            interview_rounds: facts::count_interview_rounds(pool, scoped, span).await?,
            suppress_below: rules.terms("").suppress_below,
        })
    }

    async fn wave_sheet(&self, wave: &Wave) -> Result<WaveSheet> {
        let numbers = load_numbers(self.db.pool(), wave.estate_id, wave.id).await?;
        let before = match wave.design.pair_wave_id {
            Some(pair) => facts::load_wave(self.db.pool(), &self.cipher, wave.estate_id, pair).await?,
            None => None,
        };
        Ok(WaveSheet {
            programme: wave.programme_code.clone(),
            is_standing: wave.is_standing,
            is_under_sample: wave.under_sample_reason.is_some(),
            answered: self.answered(wave).await?,
            eligible: numbers.eligible,
            invited: numbers.invited,
            baseline: match before {
                Some(before) => Some(self.answered(&before).await?),
                None => None,
            },
        })
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
