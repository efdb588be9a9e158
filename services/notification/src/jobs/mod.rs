//! Background work. All of it runs on every replica; rows and locks decide who does what.

mod deliverer;
mod inbox_sequencer;
mod timers;

use std::sync::Arc;

use steward_kit::Result;
use steward_kit_store::epoch;
use steward_kit_store::housekeeping::Housekeeping;
use steward_kit_store::inbox::Consumer;
use steward_kit_store::jobs::JobSet;
use steward_kit_store::outbox::Relay;
use steward_kit_store::timers::TimerService;

use crate::app::App;
use crate::events::directory::CustomerEvents;
use crate::events::routing::Router;

/// The services whose facts are routed.
const SOURCES: [(&str, &str); 2] = [("work_order", "work order events"), ("customer", "customer events")];

/// Months made ahead; old claims, inbox marks and outbox months forgotten.
fn housekeeping(app: &App) -> Housekeeping {
    Housekeeping::new(app.db.clone(), app.clock.clone(), &["messages"])
}

/// What must be there before the first message: its month, made while nobody writes into the default partition.
///
/// # Errors
/// Postgres does not answer.
pub(crate) async fn prepare(app: &App) -> Result<()> {
    app.install_shipped().await?;
    housekeeping(app).round().await
}

/// Starts every job of the service.
///
/// # Errors
/// Two handlers for one kind of timer.
pub(crate) fn start(jobs: &JobSet, app: &Arc<App>) -> Result<()> {
    let (db, clock) = (&app.db, &app.clock);

    // Promises with a date: attempts to deliver, and messages that wait.
    let timers = TimerService::new(db.clone(), clock.clone(), timers::handlers(app))?;
    jobs.spawn("timers", move |stop| timers.clone().run(stop));

    // What the timers wake: the attempts themselves, outside of any transaction.
    let delivering = app.clone();
    jobs.spawn("deliverer", move |stop| deliverer::run(delivering.clone(), stop));

    // Places in the inboxes.
    let sequencing = app.clone();
    jobs.spawn("inbox sequencer", move |stop| inbox_sequencer::run(sequencing.clone(), stop));

    // Facts out, in order per subject.
    let relay = Relay::new(db.clone(), clock.clone());
    jobs.spawn("relay", move |stop| relay.clone().run(stop));

    // Facts in: which estates and customers there are.
    let directory = Consumer::new(db.clone(), clock.clone(), "customer", "directory", CustomerEvents::new(app.estates.clone()));
    jobs.spawn("directory", move |stop| directory.clone().run(stop));

    // Facts in: what people and other systems are told of.
    for (source, name) in SOURCES {
        let consumer = Consumer::new(db.clone(), clock.clone(), source, "routing", Router::new(app.clone()));
        jobs.spawn(name, move |stop| consumer.clone().run(stop));
    }

    // What is kept in memory notices what other replicas change.
    let watched = db.clone();
    jobs.spawn("policy epoch", move |stop| epoch::watch(watched.clone(), stop));

    let housekeeping = housekeeping(app);
    jobs.spawn("housekeeping", move |stop| housekeeping.clone().run(stop));
    Ok(())
}
