//! Facts on their way out: in the order of each subject, at least once, through the loss of Redis.
//!
//! The facts are rows, written with the change that made them true ([`crate::effects`]). Per shard, in one transaction,
//! the relay locks the shard's counter, takes the unpublished rows in order, appends them to the stream, marks them and
//! commits. What it appended without committing stands in the stream twice and is applied once ([`crate::inbox`]).
//! How loss is noticed and repaired is in `docs/outbox-inbox.md`.

mod heard;
mod publish;
mod redis_streams;
mod relay;
mod tend;
mod transport;

/// `WorkOrderCreated` of `steward.work_order.v1.WorkOrderCreated`: what a span is called by.
pub(crate) fn short_name(kind: &str) -> &str {
    kind.rsplit('.').next().unwrap_or(kind)
}

pub use heard::{Published, listen_published};
pub use redis_streams::RedisStreams;
pub(crate) use redis_streams::{stream_key, wake_channel};
pub use relay::{Relay, RelayOptions};
pub use transport::{Appended, Transport};
