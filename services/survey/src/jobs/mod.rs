//! Background work. All of it runs on every replica; rows and locks decide who does what.

mod framer;
mod reporter;
mod timers;

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

use crate::app::App;
use crate::events::{CareEvents, DeliveryEvents, DirectoryEvents};
use crate::store::sealed_tables;

/// The tables of the service that are cut by months.
const PARTITIONED: &[&str] = &["responses", "response_revisions"];

/// Starts every job of the service.
///
/// # Errors
/// Two handlers for one kind of timer; Postgres does not answer.
pub(crate) async fn start(jobs: &JobSet, app: &Arc<App>) -> Result<()> {
    let (db, clock) = (&app.db, &app.clock);

    // Months made ahead; old claims, inbox marks and outbox months forgotten. The first round is awaited: a month that is
    // attached under a row on its way in would refuse that row.
    let housekeeping = Housekeeping::new(db.clone(), clock.clone(), PARTITIONED);
    housekeeping.round().await?;
    jobs.spawn("housekeeping", move |stop| housekeeping.clone().run(stop));

    // Promises with a date: invitations, reminders, waves that close, places in quotas, collation, measures, follow windows,
    // mystery visits and appeals.
    let timers = TimerService::new(db.clone(), clock.clone(), timers::handlers(app))?;
    jobs.spawn("timers", move |stop| timers.clone().run(stop));

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
        jobs.spawn("events", move |stop| consumer.clone().run(stop));
    }

    // Frames that are being made, and reports that are owed.
    let framing = app.clone();
    jobs.spawn("framer", move |stop| framer::run(framing.clone(), stop));
    let reporting = app.clone();
    jobs.spawn("reporter", move |stop| reporter::run(reporting.clone(), stop));

    // Figures that boards ask for are counted before they ask.
    app.rollups().start(jobs);

    // After a key rotation what is sealed comes under the new key.
    let rekey = Rekey::new(db.clone(), clock.clone(), app.cipher().clone(), sealed_tables());
    jobs.spawn("rekey", move |stop| rekey.clone().run(stop));

    // Reads stay fresh in a process that does not write.
    let watched = db.clone();
    jobs.spawn("epoch", move |stop| epoch::watch(watched.clone(), stop));
    Ok(())
}

/// What is heard of other services: estates, official years, what became of our messages, and whom care wants asked.
pub(crate) fn consumers(app: &Arc<App>) -> Vec<Consumer> {
    let (db, clock) = (&app.db, &app.clock);
    vec![
        Consumer::new(db.clone(), clock.clone(), "customer", "directory", DirectoryEvents::new(app.estates().clone())),
        Consumer::new(db.clone(), clock.clone(), "notification", "deliveries", DeliveryEvents),
        Consumer::new(db.clone(), clock.clone(), "care", "occasions", CareEvents(app.clone())),
        Consumer::new(db.clone(), clock.clone(), calendars::SOURCE, calendars::CONSUMER, app.calendars().clone()),
    ]
}
