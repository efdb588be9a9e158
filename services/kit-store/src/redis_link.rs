//! The connection to Redis, and the names of what we keep there.
//!
//! One multiplexed connection that finds its way back by itself, made on first use: a service starts and serves without
//! Redis. Nothing a caller waits for is asked here. Keys carry a hash tag per shard, so that every key a script touches
//! lies in one slot of a cluster.

use std::time::Duration;

use futures::StreamExt;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use secrecy::{ExposeSecret, SecretString};
use steward_kit::Result;
use tokio_util::sync::CancellationToken;

use crate::error::redis_error;

/// Longer than any script of ours takes, shorter than anybody's patience.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// The pause before a lost listener is connected again; until then everything is found by scans.
const LISTEN_AGAIN: Duration = Duration::from_millis(250);

/// A handle to Redis. Cheap to clone.
#[derive(Clone)]
pub struct RedisLink {
    client: redis::Client,
    manager: ConnectionManager,
}

impl RedisLink {
    /// Prepares the connection; nothing is dialled yet.
    ///
    /// # Errors
    /// An address that can not be read.
    pub fn new(url: &SecretString) -> Result<Self> {
        let client = redis::Client::open(url.expose_secret()).map_err(redis_error)?;
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_connection_timeout(Some(CONNECTION_TIMEOUT))
            // Callers are loops that come again; a command that waits through many attempts only delays them.
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(50));
        let manager = ConnectionManager::new_lazy_with_config(client.clone(), config).map_err(redis_error)?;
        Ok(Self { client, manager })
    }

    /// The shared connection, for commands that do not block.
    pub fn connection(&self) -> ConnectionManager {
        self.manager.clone()
    }

    /// A connection of its own that only listens.
    pub(crate) async fn listener(&self) -> Result<redis::aio::PubSub> {
        let connecting = self.client.get_async_pubsub();
        match tokio::time::timeout(CONNECTION_TIMEOUT, connecting).await {
            Ok(connected) => connected.map_err(redis_error),
            Err(late) => Err(steward_kit::Error::unavailable("redis", late)),
        }
    }
}

impl std::fmt::Debug for RedisLink {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("RedisLink")
    }
}

/// Listens to `channels` until told to stop. `heard` gets the channel of each message, and `None` whenever the
/// connection was made (again): messages may have been missed.
pub(crate) async fn listen(redis: &RedisLink, channels: &[String], heard: impl Fn(Option<&str>), stop: &CancellationToken) {
    while !stop.is_cancelled() {
        if let Ok(mut listener) = redis.listener().await
            && subscribe(&mut listener, channels).await.is_ok()
        {
            heard(None);
            let mut messages = listener.into_on_message();
            while let Some(Some(message)) = stop.run_until_cancelled(messages.next()).await {
                heard(Some(message.get_channel_name()));
            }
        }
        stop.run_until_cancelled(tokio::time::sleep(LISTEN_AGAIN)).await;
    }
}

async fn subscribe(listener: &mut redis::aio::PubSub, channels: &[String]) -> redis::RedisResult<()> {
    for channel in channels {
        listener.subscribe(channel).await?;
    }
    Ok(())
}
