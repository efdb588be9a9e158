//! Does what timers woke, several at once: attempts to deliver, and messages to be judged.

use std::collections::HashSet;
use std::sync::Arc;

use steward_kit::Result;
use steward_kit::telemetry::continue_trace;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use tracing::field::Empty;

use crate::app::{App, Due, Errand};

/// Most errands of one process at once: most of their time is waiting for others.
const AT_ONCE: usize = 32;

/// Runs until told to stop; attempts under way are finished first.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut running: JoinSet<(Errand, Result<()>)> = JoinSet::new();
    let mut under_way: HashSet<Errand> = HashSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(ended) = running.join_next(), if !running.is_empty() => note(ended, &mut under_way),
            due = app.wakes.take_errands() => {
                for due in due {
                    let errand = due.errand;
                    // A clock that was moved may wake an attempt whose lease only seems to be over.
                    if !under_way.insert(errand) {
                        continue;
                    }
                    while running.len() >= AT_ONCE {
                        if let Some(ended) = running.join_next().await {
                            note(ended, &mut under_way);
                        }
                    }
                    let (app, span) = (app.clone(), span_of(&due));
                    let work = async move {
                        let outcome = match errand {
                            Errand::Attempt(delivery) => app.attempt_delivery(delivery).await,
                            Errand::Judge(message) => app.settle_message(message).await,
                        };
                        (errand, outcome)
                    };
                    running.spawn(work.instrument(span));
                }
            }
        }
    }
    while running.join_next().await.is_some() {}
}

/// Within the trace of what the message tells of.
fn span_of(due: &Due) -> tracing::Span {
    let span = match due.errand {
        Errand::Attempt(delivery) => {
            tracing::info_span!(parent: None, "deliver", otel.name = "deliver", otel.kind = "client", %delivery, channel = Empty, outcome = Empty)
        }
        Errand::Judge(message) => tracing::info_span!(parent: None, "judge_message", otel.name = "judge message", %message),
    };
    continue_trace(&span, &due.traceparent);
    span
}

fn note(ended: Result<(Errand, Result<()>), tokio::task::JoinError>, under_way: &mut HashSet<Errand>) {
    match ended {
        Ok((errand, outcome)) => {
            under_way.remove(&errand);
            if let Err(error) = outcome {
                tracing::warn!(?errand, error = ?error, "an errand was not recorded; it is done again when its lease ends");
            }
        }
        Err(error) => {
            // Which one panicked is not told; forgetting all of them costs a claim that finds nothing.
            under_way.clear();
            tracing::error!(%error, "an errand panicked");
        }
    }
}
