//! Accepting connections: so many at once, each within its time, over TLS where there is a certificate.
//!
//! A handshake runs on a task of its own, so that one that stalls holds nobody up; it ends with [`Incoming`]. tonic's own
//! TLS is not used: it takes a certificate once, for ever.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;

use super::connection::{Connection, ConnectionInfo, Wire};
use crate::config::ServerConfig;
use crate::telemetry::{self, Counter, Gauge};
use crate::tls::{self, Live};

static STANDING: LazyLock<Gauge> = LazyLock::new(|| telemetry::gauge("steward_connections", "connections of the gRPC port that stand"));
static REFUSED: LazyLock<Counter> =
    LazyLock::new(|| telemetry::counter("steward_connections_refused", "connections that ended before their first call could come"));

/// How long a connection may go on after it was asked to come again.
const GRACE: Duration = Duration::from_secs(30);

/// How long to wait when the system gives no more connections, most likely for want of file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// The connections of one listener.
pub struct Incoming {
    listener: TcpListener,
    rules: Arc<Rules>,
    handshakes: JoinSet<Option<Connection>>,
    breath: Option<Pin<Box<Sleep>>>,
}

struct Rules {
    tls: Option<Arc<Live<rustls::ServerConfig>>>,
    callers: BTreeSet<String>,
    places: Arc<Semaphore>,
    most: usize,
    patience: Duration,
    lifetime: Duration,
}

/// Held by a connection as long as it stands.
pub(super) struct Place {
    permit: Option<OwnedSemaphorePermit>,
    rules: Arc<Rules>,
}

impl Incoming {
    /// The connections of `listener`, over TLS if the configuration names a certificate.
    ///
    /// # Errors
    /// The certificate's files do not hold what they should.
    pub fn new(config: &ServerConfig, listener: TcpListener) -> anyhow::Result<Self> {
        let callers = config.tls.tls_callers.iter().cloned().collect();
        Ok(Self::by(Rules { tls: config.tls.serving()?, callers, ..Rules::plain(config, config.max_connections) }, listener))
    }

    /// The connections of a plain `listener`, `most` at once: for probes.
    pub(super) fn plain(config: &ServerConfig, listener: TcpListener, most: usize) -> Self {
        Self::by(Rules::plain(config, most), listener)
    }

    fn by(rules: Rules, listener: TcpListener) -> Self {
        Self { listener, rules: Arc::new(rules), handshakes: JoinSet::new(), breath: None }
    }
}

impl Rules {
    fn plain(config: &ServerConfig, most: usize) -> Self {
        Self {
            tls: None,
            callers: BTreeSet::new(),
            places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            most,
            patience: Duration::from_millis(config.handshake_timeout_ms),
            lifetime: Duration::from_secs(config.max_connection_age_s) + GRACE,
        }
    }

    fn note_standing(&self) {
        #[expect(clippy::cast_precision_loss, reason = "a count of connections is exact in a double")]
        STANDING.set(self.most.saturating_sub(self.places.available_permits()) as f64, &[]);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.permit.take();
        self.rules.note_standing();
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            match this.handshakes.poll_join_next(context) {
                Poll::Ready(Some(Ok(Some(connection)))) => return Poll::Ready(Some(Ok(connection))),
                Poll::Ready(Some(Ok(None) | Err(_))) => {
                    REFUSED.add(1, &[("cause", "handshake")]);
                    continue;
                }
                Poll::Ready(None) | Poll::Pending => {}
            }
            if let Some(breath) = &mut this.breath {
                if breath.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                this.breath = None;
            }
            let (stream, address) = match this.listener.poll_accept(context) {
                Poll::Ready(Ok(accepted)) => accepted,
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "a connection could not be accepted");
                    this.breath = Some(Box::pin(tokio::time::sleep(BREATH)));
                    continue;
                }
                Poll::Pending => return Poll::Pending,
            };
            let Ok(permit) = this.rules.places.clone().try_acquire_owned() else {
                // Dropped, which closes it: a caller that comes again finds another replica.
                REFUSED.add(1, &[("cause", "too_many")]);
                continue;
            };
            let place = Place { permit: Some(permit), rules: this.rules.clone() };
            this.rules.note_standing();
            // A message is written when it is whole; waiting for more would only make it late.
            let _ = stream.set_nodelay(true);
            match &this.rules.tls {
                None => return Poll::Ready(Some(Ok(plain(stream, address, place)))),
                Some(live) => {
                    let acceptor = TlsAcceptor::from(live.current());
                    this.handshakes.spawn(shake_hands(acceptor, stream, address, place));
                }
            }
        }
    }
}

fn plain(stream: TcpStream, address: SocketAddr, place: Place) -> Connection {
    let info = ConnectionInfo { address, names: Arc::new([]), welcome: true };
    let (patience, lifetime) = (place.rules.patience, place.rules.lifetime);
    Connection::new(Wire::Plain(stream), info, patience, lifetime, place)
}

/// `None` when they did not come to terms, or not in time.
async fn shake_hands(acceptor: TlsAcceptor, stream: TcpStream, address: SocketAddr, place: Place) -> Option<Connection> {
    let (patience, lifetime) = (place.rules.patience, place.rules.lifetime);
    let stream = match tokio::time::timeout(patience, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            return None;
        }
        Err(_) => return None,
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let names = certificate.map_or_else(|| Ok(Arc::new([]) as Arc<[String]>), tls::names).ok()?;
    let callers = &place.rules.callers;
    let welcome = callers.is_empty() || names.iter().any(|name| callers.contains(name));
    let info = ConnectionInfo { address, names, welcome };
    Some(Connection::new(Wire::Tls(Box::new(stream)), info, patience, lifetime, place))
}
