//! The index of timers in Redis: per shard a set of due times and a set of leases. Members are the sixteen bytes of timer ids.

use std::sync::LazyLock;
use std::time::Duration;

use futures::future::try_join_all;
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

/// Most timers of one claim: what a script can take as arguments of one command.
const MOST: u16 = 2000;

/// A timer is fresh for so long after it was due: as long as that it may overtake a backlog.
const FRESH: Duration = Duration::from_secs(1);
/// One fresh timer to so many of the backlog.
const TO_ONE_FRESH: u16 = 4;

/// What a claim came to.
#[derive(Debug, Default)]
pub(super) struct Claimed {
    /// What is due, oldest first.
    pub(super) ids: Vec<Uuid>,
    /// Of what waits behind them, some that came due just now.
    pub(super) fresh: Vec<Uuid>,
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

    /// Claims what is due, at most `most`, and ends the leases of what was settled before.
    pub(super) async fn claim(&self, shard: u16, now: Timestamp, lease: Duration, most: u16, settled: &[Uuid]) -> Result<Claimed> {
        let most = most.min(MOST);
        let mut call = CLAIM.prepare_invoke();
        call.key(self.key(shard, "due")).key(self.key(shard, "leased"));
        call.arg(now.as_millisecond()).arg(millis(lease)).arg(most).arg((most / TO_ONE_FRESH).max(1)).arg(millis(FRESH));
        for id in settled {
            call.arg(id.as_bytes());
        }
        let (ids, fresh, next_due, lease_left): (Vec<Vec<u8>>, Vec<Vec<u8>>, i64, i64) =
            call.invoke_async(&mut self.redis.connection()).await.map_err(redis_error)?;
        // A member that is no id was put there by hand, or by a version that wrote ids as text; its row is found by the sweeper.
        let strays: Vec<&[u8]> = ids.iter().chain(&fresh).map(Vec::as_slice).filter(|member| id_of(member).is_none()).collect();
        self.end_leases(shard, &strays).await?;
        Ok(Claimed {
            ids: ids.iter().filter_map(|member| id_of(member)).collect(),
            fresh: fresh.iter().filter_map(|member| id_of(member)).collect(),
            next_due: (next_due >= 0).then(|| Timestamp::from_millisecond(next_due).unwrap_or(now)),
            lease_left: u64::try_from(lease_left).ok().map(Duration::from_millis),
        })
    }

    /// Puts timers in at their times and ends their leases. Returns the shards in which one is now earlier than all before.
    pub(super) async fn add(&self, entries: &[Entry]) -> Result<Vec<u16>> {
        let shards = by_shard(entries);
        let earlier = try_join_all(shards.iter().map(|(shard, entries)| self.add_to(*shard, entries))).await?;
        Ok(shards.iter().zip(earlier).filter(|(_, is_earlier)| *is_earlier).map(|((shard, _), _)| *shard).collect())
    }

    async fn add_to(&self, shard: u16, entries: &[Entry]) -> Result<bool> {
        let mut is_earlier = false;
        for chunk in entries.chunks(CHUNK) {
            let mut call = ADD.prepare_invoke();
            call.key(self.key(shard, "due")).key(self.key(shard, "leased")).arg(self.channel(shard));
            for entry in chunk {
                call.arg(score(entry.wake_time)).arg(entry.id.as_bytes());
            }
            is_earlier |= call.invoke_async::<bool>(&mut self.redis.connection()).await.map_err(redis_error)?;
        }
        Ok(is_earlier)
    }

    /// Those of `entries` that are not in the index at their time or earlier.
    pub(super) async fn missing(&self, entries: &[Entry]) -> Result<Vec<Entry>> {
        let shards = by_shard(entries);
        let missing = try_join_all(shards.iter().map(|(shard, entries)| self.missing_from(*shard, entries))).await?;
        Ok(missing.into_iter().flatten().collect())
    }

    async fn missing_from(&self, shard: u16, entries: &[Entry]) -> Result<Vec<Entry>> {
        let mut found = Vec::new();
        for chunk in entries.chunks(CHUNK) {
            let mut call = MISSING.prepare_invoke();
            call.key(self.key(shard, "due")).key(self.key(shard, "leased"));
            for entry in chunk {
                call.arg(score(entry.wake_time)).arg(entry.id.as_bytes());
            }
            let places: Vec<usize> = call.invoke_async(&mut self.redis.connection()).await.map_err(redis_error)?;
            found.extend(places.into_iter().filter_map(|place| chunk.get(place).copied()));
        }
        Ok(found)
    }

    /// Ends leases for good.
    pub(super) async fn acknowledge(&self, shard: u16, ids: &[Uuid]) -> Result<()> {
        self.end_leases(shard, &ids.iter().map(|id| id.as_bytes().as_slice()).collect::<Vec<_>>()).await
    }

    async fn end_leases(&self, shard: u16, members: &[&[u8]]) -> Result<()> {
        if members.is_empty() {
            return Ok(());
        }
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
            .arg(millis(hold))
            .query_async(&mut self.redis.connection())
            .await
            .map_err(redis_error)?;
        Ok(answer.is_some())
    }

    pub(super) async fn filled(&self) -> Result<()> {
        redis::cmd("DEL").arg(self.key(0, "filling")).query_async(&mut self.redis.connection()).await.map_err(redis_error)
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn id_of(member: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(member).ok()
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
