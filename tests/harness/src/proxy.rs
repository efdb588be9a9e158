//! A TCP link whose weather a test makes: slow, silent, cut; or it leads elsewhere from one moment to the next.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

/// How a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// It carries everything at once.
    Clear,
    /// Every piece of data is this much later.
    Slow(Duration),
    /// It accepts and carries nothing; what was sent meanwhile arrives when the weather is clear again.
    Silent,
    /// Every connection is reset, and every new one too.
    Cut,
}

/// Where a link leads, and how it is.
#[derive(Debug, Clone, Copy)]
struct Condition {
    upstream: SocketAddr,
    weather: Weather,
    /// Connections of an older age are reset.
    age: u32,
    /// Connections of an older age carry nothing ever again, and nobody is told.
    forgotten: u32,
}

/// A link from an address of this machine to another. Goes with everything on it when dropped.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    condition: watch::Sender<Condition>,
    _carrying: JoinSet<()>,
}

impl Link {
    /// A clear link to `upstream`.
    pub async fn to(upstream: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("opening a link")?;
        let address = listener.local_addr().context("asking for the link's address")?;
        let condition = watch::Sender::new(Condition { upstream, weather: Weather::Clear, age: 0, forgotten: 0 });
        let mut carrying = JoinSet::new();
        carrying.spawn(accept(listener, condition.subscribe()));
        Ok(Self { address, condition, _carrying: carrying })
    }

    /// Where it begins.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes the weather.
    pub fn set(&self, weather: Weather) {
        self.condition.send_modify(|now| now.weather = weather);
    }

    /// Resets every connection; new ones are carried as the weather is.
    pub fn reset(&self) {
        self.condition.send_modify(|now| now.age += 1);
    }

    /// What a balancer does that lost its table: nothing is carried any more on the connections there are, and neither side hears of it.
    /// New ones are carried.
    pub fn forget(&self) {
        self.condition.send_modify(|now| now.forgotten += 1);
    }

    /// Leads to another server from now on; connections to the old one are reset.
    pub fn lead_to(&self, upstream: SocketAddr) {
        self.condition.send_modify(|now| {
            now.upstream = upstream;
            now.age += 1;
        });
    }
}

async fn accept(listener: TcpListener, condition: watch::Receiver<Condition>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => drop(connections.spawn(carry(client, condition.clone()))),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Carries one connection until a side closes it or the link breaks it.
async fn carry(mut client: TcpStream, condition: watch::Receiver<Condition>) {
    let born = *condition.borrow();
    let mut condition_of_ends = condition.clone();
    let broken = condition_of_ends.wait_for(|now| now.weather == Weather::Cut || now.age != born.age);
    let carried = async {
        hold(&mut condition.clone()).await?;
        let upstream = condition.borrow().upstream;
        let mut server = TcpStream::connect(upstream).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let there = pump(from_client, to_server, condition.clone(), born.forgotten);
        let back = pump(from_server, to_client, condition.clone(), born.forgotten);
        tokio::try_join!(there, back).map(drop)
    };
    let is_closed = tokio::select! {
        _ = broken => false,
        carried = carried => carried.is_ok(),
    };
    if !is_closed {
        // The caller is to see a reset, not an orderly end. If it is gone already there is nobody to tell.
        drop(client.set_zero_linger());
    }
}

async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut condition: watch::Receiver<Condition>, forgotten: u32) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let length = from.read(&mut buffer).await?;
        hold(&mut condition).await?;
        if condition.borrow().forgotten != forgotten {
            std::future::pending::<()>().await;
        }
        let Some(read) = buffer.get(..length).filter(|read| !read.is_empty()) else {
            return to.shutdown().await;
        };
        to.write_all(read).await?;
    }
}

/// Waits as the weather demands.
async fn hold(condition: &mut watch::Receiver<Condition>) -> io::Result<()> {
    let weather = condition.wait_for(|now| now.weather != Weather::Silent).await.map(|now| now.weather).map_err(io::Error::other)?;
    match weather {
        Weather::Clear | Weather::Silent => Ok(()),
        Weather::Slow(by) => {
            tokio::time::sleep(by).await;
            Ok(())
        }
        Weather::Cut => Err(io::ErrorKind::ConnectionReset.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that says everything again.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        address
    }

    async fn said(stream: &mut TcpStream, within: Duration) -> Option<io::Result<usize>> {
        let asked = async {
            stream.write_all(b"ping").await?;
            stream.read(&mut [0; 4]).await
        };
        tokio::time::timeout(within, asked).await.ok()
    }

    const SOON: Duration = Duration::from_secs(5);
    const A_MOMENT: Duration = Duration::from_millis(100);

    #[tokio::test]
    async fn what_was_sent_into_the_silence_arrives_afterwards() {
        let link = Link::to(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(link.address()).await.unwrap();
        assert_eq!(said(&mut stream, SOON).await.unwrap().unwrap(), 4);
        link.set(Weather::Silent);
        assert!(said(&mut stream, A_MOMENT).await.is_none());
        link.set(Weather::Clear);
        assert_eq!(stream.read(&mut [0; 4]).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn a_cut_resets_what_is_there_and_what_comes() {
        let link = Link::to(echo().await).await.unwrap();
        let mut old = TcpStream::connect(link.address()).await.unwrap();
        assert_eq!(said(&mut old, SOON).await.unwrap().unwrap(), 4);
        link.set(Weather::Cut);
        assert!(tokio::time::timeout(SOON, old.read(&mut [0; 4])).await.unwrap().is_err());
        let mut new = TcpStream::connect(link.address()).await.unwrap();
        assert!(!matches!(said(&mut new, SOON).await.unwrap(), Ok(1..)));
        link.set(Weather::Clear);
        let mut again = TcpStream::connect(link.address()).await.unwrap();
        assert_eq!(said(&mut again, SOON).await.unwrap().unwrap(), 4);
    }

    #[tokio::test]
    async fn a_forgotten_connection_is_dead_and_a_new_one_is_not() {
        let link = Link::to(echo().await).await.unwrap();
        let mut old = TcpStream::connect(link.address()).await.unwrap();
        assert_eq!(said(&mut old, SOON).await.unwrap().unwrap(), 4);
        link.forget();
        assert!(said(&mut old, A_MOMENT).await.is_none());
        let mut new = TcpStream::connect(link.address()).await.unwrap();
        assert_eq!(said(&mut new, SOON).await.unwrap().unwrap(), 4);
    }
}
