//! Which clocks will be missed if work goes on as it does. Two trips.

use std::collections::{BTreeSet, HashMap};

use jiff::SignedDuration;
use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;

use super::App;
use crate::domain::{Outlook, Pace, Running, outlook};
use crate::store::{DueKey, RunningClock, RunningFilter, list_running_clocks, list_settled_clocks};

/// How far back the pace is taken from: a season, so that last year's staff is not asked about today's.
const LOOKS_BACK: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Clocks that the pace is taken from, the latest: enough for an interval of two points, and a bound for the answer's cost.
const MOST_SETTLED: i64 = 5_000;

impl App {
    /// Running clocks of an estate with their outlooks, the soonest due first, one more than the page shows. A paused clock has no due
    /// time, and with it no outlook.
    pub(crate) async fn list_clock_outlooks(
        &self,
        access: &Access,
        estate: EstateId,
        filter: &RunningFilter,
        page: &PageRequest<DueKey>,
    ) -> Result<Vec<(RunningClock, Outlook)>> {
        let estate = access.scope.estate(estate)?;
        let (db, now) = (self.db.pool(), self.clock.now());
        let running = list_running_clocks(db, estate, filter, now, page).await?;
        let names: BTreeSet<&str> = running.iter().map(|clock| clock.clock.as_str()).collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut paces: HashMap<(String, String), Pace> = HashMap::new();
        for settled in list_settled_clocks(db, estate, &names, now - LOOKS_BACK, now, MOST_SETTLED).await? {
            let pace = paces.entry((settled.clock, settled.limit)).or_default();
            pace.add(settled.start_time, settled.due_time, settled.stop_time);
        }
        let unknown = Pace::default();
        let outlooks = running.into_iter().map(|clock| {
            let pace = paces.get(&(clock.clock.clone(), clock.limit.clone())).unwrap_or(&unknown);
            let asked = Running {
                start_time: clock.start_time,
                due_time: clock.due_time,
                state: clock.state,
                is_assigned: clock.assignee.is_some(),
                assignee_orders: clock.assignee_orders,
            };
            let outlook = outlook(&asked, pace, now);
            (clock, outlook)
        });
        Ok(outlooks.collect())
    }
}
