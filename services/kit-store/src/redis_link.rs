//! The connection to Redis, and the names of what we keep there.
//!
//! One multiplexed connection that finds its way back by itself, made on first use: a service starts and serves without
//! Redis. Nothing a caller waits for is asked here. Keys carry a hash tag per shard, so that every key a script touches
//! lies in one slot of a cluster.
//!
//! The manager of the driver connects again when a connection breaks, not when it falls silent (a balancer that forgot it, a server
//! that hangs): it would wait on the same one for ever. So a connection on which a command got no answer in time is given up here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};
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
    current: Arc<Mutex<Current>>,
}

/// The connection in use, and how many were given up before it.
#[derive(Clone)]
struct Current {
    manager: ConnectionManager,
    age: u64,
}

impl RedisLink {
    /// Prepares the connection; nothing is dialled yet.
    ///
    /// # Errors
    /// An address that can not be read.
    pub fn new(url: &SecretString) -> Result<Self> {
        let client = redis::Client::open(url.expose_secret()).map_err(redis_error)?;
        let manager = undialled(&client).map_err(redis_error)?;
        Ok(Self { client, current: Arc::new(Mutex::new(Current { manager, age: 0 })) })
    }

    /// The shared connection, for commands that do not block.
    pub fn connection(&self) -> RedisConnection {
        RedisConnection { current: self.current().clone(), link: self.clone() }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up a connection that fell silent, unless somebody else was faster.
    fn give_up(&self, silent: u64) {
        let mut current = self.current();
        if current.age == silent
            && let Ok(manager) = undialled(&self.client)
        {
            tracing::warn!("Redis did not answer in time; its connection is given up for a new one");
            *current = Current { manager, age: silent + 1 };
        }
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

fn undialled(client: &redis::Client) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_connection_timeout(Some(CONNECTION_TIMEOUT))
        // Callers are loops that come again; a command that waits through many attempts only delays them.
        .set_number_of_retries(1)
        .set_min_delay(Duration::from_millis(50));
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

/// The shared connection as one caller uses it.
pub struct RedisConnection {
    link: RedisLink,
    current: Current,
}

impl RedisConnection {
    fn seen<T>(&self, result: RedisResult<T>) -> RedisResult<T> {
        if result.as_ref().is_err_and(redis::RedisError::is_timeout) {
            self.link.give_up(self.current.age);
        }
        result
    }
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let answer = self.current.manager.req_packed_command(command).await;
            self.seen(answer)
        })
    }

    fn req_packed_commands<'a>(&'a mut self, pipeline: &'a Pipeline, offset: usize, count: usize) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let answers = self.current.manager.req_packed_commands(pipeline, offset, count).await;
            self.seen(answers)
        })
    }

    fn get_db(&self) -> i64 {
        self.current.manager.get_db()
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
