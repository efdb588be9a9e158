//! What the relay needs of whatever carries events, so that a group with a broker of its own can put it underneath.

use steward_kit::Result;

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// The events stand at this position and the following ones.
    At(i64),
    /// Nothing was appended: the stream ends here, earlier than it must, so it has lost events.
    Lost(i64),
}

/// An ordered, durable-enough log per shard. It may lose what it was given: the relay gives it again.
#[tonic::async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Appends `events` whole or not at all, at positions greater than `position` and than every one in the stream.
    /// `stream_end` is where the stream must reach at least. May be called with no events, to ask only.
    ///
    /// # Errors
    /// `Unavailable` when the transport does not answer; the batch may have been appended nevertheless.
    async fn append(&self, shard: u16, stream_end: i64, position: i64, events: &[Vec<u8>]) -> Result<Appended>;

    /// Of each consumer group, the position up to which it has acknowledged everything.
    ///
    /// # Errors
    /// `Unavailable` when the transport does not answer.
    async fn acknowledged(&self, shard: u16) -> Result<Vec<(String, i64)>>;

    /// Lets go of everything up to `position`.
    ///
    /// # Errors
    /// `Unavailable` when the transport does not answer.
    async fn trim(&self, shard: u16, position: i64) -> Result<()>;
}
