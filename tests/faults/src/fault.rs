//! The faults: how each of them is done and undone.

use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use sqlx::AssertSqlSafe;
use steward_harness::{proxy::Weather, stack::SERVICES};
use uuid::Uuid;

use crate::{chance::Chance, site::Site};

/// What marks an event of ours that nobody can apply.
pub(crate) const POISON: &str = "poison";

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// kill -9 of one service or of the gateway.
    KillService,
    /// kill -9 of Postgres.
    KillPostgres,
    /// kill -9 of Redis.
    KillRedis,
    /// FLUSHALL.
    FlushRedis,
    /// Redis dies, its replica is promoted.
    FailRedisOver,
    /// A link is cut: connections are reset, new ones too.
    Cut,
    /// A link carries nothing, and nobody is told, until it does again.
    Silence,
    /// The connections of a link are dead for good, and nobody is told; new ones work.
    Forget,
    /// A link is slow.
    Slow,
    /// The clock jumps forward.
    ClockForward,
    /// The clock jumps back.
    ClockBack,
    /// The disk under Postgres is full.
    FullDisk,
    /// Entries on the streams that nobody can apply.
    Poison,
    /// The mail server is slow, then refuses, then breaks off.
    Mail,
    /// The other system is slow, then fails, then breaks off.
    Webhook,
}

/// How often each fault is made in a full run, if nothing else is said.
pub const FULL: [(Fault, u32); 15] = [
    (Fault::KillService, 100),
    (Fault::KillPostgres, 8),
    (Fault::KillRedis, 8),
    (Fault::FlushRedis, 8),
    (Fault::FailRedisOver, 6),
    (Fault::Cut, 20),
    (Fault::Silence, 12),
    (Fault::Forget, 6),
    (Fault::Slow, 8),
    (Fault::ClockForward, 6),
    (Fault::ClockBack, 4),
    (Fault::FullDisk, 3),
    (Fault::Poison, 4),
    (Fault::Mail, 4),
    (Fault::Webhook, 4),
];

/// The rounds of the short run that every check makes: what can happen at once does, so that it comes to rest once.
pub const SHORT: [(&str, &[Fault]); 4] = [
    ("kill, and Redis FLUSHALL", &[Fault::KillService, Fault::FlushRedis]),
    ("kill, and Redis failover", &[Fault::KillService, Fault::FailRedisOver]),
    ("Postgres killed, link cut", &[Fault::KillPostgres, Fault::Cut]),
    ("disk full", &[Fault::FullDisk]),
];

impl Fault {
    /// Its name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KillService => "kill -9 of a service",
            Self::KillPostgres => "kill -9 of Postgres",
            Self::KillRedis => "kill -9 of Redis",
            Self::FlushRedis => "Redis FLUSHALL",
            Self::FailRedisOver => "Redis failover",
            Self::Cut => "link cut",
            Self::Silence => "link silent",
            Self::Forget => "connections half open",
            Self::Slow => "link slow",
            Self::ClockForward => "clock forward",
            Self::ClockBack => "clock back",
            Self::FullDisk => "disk full",
            Self::Poison => "poison events",
            Self::Mail => "mail server ill",
            Self::Webhook => "webhook ill",
        }
    }

    /// Does it, waits as long as it lasts, undoes it. Returns what exactly was done.
    ///
    /// # Errors
    /// It cannot be done, or what was broken does not come back.
    pub async fn happen(self, site: &Site, chance: &mut Chance) -> Result<String> {
        let lasting = |least: u64, most: usize, chance: &mut Chance| {
            Duration::from_millis(least + u64::try_from(chance.below(most)).unwrap_or_default())
        };
        match self {
            Self::KillService => {
                let name = chance.pick(&SERVICES).name;
                site.kill(name)?;
                site.start(name).await?;
                Ok(name.to_owned())
            }
            Self::KillPostgres => {
                site.kill_postgres().await?;
                tokio::time::sleep(lasting(0, 1_500, chance)).await;
                site.start_postgres().await?;
                Ok(String::new())
            }
            Self::KillRedis => {
                site.kill_redis()?;
                tokio::time::sleep(lasting(0, 3_000, chance)).await;
                site.start_redis().map(|()| String::new())
            }
            Self::FlushRedis => site.redis().flush().await.map(|()| String::new()),
            Self::FailRedisOver => site.fail_redis_over().await.map(|()| String::new()),
            Self::Cut => weather(site, chance, Weather::Cut, lasting(500, 3_000, &mut chance.clone())).await,
            Self::Silence => weather(site, chance, Weather::Silent, lasting(500, 6_000, &mut chance.clone())).await,
            Self::Slow => {
                let slow = Weather::Slow(lasting(20, 180, chance));
                weather(site, chance, slow, lasting(1_000, 3_000, &mut chance.clone())).await
            }
            Self::Forget => {
                let (from, to) = any_link(site, chance);
                site.link(from, to)?.forget();
                Ok(format!("{from} to {to}"))
            }
            Self::ClockForward => {
                let by = SignedDuration::from_mins(60 + i64::try_from(chance.below(120))?);
                site.step(by)?;
                Ok(format!("{by:#}"))
            }
            Self::ClockBack => {
                let by = SignedDuration::from_secs(5 + i64::try_from(chance.below(55))?);
                site.step(-by)?;
                tokio::time::sleep(lasting(500, 1_500, chance)).await;
                site.step(by)?;
                Ok(format!("{by:#}, and forward again"))
            }
            Self::FullDisk => full_disk(site).await,
            Self::Poison => poison(site).await,
            Self::Mail => {
                site.link("notification", "smtp")?.set(Weather::Slow(Duration::from_millis(300)));
                tokio::time::sleep(Duration::from_millis(700)).await;
                site.mail.refuse_next(20, false);
                weather_of(site, "notification", "smtp", Weather::Silent, Duration::from_millis(700)).await?;
                weather_of(site, "notification", "smtp", Weather::Cut, Duration::from_millis(500)).await?;
                site.mail.refuse_next(0, false);
                Ok("slow, refusing, silent, cut".to_owned())
            }
            Self::Webhook => {
                site.link("notification", "webhook")?.set(Weather::Slow(Duration::from_millis(300)));
                tokio::time::sleep(Duration::from_millis(700)).await;
                site.webhooks.refuse_next(20, 500);
                weather_of(site, "notification", "webhook", Weather::Silent, Duration::from_millis(700)).await?;
                weather_of(site, "notification", "webhook", Weather::Cut, Duration::from_millis(500)).await?;
                site.webhooks.refuse_next(0, 500);
                Ok("slow, failing, silent, cut".to_owned())
            }
        }
    }
}

fn any_link(site: &Site, chance: &mut Chance) -> (&'static str, &'static str) {
    let links: Vec<_> = site.links().collect();
    *chance.pick(&links)
}

async fn weather(site: &Site, chance: &mut Chance, weather: Weather, lasting: Duration) -> Result<String> {
    let (from, to) = any_link(site, chance);
    weather_of(site, from, to, weather, lasting).await?;
    Ok(format!("{from} to {to}, {} ms", lasting.as_millis()))
}

async fn weather_of(site: &Site, from: &str, to: &str, weather: Weather, lasting: Duration) -> Result<()> {
    let link = site.link(from, to)?;
    link.set(weather);
    tokio::time::sleep(lasting).await;
    link.set(Weather::Clear);
    Ok(())
}

/// No page more fits; Postgres refuses, or ends. When there is room again it is started if it must be, as any platform does.
async fn full_disk(site: &Site) -> Result<String> {
    let disk = site.disk.as_ref().context("a disk whose size is ours")?;
    disk.fill()?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    disk.clear()?;
    site.start_postgres().await?;
    Ok(String::new())
}

/// Events that nobody can apply, among those of real subjects: a fact whose content is garbage, and bytes that are no event at all. They
/// are put aside, and their neighbours go on.
async fn poison(site: &Site) -> Result<String> {
    let db = site.database().await?;
    for (schema, fact) in [("work_order", "WorkOrderCreated"), ("customer", "CustomerCreated")] {
        let insert = format!(
            "INSERT INTO {schema}.outbox (id, type, subject_id, shard, occur_time, traceparent, payload, create_time)
             SELECT $1, 'steward.{schema}.v1.{fact}', subject_id, shard, $2::timestamptz, '{POISON}', '\\xffffffffffff', $2::timestamptz
               FROM {schema}.outbox ORDER BY seq DESC LIMIT 1"
        );
        sqlx::query(AssertSqlSafe(insert)).bind(Uuid::now_v7()).bind(site.now().to_string()).execute(&db).await?;
        site.redis().add(&format!("steward:{{{schema}:events:0}}"), "event", "garbage").await?;
    }
    db.close().await;
    Ok("2 facts of garbage, 2 entries that are no fact".to_owned())
}
