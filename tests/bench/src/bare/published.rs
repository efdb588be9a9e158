//! What goes to Redis after the commit: an entry of the stream, a place in the timers' index. In the background, many in one trip.

use anyhow::{Context as _, Result};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use uuid::Uuid;

/// The most that one pipeline carries.
const BATCH: usize = 256;

/// What Redis hears of a new order.
pub(crate) struct Birth {
    pub(crate) event: Uuid,
    /// Ids and due times.
    pub(crate) timers: Vec<(Uuid, i64)>,
    pub(crate) payload: Vec<u8>,
}

/// The way to Redis.
pub(crate) struct Published(UnboundedSender<Birth>);

impl Published {
    pub(crate) async fn start(url: &str) -> Result<Self> {
        let connection = redis::Client::open(url)?.get_multiplexed_async_connection().await.context("connecting to Redis")?;
        let (sender, receiver) = unbounded_channel();
        #[expect(clippy::disallowed_methods, reason = "ends with the process, which nobody drains")]
        tokio::spawn(publish(connection, receiver));
        Ok(Self(sender))
    }

    pub(crate) fn tell(&self, birth: Birth) {
        // The other side ends with the process.
        drop(self.0.send(birth));
    }
}

async fn publish(mut redis: redis::aio::MultiplexedConnection, mut births: UnboundedReceiver<Birth>) {
    let mut batch = Vec::with_capacity(BATCH);
    while births.recv_many(&mut batch, BATCH).await > 0 {
        let mut pipeline = redis::pipe();
        let index = pipeline.cmd("ZADD").arg("bare:timers");
        for (id, due) in batch.iter().flat_map(|birth| &birth.timers) {
            index.arg(*due).arg(id.as_bytes().as_slice());
        }
        index.ignore();
        for birth in batch.drain(..) {
            let entry = pipeline.cmd("XADD").arg("bare:events").arg("MAXLEN").arg("~").arg(100_000).arg("*");
            entry.arg("id").arg(birth.event.as_bytes().as_slice()).arg("event").arg(birth.payload).ignore();
        }
        if let Err(error) = pipeline.query_async::<()>(&mut redis).await {
            eprintln!("Redis: {error}");
        }
    }
}
