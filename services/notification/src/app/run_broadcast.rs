//! The pages of a broadcast, one after the other, for as long as nothing speaks against the next one.
//!
//! ```text
//! timer fires ── sets itself again for the end of the lease, if the broadcast is not over
//!    └─> load ─> page ─> page ─> … ─> done | paused or stopped | too many deliveries wait: a timer for later
//! ```
//!
//! A page is one statement that writes everything or nothing, and only if the broadcast stands as it was seen. A worker that dies
//! before it leaves the page to the next one, after it nothing is left to do; of two workers at once one writes and the other looks
//! again. Each page moves the timer of the lease, so that it fires only when nobody is at work.

use jiff::{SignedDuration, Timestamp};
use steward_kit::auth::Scope;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult, store_error};
use tokio_util::sync::CancellationToken;

use super::App;
use super::broadcast_page::Told;
use super::judge_message::{LEDGER_TRIES, contact_key, contended};
use crate::domain::broadcast::{Broadcast, EstateProgress};
use crate::domain::codes::BroadcastState;
use crate::domain::ids::BroadcastId;
use crate::domain::template::TemplateVersion;
use crate::events::broadcasts::{begin, of_page};
use crate::events::publish::of_planned;
use crate::store::broadcast_pages::{Page, load_place, write_page};
use crate::store::broadcasts::load_broadcast;
use crate::store::contacts::{changes_json, is_contended};
use crate::store::templates::load_version;

/// How long a broadcast rests when too many deliveries wait for their turn, before it is looked at again.
const REST: SignedDuration = SignedDuration::from_secs(1);

/// A broadcast under way.
pub(super) struct Run {
    pub(super) broadcast: Broadcast,
    /// The estate whose households are listed next.
    pub(super) listed: EstateProgress,
    pub(super) template: TemplateVersion,
    /// Deliveries of broadcasts that are due and not made.
    waiting: i64,
}

impl App {
    /// Makes pages until the broadcast is over or has to wait. Three trips to begin, and for each page those of [`App::make_page`].
    pub(crate) async fn run_broadcast(&self, id: BroadcastId, stop: &CancellationToken) -> Result<()> {
        while let Some(mut run) = self.load_run(id).await? {
            loop {
                if stop.is_cancelled() {
                    return self.put_off(&run.broadcast, SignedDuration::ZERO).await;
                }
                if run.broadcast.is_bulk() && run.waiting >= self.bulk_backlog {
                    return self.put_off(&run.broadcast, REST).await;
                }
                match self.make_page(&run).await? {
                    Some(next) if next.broadcast.state == BroadcastState::Done => return Ok(()),
                    Some(next) => run = next,
                    // Somebody did something to it, or made the page: look again.
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// The broadcast as it stands; none when there is nothing to do.
    async fn load_run(&self, id: BroadcastId) -> Result<Option<Run>> {
        let broadcast = match load_broadcast(self.db.pool(), &Scope::system("the time of a broadcast has come"), id).await {
            Ok(broadcast) => broadcast,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        match broadcast.state {
            BroadcastState::Scheduled | BroadcastState::Running => {}
            BroadcastState::Paused | BroadcastState::Stopped | BroadcastState::Done => return Ok(None),
        }
        let Some((listed, waiting)) = load_place(self.db.pool(), id, self.bulk_backlog, self.clock.now()).await? else { return Ok(None) };
        let template = load_version(self.db.pool(), broadcast.template_version_id).await?;
        Ok(Some(Run { broadcast, listed, template, waiting }))
    }

    /// Makes the next page: households listed, their people told, once each. Two trips and a question to the customer service; one
    /// trip more from the second page on, to see who was told before, and one where caps count. None when somebody else changed the
    /// broadcast meanwhile, and nothing was written. Judged again when others counted contacts with the same people meanwhile.
    async fn make_page(&self, run: &Run) -> Result<Option<Run>> {
        let place = self.place(run.listed.estate_id, self.clock.now()).await?;
        let told = self.list_page(run, &place).await?;
        for _ in 0..LEDGER_TRIES {
            let now = self.clock.now();
            let (planned, mut ledger) = self.judge_page(run, &place, &told, now).await?;
            if let Some(reason) = &run.broadcast.document.emergency_reason {
                ledger.override_for(reason);
            }
            let Told { listed, .. } = &told;
            let mut after = run.broadcast.clone();
            after.take_page(&run.listed, listed, now);
            let lease_end = now.saturating_add(self.lease()).map_err(Error::internal)?;
            let mut effects = of_page(&run.broadcast, &after, lease_end, now);
            planned.iter().for_each(|one| effects.merge(of_planned(one, now)));
            let creator = run.broadcast.creator().ok_or_else(|| Error::bug("a broadcast that nobody created"))?;
            let ledger = changes_json(&ledger, &creator, contact_key);
            let page = Page { before: &run.broadcast, after: &after, listed, planned: &planned, ledger, effects: &effects };
            match write_page(self.db.pool(), &page, self.bulk_backlog, now).await {
                Ok(None) => return Ok(None),
                Ok(Some(waiting)) => {
                    self.db.wake(&effects);
                    self.wakes.inbox();
                    let due = planned.iter().flat_map(|one| one.due()).filter(|(delivery, due)| delivery.is_bulk && *due <= now).count();
                    let waiting = waiting.saturating_add(i64::try_from(due).unwrap_or(i64::MAX));
                    return Ok(Some(Run { listed: next_place(&after, listed), broadcast: after, template: run.template.clone(), waiting }));
                }
                Err(error) if is_contended(&error) => {}
                Err(error) => return Err(store_error(error)),
            }
        }
        Err(contended())
    }

    /// Has the broadcast taken up again after a while. One trip.
    async fn put_off(&self, broadcast: &Broadcast, by: SignedDuration) -> Result<()> {
        let now = self.clock.now();
        let at: Timestamp = now.saturating_add(by).unwrap_or(now);
        let effects = Effects { timers: vec![begin(broadcast, at)], ..Effects::none() };
        let mut connection = self.db.pool().acquire().await.store()?;
        effects.write(&self.db, &mut connection, now).await?;
        self.db.wake(&effects);
        Ok(())
    }
}

/// Where the next page is: estates are told in their order.
fn next_place(broadcast: &Broadcast, listed: &EstateProgress) -> EstateProgress {
    let next = usize::try_from(broadcast.estate_done_count).ok().and_then(|at| broadcast.estate_ids.get(at));
    match next {
        Some(next) if listed.is_done => EstateProgress::new(*next),
        Some(_) | None => listed.clone(),
    }
}
