//! Background work. All of it runs on every replica; rows and locks decide who does what.

mod calendar_alert;
mod timers;

use std::sync::Arc;

use steward_kit::Result;
use steward_kit_store::epoch;
use steward_kit_store::housekeeping::Housekeeping;
use steward_kit_store::inbox::Consumer;
use steward_kit_store::jobs::JobSet;
use steward_kit_store::outbox::{Relay, listen_published};
use steward_kit_store::rekey::Rekey;
use steward_kit_store::timers::TimerService;
use steward_kit_store::waiting;

use crate::app::App;
use crate::events::{AskedOrders, CustomerEvents};
use crate::store::sealed_tables;

/// Starts every job of the service.
///
/// # Errors
/// Two handlers for one kind of timer; Postgres does not answer.
pub(crate) async fn start(jobs: &JobSet, app: &Arc<App>) -> Result<()> {
    let (db, clock) = (&app.db, &app.clock);

    // Months made ahead; old claims, inbox marks and outbox months forgotten. The first round is awaited: a month that is
    // attached under a row on its way in would refuse that row.
    let housekeeping = Housekeeping::new(db.clone(), clock.clone(), &["history"]);
    housekeeping.round().await?;
    jobs.spawn("housekeeping", move |stop| housekeeping.clone().run(stop));

    // Promises with a date: the steps of clocks, and the recomputation after a calendar year was loaded.
    let timers = TimerService::new(db.clone(), clock.clone(), timers::handlers(app))?;
    jobs.spawn("timers", move |stop| timers.clone().run(stop));

    // After a key rotation: what is under an older key is brought under the current one.
    let rekey = Rekey::new(db.clone(), clock.clone(), app.cipher().clone(), sealed_tables());
    jobs.spawn("rekey", move |stop| rekey.clone().run(stop));

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

    // Streams wake when any replica, or a timer, changed an order.
    let (heard, watchers, rollups) = (db.clone(), app.watchers().clone(), app.rollups().clone());
    jobs.spawn("watch hints", move |stop| {
        let (watchers, rollups) = (watchers.clone(), rollups.clone());
        let published = move |published| {
            watchers.published(published);
            rollups.hint();
        };
        listen_published(heard.clone(), published, stop)
    });

    // Figures that boards ask for are counted before they ask.
    let rollups = app.rollups().clone();
    jobs.spawn("figures ahead", move |stop| rollups.clone().run(stop));

    // What is kept in memory notices what other replicas change.
    let watched = db.clone();
    jobs.spawn("policy epoch", move |stop| epoch::watch(watched.clone(), stop));

    // Next year's holidays are loaded before anybody needs them, or somebody is told.
    let alerted = app.clone();
    jobs.spawn("calendar alert", move |stop| calendar_alert::run(alerted.clone(), stop));
    Ok(())
}

/// Who takes in which facts; what none of them could apply is a dead letter of the service.
pub(crate) fn consumers(app: &Arc<App>) -> Vec<Consumer> {
    let (db, clock) = (&app.db, &app.clock);
    // Which estates and units there are.
    let directory = CustomerEvents::new(app.estates().clone());
    let directory = Consumer::new(db.clone(), clock.clone(), "customer", "directory", directory);
    // What other services want to have done.
    let orders = ["survey", "care"].map(|source| Consumer::new(db.clone(), clock.clone(), source, "orders", AskedOrders::new(app.clone())));
    [directory].into_iter().chain(orders).collect()
}
