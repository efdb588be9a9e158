//! A way to a process that takes a fixed time, whatever else is under way: what was sent at once arrives at once.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// The way; gone when it is dropped.
pub(crate) struct Lag {
    address: SocketAddr,
    by_us: Arc<AtomicU64>,
    _carrying: JoinSet<()>,
}

impl Lag {
    /// A way to `upstream` on which everything is later by `by`, in each direction.
    pub(crate) async fn to(upstream: SocketAddr, by: Duration) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("opening a way")?;
        let address = listener.local_addr()?;
        let by_us = Arc::new(AtomicU64::new(micros(by)));
        let mut carrying = JoinSet::new();
        carrying.spawn(accept(listener, upstream, Arc::clone(&by_us)));
        Ok(Self { address, by_us, _carrying: carrying })
    }

    /// `http://…` of where it begins.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes it longer or shorter, for what is sent from now on.
    pub(crate) fn set(&self, by: Duration) {
        self.by_us.store(micros(by), Ordering::Relaxed);
    }
}

fn micros(by: Duration) -> u64 {
    u64::try_from(by.as_micros()).unwrap_or(u64::MAX)
}

async fn accept(listener: TcpListener, upstream: SocketAddr, by_us: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        // A process that is not there is seen by its caller: the connection ends.
        let Ok(server) = TcpStream::connect(upstream).await else { continue };
        if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
            continue;
        }
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        for (from, to) in [(from_client, to_server), (from_server, to_client)] {
            let (sender, receiver) = mpsc::unbounded_channel();
            connections.spawn(take(from, sender, Arc::clone(&by_us)));
            connections.spawn(bring(to, receiver));
        }
    }
}

/// A piece of data, and when it arrives.
type Piece = (Instant, Vec<u8>);

async fn take(mut from: OwnedReadHalf, pieces: mpsc::UnboundedSender<Piece>, by_us: Arc<AtomicU64>) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let due = Instant::now() + Duration::from_micros(by_us.load(Ordering::Relaxed));
        let Some(read) = buffer.get(..length) else { return };
        if pieces.send((due, read.to_vec())).is_err() {
            return;
        }
    }
}

async fn bring(mut to: OwnedWriteHalf, mut pieces: mpsc::UnboundedReceiver<Piece>) {
    while let Some((due, piece)) = pieces.recv().await {
        sleep_until(due).await;
        if to.write_all(&piece).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_sent_at_once_arrives_at_once() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let lag = Lag::to(listener.local_addr().unwrap(), Duration::from_millis(150)).await.unwrap();
        let mut client = TcpStream::connect(lag.address).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let begun = Instant::now();
        for piece in [b"a", b"b", b"c"] {
            client.write_all(piece).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        server.read_exact(&mut [0; 3]).await.unwrap();
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(150) && took < Duration::from_millis(400), "{took:?}");
    }
}
