//! Does what timers woke, several at once: attempts to deliver, messages to be judged, pages of broadcasts.

use std::collections::HashMap;
use std::sync::Arc;

use steward_kit::Result;
use steward_kit::telemetry::continue_trace;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use tracing::field::Empty;

use super::lanes::Lanes;
use crate::app::{App, Due, Errand, Lane};

/// Runs until told to stop; errands under way are finished first.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut work = Work { app, stop: stop.clone(), lanes: Lanes::default(), running: JoinSet::new(), under_way: HashMap::new() };
    loop {
        work.start();
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(ended) = work.running.join_next_with_id(), if !work.running.is_empty() => work.note(ended),
            // A clock that was moved may wake an attempt whose lease only seems to be over.
            due = work.app.wakes.take_errands() => due.into_iter().for_each(|due| work.lanes.push(due)),
        }
    }
    while work.running.join_next().await.is_some() {}
}

/// Errands that wait and run.
struct Work {
    app: Arc<App>,
    stop: CancellationToken,
    lanes: Lanes,
    running: JoinSet<Result<()>>,
    under_way: HashMap<Id, (Errand, Lane)>,
}

impl Work {
    /// Starts what has a place.
    fn start(&mut self) {
        while let Some(due) = self.lanes.start() {
            let (app, stop, errand) = (self.app.clone(), self.stop.clone(), due.errand);
            let work = async move {
                match errand {
                    Errand::Attempt(delivery) => app.attempt_delivery(delivery).await,
                    Errand::Judge(message) => app.settle_message(message).await,
                    Errand::Broadcast(broadcast) => app.run_broadcast(broadcast, &stop).await,
                }
            };
            let handle = self.running.spawn(work.instrument(span_of(&due)));
            self.under_way.insert(handle.id(), (errand, due.lane));
        }
    }

    /// Gives the place of an errand free.
    fn note(&mut self, ended: Result<(Id, Result<()>), tokio::task::JoinError>) {
        let id = ended.as_ref().map_or_else(tokio::task::JoinError::id, |(id, _)| *id);
        let errand = self.under_way.remove(&id);
        match ended {
            Ok((_, Ok(()))) => {}
            Ok((_, Err(error))) => {
                tracing::warn!(?errand, error = ?error, "an errand was not recorded; it is done again when its lease ends");
            }
            Err(error) => tracing::error!(?errand, %error, "an errand panicked"),
        }
        if let Some((errand, lane)) = errand {
            self.lanes.end(errand, lane);
        }
    }
}

/// Within the trace of what the message tells of.
fn span_of(due: &Due) -> tracing::Span {
    let span = match due.errand {
        Errand::Attempt(delivery) => {
            tracing::info_span!(parent: None, "deliver", otel.name = "deliver", otel.kind = "client", %delivery, channel = Empty, outcome = Empty)
        }
        Errand::Judge(message) => tracing::info_span!(parent: None, "judge_message", otel.name = "judge message", %message),
        Errand::Broadcast(broadcast) => tracing::info_span!(parent: None, "run_broadcast", otel.name = "run broadcast", %broadcast),
    };
    continue_trace(&span, &due.traceparent);
    span
}
