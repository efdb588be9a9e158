//! Hearing of one's own facts, whichever replica made and published them: what a stream to a caller wakes on.

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::wake_channel;
use crate::db::Db;
use crate::redis_link::listen;
use crate::shard::{SHARDS, shard_of};

/// What has been published. A hint: look at the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// Facts of some subjects of a shard.
    Shard(u16),
    /// The connection was made (again), so anything may have been missed.
    Anything,
}

impl Published {
    /// Whether a fact about `subject` may be among it.
    pub fn concerns(self, subject: impl Into<Uuid>) -> bool {
        match self {
            Self::Shard(shard) => shard_of(subject.into()) == shard,
            Self::Anything => true,
        }
    }
}

/// Calls `heard` after each publication of this service's facts, on every replica, until told to stop. Without Redis it
/// hears nothing, so whoever wakes on it looks again after a while by itself.
pub async fn listen_published(db: Db, heard: impl Fn(Published), stop: CancellationToken) {
    let channels: Vec<String> = (0..SHARDS).map(|shard| wake_channel(db.schema(), shard)).collect();
    let named = |channel: Option<&str>| match channel {
        None => heard(Published::Anything),
        Some(name) => {
            (0..SHARDS).zip(&channels).filter(|(_, channel)| *channel == name).for_each(|(shard, _)| heard(Published::Shard(shard)))
        }
    };
    listen(db.redis(), &channels, named, &stop).await;
}
