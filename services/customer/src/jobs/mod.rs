//! Background work. All of it runs on every replica; rows and locks decide who does what.

mod facts;
mod imports;

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

use crate::app::App;
use crate::events::{HouseholdFacts, Subscriptions, Timeline};
use crate::store::sealed::sealed_tables;

pub(crate) use imports::{EXPIRE_IMPORT, PLAN_IMPORT, WRITE_IMPORT};

/// Starts every job of the service.
///
/// # Errors
/// Two handlers for one kind of timer; Postgres does not answer.
pub(crate) async fn start(jobs: &JobSet, app: &Arc<App>) -> Result<()> {
    let (db, clock) = (&app.db, &app.clock);

    // Months made ahead; old claims, inbox marks and outbox months forgotten. The first round is awaited: a month that is
    // attached under a row on its way in would refuse that row.
    let housekeeping = Housekeeping::new(db.clone(), clock.clone(), &["audit_entries", "timeline_entries"]);
    housekeeping.round().await?;
    jobs.spawn("housekeeping", move |stop| housekeeping.clone().run(stop));

    // The steps of imports, and the end of those that were left.
    let timers = TimerService::new(db.clone(), clock.clone(), imports::handlers(app))?;
    jobs.spawn("timers", move |stop| timers.clone().run(stop));

    // After a key rotation: what is under an older key is brought under the current one.
    let rekey = Rekey::new(db.clone(), clock.clone(), app.cipher(), sealed_tables());
    jobs.spawn("rekey", move |stop| rekey.clone().run(stop));

    // What predicates ask, kept true: households that changed, days that ended.
    let keeper = Arc::clone(app);
    jobs.spawn("facts", move |stop| facts::keep(Arc::clone(&keeper), stop));

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
    Ok(())
}

/// Who takes in which facts; what none of them could apply is a dead letter of the service.
pub(crate) fn consumers(app: &App) -> Vec<Consumer> {
    let (db, clock) = (&app.db, &app.clock);
    // What working days are counted by.
    let calendars = CalendarStore::new(db.clone());
    let calendars = Consumer::new(db.clone(), clock.clone(), calendars::SOURCE, calendars::CONSUMER, calendars);
    // The timeline takes in this service's own facts as it takes in everybody else's.
    let timeline = ["work_order", crate::SCHEMA].map(|source| Consumer::new(db.clone(), clock.clone(), source, "timeline", Timeline));
    // Orders tell of major complaints and of the services that a household uses.
    let facts = Consumer::new(db.clone(), clock.clone(), "work_order", "household_facts", HouseholdFacts);
    // Packages that are given up are exits.
    let exits = Consumer::new(db.clone(), clock.clone(), "care", "exits", Subscriptions);
    timeline.into_iter().chain([calendars, facts, exits]).collect()
}
