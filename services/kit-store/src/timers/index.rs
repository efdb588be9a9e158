//! The index of timers in Redis: per shard a set of due times and a set of leases. Members are timer ids.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use redis::Script;
use steward_kit::Result;
use uuid::Uuid;

use super::hints::Entry;
use crate::error::redis_error;
use crate::redis_link::RedisLink;

static CLAIM: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../../redis/timers_claim.lua")));
static ADD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../../redis/timers_add.lua")));
static MISSING: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../../redis/timers_missing.lua")));
static INSPECT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../../redis/timers_inspect.lua")));

/// Most timers of one script call: Redis serves others in between.
const CHUNK: usize = 500;

/// What a claim came to.
#[derive(Debug, Default)]
pub(super) struct Claimed {
    pub(super) ids: Vec<Uuid>,
    /// When the next one is due.
    pub(super) next_due: Option<Timestamp>,
    /// How long until somebody's lease runs out.
    pub(super) lease_left: Option<Duration>,
}

/// The state of a shard's index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inspected {
    /// Whether it was filled since Redis last lost everything.
    pub(super) filled: bool,
    /// Whether something was let lie: by a replica that died, or by a wake-up that got lost.
    pub(super) abandoned: bool,
}

#[derive(Debug)]
pub(super) struct Index {
    redis: RedisLink,
    service: &'static str,
}

impl Index {
    pub(super) fn new(redis: RedisLink, service: &'static str) -> Self {
        Self { redis, service }
    }

    fn key(&self, shard: u16, what: &str) -> String {
        format!("steward:{{{}:timers:{shard}}}:{what}", self.service)
    }

    /// The channel that says that a shard has an earlier timer.
    pub(super) fn channel(&self, shard: u16) -> String {
        self.key(shard, "wake")
    }

    pub(super) async fn claim(&self, shard: u16, now: Timestamp, lease: Duration, most: u16) -> Result<Claimed> {
        let mut call = CLAIM.prepare_invoke();
        call.key(self.key(shard, "due")).key(self.key(shard, "leased"));
        call.arg(now.as_millisecond()).arg(u64::try_from(lease.as_millis()).unwrap_or(u64::MAX)).arg(most);
        let (ids, next_due, lease_left): (Vec<String>, i64, i64) =
            call.invoke_async(&mut self.redis.connection()).await.map_err(redis_error)?;
        Ok(Claimed {
            // A member that is no id was put there by hand; it can not be a timer.
            ids: ids.iter().filter_map(|id| Uuid::try_parse(id).ok()).collect(),
            next_due: (next_due >= 0).then(|| Timestamp::from_millisecond(next_due).unwrap_or(now)),
            lease_left: u64::try_from(lease_left).ok().map(Duration::from_millis),
        })
    }

    /// Puts timers in at their times and ends their leases.
    pub(super) async fn add(&self, entries: &[Entry]) -> Result<()> {
        for (shard, entries) in by_shard(entries) {
            for chunk in entries.chunks(CHUNK) {
                let mut call = ADD.prepare_invoke();
                call.key(self.key(shard, "due")).key(self.key(shard, "leased")).arg(self.channel(shard));
                for entry in chunk {
                    call.arg(score(entry.wake_time)).arg(entry.id.to_string());
                }
                let _: i64 = call.invoke_async(&mut self.redis.connection()).await.map_err(redis_error)?;
            }
        }
        Ok(())
    }

    /// Those of `entries` that are not in the index at their time or earlier.
    pub(super) async fn missing(&self, entries: &[Entry]) -> Result<Vec<Entry>> {
        let mut found = Vec::new();
        for (shard, entries) in by_shard(entries) {
            for chunk in entries.chunks(CHUNK) {
                let mut call = MISSING.prepare_invoke();
                call.key(self.key(shard, "due")).key(self.key(shard, "leased"));
                for entry in chunk {
                    call.arg(score(entry.wake_time)).arg(entry.id.to_string());
                }
                let places: Vec<usize> = call.invoke_async(&mut self.redis.connection()).await.map_err(redis_error)?;
                found.extend(places.into_iter().filter_map(|place| chunk.get(place).copied()));
            }
        }
        Ok(found)
    }

    /// Ends leases for good.
    pub(super) async fn acknowledge(&self, shard: u16, ids: &[Uuid]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let members: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        redis::cmd("ZREM").arg(self.key(shard, "leased")).arg(members).query_async(&mut self.redis.connection()).await.map_err(redis_error)
    }

    pub(super) async fn inspect(&self, shard: u16, now: Timestamp) -> Result<Inspected> {
        let mut call = INSPECT.prepare_invoke();
        call.key(self.key(shard, "epoch")).key(self.key(shard, "due")).key(self.key(shard, "leased")).arg(now.as_millisecond());
        let (filled, abandoned): (bool, i64) = call.invoke_async(&mut self.redis.connection()).await.map_err(redis_error)?;
        Ok(Inspected { filled, abandoned: abandoned > 0 })
    }

    /// Notes that the shard's index is whole.
    pub(super) async fn mark_filled(&self, shard: u16, now: Timestamp) -> Result<()> {
        redis::cmd("SET")
            .arg(self.key(shard, "epoch"))
            .arg(now.as_millisecond())
            .query_async(&mut self.redis.connection())
            .await
            .map_err(redis_error)
    }

    /// Lets one replica at a time fill the index; says whether it is this one.
    pub(super) async fn may_fill(&self, hold: Duration) -> Result<bool> {
        let answer: Option<String> = redis::cmd("SET")
            .arg(self.key(0, "filling"))
            .arg(1)
            .arg("NX")
            .arg("PX")
            .arg(u64::try_from(hold.as_millis()).unwrap_or(u64::MAX))
            .query_async(&mut self.redis.connection())
            .await
            .map_err(redis_error)?;
        Ok(answer.is_some())
    }

    pub(super) async fn filled(&self) -> Result<()> {
        redis::cmd("DEL").arg(self.key(0, "filling")).query_async(&mut self.redis.connection()).await.map_err(redis_error)
    }
}

/// Milliseconds, rounded up: a timer is never claimed before it is due.
fn score(instant: Timestamp) -> i64 {
    let millis = instant.as_millisecond();
    if instant.as_microsecond() > millis.saturating_mul(1000) { millis + 1 } else { millis }
}

fn by_shard(entries: &[Entry]) -> Vec<(u16, Vec<Entry>)> {
    let mut shards: Vec<(u16, Vec<Entry>)> = Vec::new();
    for entry in entries {
        match shards.iter_mut().find(|(shard, _)| *shard == entry.shard) {
            Some((_, of_shard)) => of_shard.push(*entry),
            None => shards.push((entry.shard, vec![*entry])),
        }
    }
    shards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_never_before_the_time() {
        let time = |text: &str| -> Timestamp { text.parse().expect("parses") };
        assert_eq!(score(time("1970-01-01T00:00:01.000001Z")), 1001);
        assert_eq!(score(time("1970-01-01T00:00:01Z")), 1000);
        assert_eq!(score(time("1969-12-31T23:59:59.999999Z")), 0);
    }
}
