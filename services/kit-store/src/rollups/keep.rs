//! Counting again before somebody asks: what was asked for lately and is not true any more, a few estates at a time.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use tokio_util::sync::CancellationToken;

use super::{CHUNK, Counter, Rollups};
use crate::jobs::JobSet;
use crate::outbox::listen_published;

/// A change is followed by others; and a caller who is counting is left to it.
const SETTLE: Duration = Duration::from_secs(2);

/// The job rests at least so many times as long as it worked: a fifth of one connection is the most that it takes.
const REST: u32 = 4;

/// How often what nobody needs is forgotten. The changes of so long are looked through by whoever reads a count.
const TEND_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// A count of a period long past is made anew after so long, or forgotten.
const FORGET_AFTER: SignedDuration = SignedDuration::from_hours(40 * 24);

impl<C: Counter> Rollups<C> {
    /// Starts what counts before somebody asks: when any replica, or a timer, published what may change a figure.
    pub fn start(&self, jobs: &JobSet) {
        let heard = self.clone();
        jobs.spawn("figure hints", move |stop| {
            let rollups = heard.clone();
            listen_published(heard.parts.db.clone(), move |_| rollups.hint(), stop)
        });
        let ahead = self.clone();
        jobs.spawn("figures ahead", move |stop| ahead.clone().run(stop));
    }

    /// Runs until told to stop. Sleeps until a hint, or until a kept count is over by time alone; what was asked for lately is then
    /// counted again where it is not true any more. Every replica may run one: what one has counted, the others find counted.
    pub async fn run(self, stop: CancellationToken) {
        let clock = &self.parts.clock;
        let (mut tended, mut next) = (Timestamp::MIN, None::<Timestamp>);
        while !stop.is_cancelled() {
            let began = Instant::now();
            let now = clock.now();
            if now.duration_since(tended) >= TEND_EVERY {
                match self.parts.rows.tend(now.checked_sub(FORGET_AFTER).unwrap_or(now)).await {
                    Ok(()) => tended = now,
                    Err(error) => tracing::warn!(schema = self.parts.db.schema(), error = ?error, "could not tend kept figures"),
                }
            }
            let is_more = match self.warm(now).await {
                Ok(warmed) => {
                    next = warmed.next;
                    warmed.is_more
                }
                Err(error) => {
                    tracing::warn!(schema = self.parts.db.schema(), error = ?error, "could not count figures ahead");
                    false
                }
            };
            stop.run_until_cancelled(tokio::time::sleep(SETTLE.max(began.elapsed() * REST))).await;
            if is_more {
                continue;
            }
            let at = now.checked_add(TEND_EVERY).unwrap_or(now);
            let at = next.map_or(at, |next| next.min(at));
            let woken = async {
                tokio::select! {
                    () = self.parts.asked.hinted() => {}
                    () = clock.sleep_until(at) => {}
                }
            };
            stop.run_until_cancelled(woken).await;
            // What was hinted at may have company on its way.
            stop.run_until_cancelled(tokio::time::sleep(SETTLE)).await;
        }
    }

    /// Counts one chunk of each question that is behind.
    async fn warm(&self, now: Timestamp) -> Result<Warmed> {
        let scope = Scope::system("figures are counted ahead");
        let mut warmed = Warmed::default();
        for board in self.parts.asked.boards(now) {
            let estates: Vec<ScopedEstate> = board.estates.iter().map(|estate| scope.estate(*estate)).collect::<Result<_>>()?;
            let keys = self.keys(&board.question, &estates).await?;
            let _place = self.parts.db.background().await;
            let (behind, next) = self.parts.rows.behind(&keys, now).await?;
            warmed.next = warmed.next.into_iter().chain(next).min();
            warmed.is_more |= behind.len() > CHUNK;
            let chunk: Vec<ScopedEstate> = behind.iter().filter_map(|place| estates.get(*place).copied()).take(CHUNK).collect();
            if !chunk.is_empty() {
                self.count(&board.question, &chunk, now).await?;
            }
        }
        Ok(warmed)
    }
}

/// What is left.
#[derive(Debug, Default)]
struct Warmed {
    /// When the next count is over.
    next: Option<Timestamp>,
    /// More is behind.
    is_more: bool,
}
