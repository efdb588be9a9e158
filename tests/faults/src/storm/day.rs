//! The day, minute by minute: the clock is moved on when what was called for is done, so that the suite is given what it needs of the
//! machine, as a day of 24 hours would, only sooner.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;
use steward_dev::say;

use super::{
    curve::{self, MINUTES, STORM_HOUR},
    deeds::{Case, Deed},
    estates::Home,
};
use crate::{caller::Callers, chance::Chance, checks, rest::at_rest, site::Site};

/// How many residents and staff call at once.
const CALLERS: usize = 8;

/// The minute of the kill, and that of the flush: in the midst of the storm hour.
const KILL: u32 = STORM_HOUR * 60 + 25;
const FLUSH: u32 = STORM_HOUR * 60 + 35;

/// Minutes between looks at every consumer.
const LOOK: u32 = 60;

/// After so many calls the clock waits until what they asked for is done.
const BUSY: usize = 100;

/// How long what a minute asked for may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happened besides.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// How long work-order was away, by the machine's clock.
    pub(super) away: Duration,
    /// Timers of orders that waited when Redis was flushed.
    pub(super) timers_at_flush: i64,
    /// How long the storm hour took, by the machine's clock.
    pub(super) storm: Duration,
}

/// The day.
pub(super) struct Day<'a> {
    site: &'a Site,
    callers: &'a Callers,
    db: &'a PgPool,
    start: Timestamp,
    plan: BTreeMap<u32, Vec<(Case, Deed)>>,
}

impl<'a> Day<'a> {
    /// So many reports from these homes, from `start` on.
    pub(super) fn new(
        site: &'a Site,
        callers: &'a Callers,
        db: &'a PgPool,
        start: Timestamp,
        homes: &[Home],
        orders: u32,
        seed: u64,
    ) -> Self {
        let mut chance = Chance::new(seed);
        let mut plan: BTreeMap<u32, Vec<(Case, Deed)>> = BTreeMap::new();
        for minute in curve::minutes(orders) {
            let case = Case::of(chance.pick(homes).clone(), chance.roll());
            plan.entry(minute).or_default().push((case, Deed::Report));
        }
        Self { site, callers, db, start, plan }
    }

    /// Plays it.
    ///
    /// # Errors
    /// A call is refused, or something does not come to rest.
    pub(super) async fn play(mut self) -> Result<Played> {
        let mut played = Played::default();
        let (mut rested, mut begun) = (self.site.now(), Instant::now());
        let mut busy = 0;
        for minute in 0..=MINUTES {
            self.move_to(minute)?;
            let deeds = self.plan.remove(&minute).unwrap_or_default();
            busy += deeds.len();
            let later = match minute {
                KILL => {
                    let (later, away) = futures::future::try_join(self.minute(minute, deeds), self.kill(minute)).await?;
                    played.away = away;
                    later
                }
                FLUSH => {
                    played.timers_at_flush = checks::timers(self.db).await?;
                    self.site.redis().flush().await?;
                    self.minute(minute, deeds).await?
                }
                _ => self.minute(minute, deeds).await?,
            };
            for (at, case, deed) in later {
                self.plan.entry(at).or_default().push((case, deed));
            }
            if minute % LOOK == 0 && minute > 0 {
                if minute / LOOK % 6 == 1 {
                    checks::hear(self.db).await?;
                }
                let now = self.site.now();
                at_rest(self.site, self.db, rested, Instant::now()).await?;
                rested = now;
                let hour = minute / 60 - 1;
                if hour == STORM_HOUR {
                    played.storm = begun.elapsed();
                }
                say::detail(format!("{hour:02}:00 to {:02}:00 took {}", hour + 1, say::seconds(begun.elapsed())));
                begun = Instant::now();
            } else if busy > BUSY {
                self.keep_up().await?;
                busy = 0;
            }
        }
        Ok(played)
    }

    /// The clock of everything to a minute of the day; it may be past it already.
    fn move_to(&self, minute: u32) -> Result<()> {
        let by = (self.start + SignedDuration::from_mins(minute.into())).duration_since(self.site.now());
        if by.is_positive() { self.site.step(by) } else { Ok(()) }
    }

    /// What happens in a minute, by many at once. Returns what follows, each at its minute.
    async fn minute(&self, minute: u32, deeds: Vec<(Case, Deed)>) -> Result<Vec<(u32, Case, Deed)>> {
        let all = stream::iter(deeds).map(|(mut case, mut deed)| async move {
            loop {
                match case.take(deed, minute, self.callers).await? {
                    Some((next, 0)) => deed = next,
                    Some((next, later)) => return anyhow::Ok(Some((minute + later, case, next))),
                    None => return Ok(None),
                }
            }
        });
        let later: Vec<_> = all.buffer_unordered(CALLERS).try_collect().await?;
        // What would come after midnight is tomorrow's.
        Ok(later.into_iter().flatten().filter(|(at, ..)| *at < MINUTES).collect())
    }

    /// Kills work-order among calls, lets clocks run out while it is away, and starts it again.
    async fn kill(&self, minute: u32) -> Result<Duration> {
        tokio::time::sleep(Duration::from_millis(40)).await;
        let begun = Instant::now();
        self.site.kill("work-order")?;
        self.move_to(minute + 1)?;
        self.site.start("work-order").await?;
        Ok(begun.elapsed())
    }

    /// Waits until nothing is queued that this minute asked for.
    async fn keep_up(&self) -> Result<()> {
        let begun = Instant::now();
        while checks::queued(self.db, self.site.now()).await? > 0 {
            ensure!(begun.elapsed() < PATIENCE, "what a minute asked for is not done after {} s", PATIENCE.as_secs());
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Ok(())
    }
}
