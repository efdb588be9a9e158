//! Background work. All of it runs on every replica; rows and locks decide who does what.

mod deliverer;
mod forgetter;
mod inbox_sequencer;
mod lanes;
mod timers;

use std::sync::Arc;

use steward_kit::Result;
use steward_kit_store::calendars::{self, CalendarStore};
use steward_kit_store::epoch;
use steward_kit_store::housekeeping::Housekeeping;
use steward_kit_store::inbox::Consumer;
use steward_kit_store::jobs::JobSet;
use steward_kit_store::outbox::Relay;
use steward_kit_store::rekey::Rekey;
use steward_kit_store::timers::TimerService;
use steward_kit_store::waiting;

use crate::app::{App, expect_deliveries};
use crate::events::directory::CustomerEvents;
use crate::events::routing::Router;
use crate::store::sealed::sealed_tables;

/// The services whose facts are routed.
const SOURCES: [&str; 4] = ["work_order", "customer", "survey", "care"];

/// Months made ahead; old claims, inbox marks and outbox months forgotten.
fn housekeeping(app: &App) -> Housekeeping {
    Housekeeping::new(app.db.clone(), app.clock.clone(), &["messages", "deliveries", "inbox_items", "contact_entries"])
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

    // Promises with a date: attempts to deliver, messages that wait, broadcasts.
    let timers = TimerService::new(db.clone(), clock.clone(), timers::handlers(app))?;
    jobs.spawn("timers", move |stop| timers.clone().run(stop));

    // What the timers wake: the attempts themselves, outside of any transaction.
    expect_deliveries();
    let delivering = app.clone();
    jobs.spawn("deliverer", move |stop| deliverer::run(delivering.clone(), stop));

    // Places in the inboxes.
    let sequencing = app.clone();
    jobs.spawn("inbox sequencer", move |stop| inbox_sequencer::run(sequencing.clone(), stop));

    // What waits on a connection that fell silent begins anew.
    jobs.mind(&app.db);

    // What waits and how long, for the metrics page.
    let (counted, by) = (db.clone(), clock.clone());
    jobs.spawn("waiting", move |stop| waiting::watch(counted.clone(), by.clone(), stop));

    // Facts out, in order per subject.
    let relay = Relay::new(db.clone(), clock.clone());
    jobs.spawn("relay", move |stop| relay.clone().run(stop));

    // Facts in.
    for consumer in consumers(app) {
        jobs.spawn("events in", move |stop| consumer.clone().run(stop));
    }

    // Figures that boards ask for are counted before they ask.
    app.rollups().start(jobs);

    // What is kept in memory notices what other replicas change.
    let watched = db.clone();
    jobs.spawn("policy epoch", move |stop| epoch::watch(watched.clone(), stop));

    // What nothing looks at any more.
    let forgetting = app.clone();
    jobs.spawn("forgetter", move |stop| forgetter::run(forgetting.clone(), stop));

    // The second half of a key rotation.
    let rekey = Rekey::new(db.clone(), clock.clone(), app.cipher(), sealed_tables());
    jobs.spawn("rekey", move |stop| rekey.clone().run(stop));

    let housekeeping = housekeeping(app);
    jobs.spawn("housekeeping", move |stop| housekeeping.clone().run(stop));
    Ok(())
}

/// Who takes in which facts; what none of them could apply is a dead letter of the service.
pub(crate) fn consumers(app: &Arc<App>) -> Vec<Consumer> {
    // Which estates and customers there are.
    let directory = Consumer::new(app.db.clone(), app.clock.clone(), "customer", "directory", CustomerEvents::new(app.estates.clone()));
    // What people and other systems are told of.
    let routing = SOURCES.map(|source| Consumer::new(app.db.clone(), app.clock.clone(), source, "routing", Router::new(app.clone())));
    // What working days are counted by.
    let calendars = CalendarStore::new(app.db.clone());
    let calendars = Consumer::new(app.db.clone(), app.clock.clone(), calendars::SOURCE, calendars::CONSUMER, calendars);
    [directory, calendars].into_iter().chain(routing).collect()
}
