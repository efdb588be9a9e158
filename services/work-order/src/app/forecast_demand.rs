//! What a month to come will bring (WO-58). Two trips where the months were counted before, which past ones are but for corrections.

use jiff::Span;
use jiff::civil::Date;
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit::metric::{Period, PeriodKind};
use steward_kit::{Error, Result};

use super::App;
use crate::domain::analysis::{CaseSlice, Forecast, cells_of, forecast};
use crate::store::count_workers;

/// Whole months looked back on, at most.
const LOOK_BACK: i32 = 60;
/// Months ahead, at most.
const LOOK_AHEAD: usize = 12;

/// A forecast, and what it was made of.
#[derive(Debug)]
pub(crate) struct Demand {
    /// What the month will bring.
    pub(crate) forecast: Forecast,
    /// First days of the whole months it was made of, with their cases.
    pub(crate) history: Vec<(Date, i64)>,
    /// Workers on the rosters.
    pub(crate) workers: i64,
    /// Workers for as many cases each as in an ordinary month.
    pub(crate) workers_needed: i64,
}

impl App {
    /// Forecasts a month (its first day) from the whole months before the present one.
    ///
    /// # Errors
    /// `ForecastMonthInvalid`, `HistoryTooShort`; `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn forecast_demand(&self, access: &Access, estates: &[EstateId], slice: &CaseSlice, month: Date) -> Result<Demand> {
        let estates: Vec<ScopedEstate> = estates.iter().map(|id| access.scope.estate(*id)).collect::<Result<_>>()?;
        let Some(first) = estates.first() else { return Err(Error::bug("a forecast of no estate")) };
        let zone = self.rules.estates.get(first.id()).await?.zone()?;
        let present = zone.to_datetime(self.clock.now()).date().first_of_month();
        // 1 is the present month: the whole ones end before it.
        let ahead = usize::try_from(months_between(present, month) + 1).ok().filter(|ahead| (1..=LOOK_AHEAD + 1).contains(ahead));
        let Some(ahead) = ahead else {
            return Err(Error::invalid(
                "month",
                "FORECAST_MONTH_INVALID",
                format!("must be {} or one of the twelve months after it", said(present)),
            ));
        };
        let periods: Vec<Period> = (1..=LOOK_BACK)
            .rev()
            .filter_map(|back| Period::around(PeriodKind::Month, present.checked_sub(Span::new().months(back)).ok()?))
            .collect();
        let tallies = self.case_tallies(&estates, &periods).await?;
        let all: Vec<i64> = tallies.iter().map(|of_estates| of_estates.iter().flat_map(cells_of).map(|(_, cases)| cases).sum()).collect();
        let counts = tallies
            .iter()
            .map(|of_estates| of_estates.iter().flat_map(cells_of).filter(|(key, _)| slice.has(key)).map(|(_, cases)| cases).sum::<i64>());
        // Before its first case of any kind an estate was not there yet.
        let begun = all.iter().position(|cases| *cases > 0).unwrap_or(all.len());
        let history: Vec<(Date, i64)> = periods.iter().map(|period| period.from).zip(counts).skip(begun).collect();
        let counts: Vec<i64> = history.iter().map(|(_, cases)| *cases).collect();
        let Some(forecast) = forecast(&counts, ahead) else {
            let said = format!(
                "{} whole months with cases are known; a forecast needs two whole years, and a case of the category in them",
                counts.len()
            );
            return Err(Error::invalid("estate_ids", "HISTORY_TOO_SHORT", said));
        };
        let workers = count_workers(self.db.pool(), &estates).await?;
        let workers_needed = if forecast.usual_milli > 0 {
            (workers * forecast.expected * 1000 + forecast.usual_milli - 1) / forecast.usual_milli
        } else {
            0
        };
        Ok(Demand { forecast, history, workers, workers_needed })
    }
}

fn months_between(from: Date, to: Date) -> i32 {
    (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month()) - i32::from(from.month())
}

/// A month as the contract writes it.
pub(crate) fn said(month: Date) -> String {
    format!("{:04}-{:02}", month.year(), month.month())
}
