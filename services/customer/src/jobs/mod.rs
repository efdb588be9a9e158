//! Background work. All of it runs on every replica; rows and locks decide who does what.

mod imports;

use std::sync::Arc;

use steward_kit::Result;
use steward_kit_store::housekeeping::Housekeeping;
use steward_kit_store::inbox::Consumer;
use steward_kit_store::jobs::JobSet;
use steward_kit_store::outbox::Relay;
use steward_kit_store::timers::TimerService;

use crate::app::App;
use crate::events::Timeline;

pub(crate) use imports::{PLAN_IMPORT, WRITE_IMPORT};

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

    // The steps of imports.
    let timers = TimerService::new(db.clone(), clock.clone(), imports::handlers(app))?;
    jobs.spawn("timers", move |stop| timers.clone().run(stop));

    // Facts out, in order per subject.
    let relay = Relay::new(db.clone(), clock.clone());
    jobs.spawn("relay", move |stop| relay.clone().run(stop));

    // Facts in: the timeline takes in this service's own as it takes in everybody else's.
    for source in ["work_order", crate::SCHEMA] {
        let consumer = Consumer::new(db.clone(), clock.clone(), source, "timeline", Timeline);
        jobs.spawn("timeline", move |stop| consumer.clone().run(stop));
    }
    Ok(())
}
