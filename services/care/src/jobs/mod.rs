//! Background work. All of it runs on every replica; rows and locks decide who does what.

mod pruner;
mod timers;
mod worker;

use std::sync::Arc;

use steward_kit::Result;
use steward_kit_store::calendars;
use steward_kit_store::epoch;
use steward_kit_store::housekeeping::Housekeeping;
use steward_kit_store::inbox::Consumer;
use steward_kit_store::jobs::JobSet;
use steward_kit_store::outbox::Relay;
use steward_kit_store::rekey::Rekey;
use steward_kit_store::timers::TimerService;
use steward_kit_store::waiting;

use crate::app::{App, sealed_tables};
use crate::events::consume::{CalendarEvents, CustomerEvents, MessageEvents, OrderEvents, SurveyEvents};

/// Starts every job of the service.
///
/// # Errors
/// Two handlers for one kind of timer; Postgres does not answer.
pub(crate) async fn start(jobs: &JobSet, app: &Arc<App>) -> Result<()> {
    let (db, clock) = (&app.db, &app.clock);

    // Months made ahead; old claims, inbox marks and outbox months forgotten. The first round is awaited: a month that is attached
    // under a row on its way in would refuse that row.
    let housekeeping = Housekeeping::new(db.clone(), clock.clone(), &["contacts"]);
    housekeeping.round().await?;
    jobs.spawn("housekeeping", move |stop| housekeeping.clone().run(stop));

    // Touchpoints that ended long ago.
    let pruned = app.clone();
    jobs.spawn("pruner", move |stop| pruner::run(pruned.clone(), stop));

    // Promises with a date.
    let timers = TimerService::new(db.clone(), clock.clone(), timers::handlers(app))?;
    jobs.spawn("timers", move |stop| timers.clone().run(stop));

    // What the timers wake: planning and acting, for which customer is asked, outside of any transaction.
    let working = app.clone();
    jobs.spawn("worker", move |stop| worker::run(working.clone(), stop));

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

    // The second half of a key rotation.
    let rekey = Rekey::new(db.clone(), clock.clone(), app.cipher.clone(), sealed_tables());
    jobs.spawn("rekey", move |stop| rekey.clone().run(stop));

    // What is kept in memory notices what other replicas change.
    let watched = db.clone();
    jobs.spawn("policy epoch", move |stop| epoch::watch(watched.clone(), stop));
    Ok(())
}

/// Who takes in which facts; what none of them could apply is a dead letter of the service.
pub(crate) fn consumers(app: &Arc<App>) -> Vec<Consumer> {
    let (db, clock) = (&app.db, &app.clock);
    vec![
        // Which estates there are, who lives where, what changed.
        Consumer::new(db.clone(), clock.clone(), "customer", "households", CustomerEvents(app.clone())),
        // What became of messages.
        Consumer::new(db.clone(), clock.clone(), "notification", "messages", MessageEvents(app.clone())),
        // What became of questionnaires, and of improvements.
        Consumer::new(db.clone(), clock.clone(), "survey", "answers", SurveyEvents(app.clone())),
        // Which cases name what care did.
        Consumer::new(db.clone(), clock.clone(), "work_order", "caused_cases", OrderEvents),
        // Which days are worked.
        Consumer::new(db.clone(), clock.clone(), calendars::SOURCE, calendars::CONSUMER, CalendarEvents(app.clone())),
    ]
}
