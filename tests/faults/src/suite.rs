//! Rounds: load, a fault in the middle of it, rest, the counts.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;
use steward_dev::say;

use crate::{
    caller::Callers,
    chance::Chance,
    checks::{self, Counted, Sums},
    fault::Fault,
    ground::{Ground, TOLD_OTHERWISE},
    load::{Load, is_of_the_day},
    rest::at_rest,
    site::Site,
    table::Row,
};

/// How far the clock goes on in each round, so that promises fall due in the midst of faults.
const STRIDE_MINUTES: usize = 25;

/// Who has heard nothing of a type of fact for so long after the first of them has nothing to do with it.
const WARM: Duration = Duration::from_millis(1_500);

/// Further than the clock ever jumps back.
const A_STEP_BACK: SignedDuration = SignedDuration::from_mins(5);

/// How often is counted what is off at first, a second apart: what fell due in the midst of the counts is on its way then, and there
/// the next time. What is lost or doubled stays so.
const LOOKS: u32 = 10;

/// How many acknowledged mutations of a round are asked again.
const REPEATED: usize = 12;

/// Clients of the full load.
const CLIENTS: usize = 6;

/// A suite under load.
pub struct Suite {
    site: Site,
    callers: Arc<Callers>,
    load: Load,
    chance: Chance,
    /// When everything was last at rest, by the clock of the suite.
    rested: Timestamp,
    /// What went wrong, in words, first things first.
    pub findings: Vec<String>,
}

/// How a round went.
struct Round {
    sums: Sums,
    recovery: Duration,
}

impl Suite {
    /// Everything started, and the estate laid.
    ///
    /// # Errors
    /// Something does not start, or a call is refused.
    pub async fn open(seed: u64) -> Result<Self> {
        let begun = Instant::now();
        let site = Site::open().await?;
        let callers = Arc::new(Callers::new(site.gateway()?, site.keys().issuer(), site.clock())?);
        let ground = Ground::laid(&callers, site.now(), &site.webhook_url()?).await.context("laying the ground")?;
        let load = Load::new(callers.clone(), ground, site.clock(), seed);
        let rested = site.now();
        let mut suite = Self { site, callers, load, chance: Chance::new(seed), rested, findings: Vec::new() };
        // Every kind of fact flows once before anything breaks.
        for client in 0..5 {
            suite.load.life(client).await?;
        }
        let db = suite.site.database().await?;
        let mut heard = Instant::now();
        while heard.elapsed() < WARM {
            if checks::hear(&db).await? > 0 {
                heard = Instant::now();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        db.close().await;
        let calm = suite.settle(0, Instant::now()).await?;
        ensure!(calm.sums.is_zero() && suite.findings.is_empty(), "the counts are off before any fault: {:#?}", suite.findings);
        say::done("the suite runs and the counts are right", begun.elapsed());
        Ok(suite)
    }

    /// Makes faults at once, so often, each time in the midst of load.
    ///
    /// # Errors
    /// Something does not come back.
    pub async fn rounds(&mut self, name: &str, faults: &[Fault], count: u32) -> Result<Row> {
        if faults.contains(&Fault::FullDisk) && self.site.disk.is_none() {
            return Ok(Row::not_made(name, "needs root, for a disk of its own"));
        }
        let mut row = Row::new(name);
        for number in 1..=count {
            let (done, round) = self.round(name, faults).await.with_context(|| format!("{name}, round {number}"))?;
            say::detail(format!("{name} {number}/{count}: {done}; at rest after {}", say::seconds(round.recovery)));
            row.add(round.sums, round.recovery);
        }
        say::line(row.line());
        Ok(row)
    }

    async fn round(&mut self, name: &str, faults: &[Fault]) -> Result<(String, Round)> {
        let from = self.callers.journal.count();
        let before = Duration::from_millis(u64::try_from(self.chance.below(1_200))?);
        let stride = SignedDuration::from_mins(i64::try_from(self.chance.below(STRIDE_MINUTES))?);
        let is_early = self.chance.one_in(2);
        let mut chances: Vec<Chance> = faults.iter().map(|_| Chance::new(self.chance.roll())).collect();
        let happening = async {
            tokio::time::sleep(before).await;
            if is_early {
                self.site.step(stride)?;
            }
            let begun = Instant::now();
            let all = faults.iter().zip(&mut chances).map(|(fault, chance)| fault.happen(&self.site, chance));
            let done = futures::future::try_join_all(all).await;
            // A kill is over when the process is back; recovery counts from the kill itself.
            let over = if faults == [Fault::KillService] { begun } else { Instant::now() };
            if !is_early {
                self.site.step(stride)?;
            }
            self.load.stop();
            done.map(|done| (done.into_iter().filter(|done| !done.is_empty()).collect::<Vec<_>>().join(", "), over))
        };
        let (_, (done, over)) = futures::future::try_join(self.load.run(CLIENTS), happening).await?;
        let round = self.settle(from, over).await?;
        if !round.sums.is_zero() {
            self.findings.push(format!("{name}: {done}: {:?}", round.sums));
        }
        Ok((done, round))
    }

    /// Load at half strength with a kill every few seconds.
    ///
    /// # Errors
    /// Something does not come back.
    pub async fn soak(&mut self, lasting: Duration) -> Result<Row> {
        let mut row = Row::new("soak at half load, kills");
        let (from, begun) = (self.callers.journal.count(), Instant::now());
        let mut chance = self.chance.clone();
        let mut kills = 0_u32;
        let killing = async {
            while begun.elapsed() < lasting {
                tokio::time::sleep(Duration::from_millis(1_000 + u64::try_from(chance.below(4_000))?)).await;
                let fault = *chance.pick(&[
                    Fault::KillService,
                    Fault::KillService,
                    Fault::KillService,
                    Fault::KillService,
                    Fault::KillPostgres,
                    Fault::KillRedis,
                ]);
                fault.happen(&self.site, &mut chance).await?;
                self.site.step(SignedDuration::from_secs(20))?;
                kills += 1;
            }
            self.load.stop();
            anyhow::Ok(Instant::now())
        };
        let (_, over) = futures::future::try_join(self.load.run(CLIENTS / 2), killing).await?;
        self.chance = Chance::new(chance.roll());
        let round = self.settle(from, over).await?;
        row.add(round.sums, round.recovery);
        row.rounds = kills;
        say::line(row.line());
        Ok(row)
    }

    /// Waits until nothing waits anywhere, and counts.
    async fn settle(&mut self, from: usize, over: Instant) -> Result<Round> {
        let db = self.site.database().await?;
        let mut recovery = at_rest(&self.site, &db, self.rested, over).await?;
        while checks::hear(&db).await? > 0 {
            recovery = at_rest(&self.site, &db, self.rested, over).await?;
        }
        self.rested = self.site.now() - A_STEP_BACK;
        let mut counted = self.count(&db).await?;
        for _ in 1..LOOKS {
            if checks::judge(&counted).is_zero() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            at_rest(&self.site, &db, self.rested, over).await?;
            counted = self.count(&db).await?;
        }
        db.close().await;
        if self.findings.is_empty() && !checks::judge(&counted).is_zero() {
            self.findings.push(format!("the tables as they were when something was off first: {}", self.site.write_down()?.display()));
        }
        self.tell(&counted);
        self.repeat(from).await?;
        self.findings.extend(self.site.dead().into_iter().map(|name| format!("{name} has ended by itself")));
        self.findings.extend(self.callers.journal.take_wrong());
        Ok(Round { sums: checks::judge(&counted), recovery })
    }

    async fn count(&self, db: &PgPool) -> Result<Vec<Counted>> {
        let mut counted = checks::take(db, &self.callers.journal, self.site.now()).await?;
        counted.extend(checks::take_outside(db, &self.site.mail, &self.site.webhooks).await?);
        Ok(counted)
    }

    /// What is off, in words: at most a few of each.
    fn tell(&mut self, counted: &[Counted]) {
        for check in counted {
            for (what, expected, found) in check.off.iter().take(5) {
                self.findings.push(format!("{}: {what}: {expected} expected, {found} found", check.check));
            }
        }
    }

    /// Some of what was acknowledged in the round is asked again, and must be answered as before.
    async fn repeat(&mut self, from: usize) -> Result<()> {
        let mut written = self.callers.journal.since(from);
        written.retain(|one| !TOLD_OTHERWISE.iter().any(|rpc| one.rpc.ends_with(rpc)));
        for _ in 0..REPEATED.min(written.len()) {
            let one = self.chance.pick(&written);
            if !self.callers.repeat(one).await? {
                self.findings.push(format!("{} {} is answered otherwise the second time", one.kind, one.id));
            }
        }
        Ok(())
    }

    /// What the load came to, in a line.
    pub fn load_in_words(&self) -> String {
        let journal = &self.callers.journal;
        let mut refusals: BTreeMap<String, u32> = BTreeMap::new();
        for (_, why) in journal.refused().iter().filter(|(_, why)| !is_of_the_day(why)) {
            *refusals.entry(why.clone()).or_default() += 1;
        }
        let refused: Vec<String> = refusals.iter().take(5).map(|(why, count)| format!("{count} x {why}")).collect();
        format!(
            "{} lives, {} mutations acknowledged, {} calls made again; other refusals: {}",
            self.load.lives(),
            journal.count(),
            journal.repeated(),
            if refused.is_empty() { "none".to_owned() } else { refused.join("; ") }
        )
    }
}
