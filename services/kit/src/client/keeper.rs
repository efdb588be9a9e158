//! Keeps a connection to each address of a peer.
//!
//! The name is looked up now and then, and at once when a connection was lost or a caller finds none. An address that is new
//! gets a connection, one that is gone gets no more calls; those under way may end, for a connection ends when nobody holds it.
//! A name that cannot be looked up changes nothing: what stands is still better than nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::future::BoxFuture;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::connect::Target;
use super::pool::{Member, Members};

/// A connection that ends sooner never really stood: the peer sent us away. It is not begun again at once.
const STOOD: Duration = Duration::from_secs(1);

/// How long a look-up may take.
const LOOKS_UP_WITHIN: Duration = Duration::from_secs(2);

/// Finds the addresses of a peer.
pub(super) type Resolver = Box<dyn Fn() -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// By the system's resolver.
pub(super) fn by_name(target: &Target) -> Resolver {
    let (host, port) = (target.host.clone(), target.port);
    Box::new(move || {
        let host = host.clone();
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    })
}

/// The task that keeps the connections.
pub(super) struct Keeper {
    target: Arc<Target>,
    resolver: Resolver,
    every: Duration,
    tell: watch::Sender<Members>,
    wanted: Arc<Notify>,
    links: BTreeMap<SocketAddr, Link>,
    /// Whether it was told that nobody is there.
    mourned: bool,
}

enum Link {
    Connecting,
    Standing(Arc<Member>),
    /// Tried again at the next look.
    Down,
}

enum Event {
    Connected(SocketAddr, Arc<Member>),
    Failed(SocketAddr, String),
    Ended { address: SocketAddr, id: u64, stood: Duration, cause: String },
}

impl Keeper {
    pub(super) fn new(target: Arc<Target>, resolver: Resolver, every: Duration, tell: watch::Sender<Members>, wanted: Arc<Notify>) -> Self {
        Self { target, resolver, every, tell, wanted, links: BTreeMap::new(), mourned: false }
    }

    /// Runs until nobody holds the pool.
    pub(super) async fn run(mut self) {
        let (events, mut told) = unbounded_channel();
        let mut next_look = Instant::now();
        loop {
            let look = tokio::select! {
                () = self.tell.closed() => return,
                () = tokio::time::sleep_until(next_look) => true,
                () = self.wanted.notified() => !self.has_hope(),
                Some(event) = told.recv() => self.take(event, &events),
            };
            if look {
                self.look(&events).await;
                next_look = Instant::now() + self.every;
            }
        }
    }

    /// Whether a connection stands or may soon.
    fn has_hope(&self) -> bool {
        self.links.values().any(|link| !matches!(link, Link::Down))
    }

    /// Looks the name up, and makes the links follow.
    async fn look(&mut self, events: &UnboundedSender<Event>) {
        let found = tokio::time::timeout(LOOKS_UP_WITHIN, (self.resolver)()).await;
        let found = found.context("it took too long").and_then(|found| Ok(found?)).context("looking the name up");
        match found {
            Ok(found) => {
                let found: BTreeSet<_> = found.into_iter().collect();
                self.links.retain(|address, _| found.contains(address));
                for address in found {
                    if matches!(self.links.get(&address), None | Some(Link::Down)) {
                        self.connect(address, events);
                    }
                }
                self.publish(None);
            }
            Err(error) => {
                let again: Vec<_> = self.links.iter().filter(|(_, link)| matches!(link, Link::Down)).map(|(address, _)| *address).collect();
                again.into_iter().for_each(|address| self.connect(address, events));
                self.publish(Some(format!("{error:#}")));
            }
        }
    }

    /// Notes what happened; whether the name should be looked up again.
    fn take(&mut self, event: Event, events: &UnboundedSender<Event>) -> bool {
        match event {
            Event::Connected(address, member) => {
                if let Some(link) = self.links.get_mut(&address) {
                    *link = Link::Standing(member);
                }
                self.publish(None);
                false
            }
            Event::Failed(address, cause) => {
                if let Some(link) = self.links.get_mut(&address) {
                    *link = Link::Down;
                }
                self.publish(Some(cause));
                false
            }
            Event::Ended { address, id, stood, cause } => {
                // Its address may be gone meanwhile, or have another connection.
                if !matches!(self.links.get(&address), Some(Link::Standing(member)) if member.id == id) {
                    return false;
                }
                if stood < STOOD {
                    self.links.insert(address, Link::Down);
                    self.publish(Some(cause));
                    return false;
                }
                self.connect(address, events);
                self.publish(None);
                true
            }
        }
    }

    fn connect(&mut self, address: SocketAddr, events: &UnboundedSender<Event>) {
        self.links.insert(address, Link::Connecting);
        let (target, events) = (self.target.clone(), events.clone());
        #[expect(clippy::disallowed_methods, reason = "ends with its connection, which ends when nobody holds it")]
        tokio::spawn(live(target, address, events));
    }

    /// Tells callers what stands. `cause` is why one does not.
    fn publish(&mut self, cause: Option<String>) {
        let standing: Vec<_> = self.links.values().filter_map(Link::member).collect();
        let hopeless = !self.has_hope();
        if hopeless && !self.mourned {
            let cause = cause.as_deref().unwrap_or("its name has no address");
            tracing::warn!(peer = %self.target.authority, cause, "a peer cannot be reached");
            self.mourned = true;
        } else if !standing.is_empty() && self.mourned {
            tracing::info!(peer = %self.target.authority, "a peer is reached again");
            self.mourned = false;
        }
        self.tell.send_modify(|members| {
            members.standing = standing;
            if hopeless {
                members.failures += 1;
                members.cause = cause.unwrap_or_else(|| "its name has no address".to_owned());
            }
        });
    }
}

impl Link {
    fn member(&self) -> Option<Arc<Member>> {
        match self {
            Self::Standing(member) => Some(member.clone()),
            Self::Connecting | Self::Down => None,
        }
    }
}

/// The life of a connection.
async fn live(target: Arc<Target>, address: SocketAddr, events: UnboundedSender<Event>) {
    let tell = |event| {
        // Nobody listens when the pool is gone.
        let _ = events.send(event);
    };
    let (member, connection) = match target.connect(address).await {
        Ok((sender, connection)) => (Member::new(sender), connection),
        Err(error) => return tell(Event::Failed(address, format!("{error:#}"))),
    };
    let (id, since) = (member.id, Instant::now());
    tell(Event::Connected(address, Arc::new(member)));
    let ended = connection.await;
    let cause = match ended {
        Ok(()) => "the connection was closed".to_owned(),
        Err(error) => format!("{:#}", anyhow::Error::from(error)),
    };
    tell(Event::Ended { address, id, stood: since.elapsed(), cause });
}
