//! The rows behind one figure. The same pass that makes the figure, so that they cannot disagree; nothing kept is used. One trip.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::ids::WorkOrderId;
use steward_kit::metric::{AsOf, AskedRows, Explained, household_base};
use steward_kit::proto::to_timestamp;
use steward_kit_store::StoreResult;
use steward_proto::metric::v1 as pb;

use super::App;
use super::count_cases::{counted, no_formula};
use crate::domain::figures::{Row, figure};

/// Place of a row: by time, then by order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RowKey {
    at: Timestamp,
    order: WorkOrderId,
}

impl App {
    /// The figure, and its rows after the page's start; one more than fit on it.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn explain_metric(&self, access: &Access, asked: &AskedRows<RowKey>) -> Result<Explained<RowKey>> {
        let (as_of, definition, page) = (self.clock.now(), &asked.definition, &asked.page);
        let period = definition.period_for(asked.period);
        let scoped = access.scope.estate(asked.estate)?;
        let mut db = self.db.pool().acquire().await.store()?;
        let sheets = self.rollups.counter().sheets(&mut db, &[scoped], period, &[definition]).await?;
        drop(db);
        let estate = asked.estate.to_string();
        let base = definition.parameters.basis.and_then(|basis| household_base(&asked.bases, &estate, basis, period));
        let sheets: Vec<_> = sheets.iter().collect();
        let found = counted(definition, &AsOf::new(as_of), &sheets)?;
        let figure = figure(definition, &found.tally, base).ok_or_else(|| no_formula(definition))?;
        let value = definition.value(&figure, period, &asked.plan_code, &estate, as_of);
        let mut rows: Vec<(RowKey, &Row<'_>)> = found.rows.iter().map(|row| (RowKey { at: row.at, order: row.order }, row)).collect();
        rows.retain(|(key, _)| page.after.is_none_or(|after| *key > after));
        rows.sort_by_key(|(key, _)| *key);
        rows.truncate(page.size.rows() + 1);
        Ok((value, rows.into_iter().map(|(key, row)| (key, message(row))).collect()))
    }
}

fn message(row: &Row<'_>) -> pb::MetricRow {
    pb::MetricRow {
        subject_kind: "work_order".to_owned(),
        subject_id: row.order.to_string(),
        subject_number: row.number.to_owned(),
        in_numerator: row.in_numerator,
        in_denominator: row.in_denominator,
        reason_code: row.reason.to_owned(),
        event_time: Some(to_timestamp(row.at)),
        value: row.value,
        weight_ppm: steward_kit::metric::WEIGHT_ONE,
    }
}
