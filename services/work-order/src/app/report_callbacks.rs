//! What the callbacks of a month brought (WO-36). One trip where the month was counted before.

use jiff::civil::Date;
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::metric::{AddsUp, CallbackCounts, Definition, Period, PeriodKind, metric};
use steward_kit::{Error, Result};
use steward_kit_store::rollups::Question;

use super::App;
use crate::domain::figures::low_scores;

/// A report.
#[derive(Debug)]
pub(crate) struct CallbackReport {
    /// Callbacks due in the month.
    pub(crate) callbacks: CallbackCounts,
    /// How many gave each score, from 1 to 5, of the cases completed in the month.
    pub(crate) scores: Vec<i64>,
    /// Low scores by category, most often first.
    pub(crate) issues: Vec<(String, i64)>,
}

impl App {
    /// The report of the month that a day lies in.
    pub(crate) async fn callback_report(&self, access: &Access, estate: EstateId, month: Date) -> Result<CallbackReport> {
        let scoped = access.scope.estate(estate)?;
        let catalogued = |id| metric(id, None).map(Definition::of).ok_or_else(|| Error::bug(format_args!("the catalogue has no {id}")));
        let definitions = [catalogued("callback_coverage")?, catalogued("callback_csat_rate")?, low_scores()];
        let period = Period::around(PeriodKind::Month, month).ok_or_else(|| Error::bug("a month without days"))?;
        let question = Question::new(period, definitions.into()).into();
        let tallies = self.rollups.tallies(&[question], &[scoped], self.clock.now()).await?;
        let Some([callbacks, scores, low]) = tallies.first().and_then(|of_estates| of_estates.first()).map(Vec::as_slice) else {
            return Err(Error::bug("a count lacks a definition"));
        };
        let mut issues: Vec<(String, i64)> = low.cells.iter().map(|cell| (cell.key.clone(), cell.number)).collect();
        issues.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(CallbackReport { callbacks: CallbackCounts::of_tally(callbacks), scores: scores.numbers.clone(), issues })
    }
}
