//! Redis Streams as the transport: one stream per shard, entry ids `<position>-0`.

use std::sync::LazyLock;

use redis::Script;
use redis::streams::{StreamInfoGroupsReply, StreamPendingReply};
use steward_kit::{Error, Result};

use super::transport::{Appended, Transport};
use crate::error::redis_error;
use crate::redis_link::RedisLink;

static APPEND: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../../redis/append.lua")));

/// The stream of a service's shard.
pub(crate) fn stream_key(service: &str, shard: u16) -> String {
    format!("steward:{{{service}:events:{shard}}}")
}

/// The channel that says that a stream grew.
pub(crate) fn wake_channel(service: &str, shard: u16) -> String {
    format!("{}:wake", stream_key(service, shard))
}

/// The position in an entry id.
fn position_of(id: &str) -> i64 {
    id.split('-').next().and_then(|position| position.parse().ok()).unwrap_or_default()
}

/// The default transport.
#[derive(Debug, Clone)]
pub struct RedisStreams {
    redis: RedisLink,
    service: &'static str,
}

impl RedisStreams {
    /// The streams of `service`, which is its schema's name.
    pub fn new(redis: RedisLink, service: &'static str) -> Self {
        Self { redis, service }
    }
}

#[tonic::async_trait]
impl Transport for RedisStreams {
    async fn append(&self, shard: u16, stream_end: i64, position: i64, events: &[Vec<u8>]) -> Result<Appended> {
        let mut call = APPEND.prepare_invoke();
        call.key(stream_key(self.service, shard)).arg(stream_end).arg(position).arg(wake_channel(self.service, shard));
        for event in events {
            call.arg(event.as_slice());
        }
        let (verdict, position): (String, i64) = call.invoke_async(&mut self.redis.connection()).await.map_err(redis_error)?;
        match verdict.as_str() {
            "at" => Ok(Appended::At(position)),
            "lost" => Ok(Appended::Lost(position)),
            other => Err(Error::bug(format_args!("append.lua answered {other}"))),
        }
    }

    async fn acknowledged(&self, shard: u16) -> Result<Vec<(String, i64)>> {
        let key = stream_key(self.service, shard);
        let mut redis = self.redis.connection();
        let exists: bool = redis::cmd("EXISTS").arg(&key).query_async(&mut redis).await.map_err(redis_error)?;
        if !exists {
            return Ok(Vec::new());
        }
        let groups: StreamInfoGroupsReply =
            redis::cmd("XINFO").arg("GROUPS").arg(&key).query_async(&mut redis).await.map_err(redis_error)?;
        let mut acknowledged = Vec::new();
        for group in groups.groups {
            // The pending entries are asked after the last one delivered: what is delivered in between only lowers
            // the answer.
            let pending: StreamPendingReply =
                redis::cmd("XPENDING").arg(&key).arg(&group.name).query_async(&mut redis).await.map_err(redis_error)?;
            let position = match pending {
                StreamPendingReply::Empty => position_of(&group.last_delivered_id),
                StreamPendingReply::Data(pending) => (position_of(&pending.start_id) - 1).min(position_of(&group.last_delivered_id)),
                // The reply type is open; an unknown answer acknowledges nothing.
                _ => 0,
            };
            acknowledged.push((group.name, position));
        }
        Ok(acknowledged)
    }

    async fn trim(&self, shard: u16, position: i64) -> Result<()> {
        redis::cmd("XTRIM")
            .arg(stream_key(self.service, shard))
            .arg("MINID")
            .arg("~")
            .arg(format!("{}-0", position + 1))
            .query_async(&mut self.redis.connection())
            .await
            .map_err(redis_error)
    }
}
