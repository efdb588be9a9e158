//! A year that is not announced is alerted, never guessed (XC-20): a metric that a rule watches, and a line each day.

use std::sync::{Arc, LazyLock};

use jiff::SignedDuration;
use steward_kit::telemetry::{Gauge, gauge};
use tokio_util::sync::CancellationToken;

use crate::app::App;

const EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The notice for a year comes in November; from December on a missing one is somebody's omission.
const LATE_FROM_MONTH: i8 = 12;

static MISSING: LazyLock<Gauge> = LazyLock::new(|| {
    gauge(
        "steward_work_order_calendar_year_missing",
        "1 while the public holidays of this or the next year are not loaded, by year: this, next",
    )
});

/// The job.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let again = app.clock.now() + EVERY;
        look(&app).await;
        stop.run_until_cancelled(app.clock.sleep_until(again)).await;
    }
}

async fn look(app: &App) {
    let years = match app.calendar_outlook().await {
        Ok(years) => years,
        Err(error) => return tracing::warn!(error = ?error, "could not look for missing calendar years"),
    };
    for (label, year) in [("this", years.this), ("next", years.next)] {
        MISSING.set(if year.announced { 0.0 } else { 1.0 }, &[("year", label)]);
    }
    let late = !years.this.announced || (!years.next.announced && years.month >= LATE_FROM_MONTH);
    if late {
        let missing = if years.this.announced { years.next.year } else { years.this.year };
        tracing::warn!(
            year = missing,
            "public holidays are not loaded: working-day deadlines of this year are provisional; LoadCalendarYear ends that"
        );
    }
}
