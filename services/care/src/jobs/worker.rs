//! Does what timers woke. What fails is tried again after a pause, when nothing else waits; and if this process dies, the timer that was
//! set again before the work was tried finds it.

use std::sync::Arc;
use std::time::Duration;

use steward_kit::Result;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::app::{App, Work};

/// How long what failed rests: a neighbour that is down is not asked more often.
const PAUSE: Duration = Duration::from_secs(2);

/// Runs until told to stop; work under way is finished first.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    // What was due when the process ended is due now.
    app.wakes.add(Work::Act);
    let mut again = Vec::new();
    loop {
        let work = tokio::select! {
            () = stop.cancelled() => return,
            work = app.wakes.take() => work,
            () = tokio::time::sleep(PAUSE), if !again.is_empty() => {
                again.drain(..).for_each(|work| app.wakes.add(work));
                continue;
            }
        };
        // A trace of its own: what it asks of others and what it tells is found together.
        let span = tracing::info_span!("care_work", otel.name = name_of(&work));
        if let Err(error) = one(&app, work).instrument(span).await {
            tracing::warn!(?work, error = ?error, "could not be done now; it is tried again");
            again.push(work);
        }
    }
}

fn name_of(work: &Work) -> &'static str {
    match work {
        Work::Act => "act on touchpoints",
        Work::Plan(..) => "plan a programme",
        Work::Round(_) => "prepare a round",
        Work::Recount(_) => "recount an estate",
    }
}

async fn one(app: &App, work: Work) -> Result<()> {
    match work {
        Work::Act => app.act().await,
        Work::Plan(programme, estate) => app.plan_programme(programme.into(), estate.into()).await,
        Work::Round(round) => app.prepare_round(round).await,
        Work::Recount(estate) => app.recount(estate.into()).await,
    }
}
