//! The consumer's side of a shard's stream.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;
use steward_kit::{Error, Result};
use uuid::Uuid;

use crate::error::redis_error;
use crate::outbox::{stream_key, wake_channel};
use crate::redis_link::RedisLink;

static READ: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../../redis/read.lua")));
static LEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../../redis/lease.lua")));

/// An event as it lies in the stream.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) event: Vec<u8>,
}

/// Which entries to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Delivered before and not acknowledged, oldest first.
    Pending,
    /// Never delivered.
    New,
}

/// What came of reading.
#[derive(Debug)]
pub(super) enum Read {
    /// Another process reads this shard, for so long yet at least.
    Elsewhere(Duration),
    /// It is ours from now on.
    Taken,
    /// The entries, in order.
    Entries(Vec<Entry>),
}

/// One shard of the source, as one process sees it.
#[derive(Debug)]
pub(super) struct ShardStream {
    redis: RedisLink,
    stream: String,
    channel: String,
    lease: String,
    group: String,
    token: String,
    lease_ms: u64,
}

impl ShardStream {
    pub(super) fn new(redis: RedisLink, source: &str, group: &str, shard: u16, lease: Duration) -> Self {
        let stream = stream_key(source, shard);
        Self {
            redis,
            channel: wake_channel(source, shard),
            lease: format!("{stream}:lease:{group}"),
            stream,
            group: group.to_owned(),
            token: Uuid::now_v7().to_string(),
            lease_ms: u64::try_from(lease.as_millis()).unwrap_or(u64::MAX),
        }
    }

    pub(super) async fn read(&self, which: Which, count: u16) -> Result<Read> {
        let which = match which {
            Which::Pending => "pending",
            Which::New => "new",
        };
        let mut call = READ.prepare_invoke();
        call.key(&self.lease).key(&self.stream);
        call.arg(&self.token).arg(self.lease_ms).arg(&self.group).arg(count).arg(which);
        let answer: Vec<redis::Value> = call.invoke_async(&mut self.redis.connection()).await.map_err(redis_error)?;
        let mut answer = answer.into_iter();
        let verdict: String = next(&mut answer)?;
        match verdict.as_str() {
            "elsewhere" => Ok(Read::Elsewhere(Duration::from_millis(next(&mut answer)?))),
            "taken" => Ok(Read::Taken),
            "read" => {
                let mut entries = Vec::with_capacity(answer.len() / 2);
                while answer.len() > 1 {
                    entries.push(Entry { id: next(&mut answer)?, event: next(&mut answer)? });
                }
                Ok(Read::Entries(entries))
            }
            other => Err(Error::bug(format_args!("read.lua answered {other}"))),
        }
    }

    pub(super) async fn acknowledge(&self, ids: &[String]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        redis::cmd("XACK").arg(&self.stream).arg(&self.group).arg(ids).query_async(&mut self.redis.connection()).await.map_err(redis_error)
    }

    /// Keeps the lease while a long batch is worked on. Losing it costs work done twice, never an effect.
    pub(super) async fn renew(&self) -> Result<()> {
        self.change_lease(self.lease_ms).await
    }

    /// Lets another process read at once.
    pub(super) async fn release(&self) -> Result<()> {
        self.change_lease(0).await
    }

    async fn change_lease(&self, lease_ms: u64) -> Result<()> {
        let mut call = LEASE.prepare_invoke();
        call.key(&self.lease).arg(&self.token).arg(lease_ms).arg(&self.channel);
        call.invoke_async(&mut self.redis.connection()).await.map_err(redis_error)
    }
}

fn next<T: redis::FromRedisValue>(answer: &mut std::vec::IntoIter<redis::Value>) -> Result<T> {
    let value = answer.next().ok_or_else(|| Error::bug("read.lua answered too little"))?;
    redis::from_redis_value(value).map_err(Error::internal)
}
