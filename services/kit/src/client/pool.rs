//! Connections to every replica of a peer, and which of them gets a call.
//!
//! A call costs one look at a list: of two connections the one with fewer calls under way is taken, and turn by turn if
//! they are equal. Finding and keeping connections is the keeper's work, beside the calls. A call that was
//! not sent when its connection ended goes to another, and so does one of which the peer said that it did nothing; what it may
//! have begun is never sent twice, because only the caller knows whether that would be right.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http2::SendRequest;
use tokio::sync::{Notify, watch};
use tonic::body::Body;
use tonic::{ConnectError, TimeoutExpired};

use super::Identity;
use super::again::{Sent, was_refused_untouched};
use super::connect::Target;
use super::keeper::{Keeper, Resolver, by_name};
use crate::telemetry;

/// How long a call waits for a first connection.
const WAITS_FOR: Duration = Duration::from_secs(5);

/// How many connections may end under a call before it is given up.
const TRIES: usize = 4;

/// Why a call got no answer. tonic knows the sources, and makes UNAVAILABLE or CANCELLED of them.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody is there.
    #[error("no connection stands")]
    NotConnected(#[source] ConnectError),
    /// It took longer than it may.
    #[error("the deadline has passed")]
    Late(#[source] TimeoutExpired),
    /// The connection ended under the call.
    #[error("the connection was lost")]
    Lost(#[source] ConnectError),
}

/// The connections to a peer. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

struct Shared {
    target: Arc<Target>,
    members: watch::Receiver<Members>,
    turn: AtomicUsize,
    wanted: Arc<Notify>,
    /// Until the first call.
    asleep: Mutex<Option<Keeper>>,
}

/// What stands, as the keeper tells it.
#[derive(Clone, Default)]
pub(super) struct Members {
    pub(super) standing: Vec<Arc<Member>>,
    /// How often every attempt had failed.
    pub(super) failures: u64,
    pub(super) cause: String,
}

impl Pool {
    /// The service at `url`. It connects when first used.
    ///
    /// # Errors
    /// `url` is no URL, or wants TLS where the identity has none.
    pub fn at(url: &str, identity: &Identity) -> crate::Result<Self> {
        let target = Target::of(url, identity.tls.as_ref())?;
        let resolver = by_name(&target);
        Ok(Self::found_by(target, resolver, identity.resolve))
    }

    /// The addresses are those that `resolver` finds.
    pub(super) fn found_by(target: Target, resolver: Resolver, every: Duration) -> Self {
        let (tell, members) = watch::channel(Members::default());
        let (target, wanted) = (Arc::new(target), Arc::new(Notify::new()));
        let keeper = Keeper::new(target.clone(), resolver, every, tell, wanted.clone());
        Self(Arc::new(Shared { target, members, turn: AtomicUsize::new(0), wanted, asleep: Mutex::new(Some(keeper)) }))
    }

    /// Sends a request as it is, to whichever replica has the least to do. It may take `most`, or what its `grpc-timeout` says.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(&self, mut request: Request<Body>, most: Option<Duration>) -> Result<Response<Body>, CallError> {
        let deadline = telemetry::deadline(request.headers()).into_iter().chain(most).min();
        self.address(&mut request);
        let answer = self.send(request);
        match deadline {
            Some(deadline) => tokio::time::timeout(deadline, answer).await.unwrap_or(Err(CallError::Late(TimeoutExpired(())))),
            None => answer.await,
        }
    }

    /// Writes the peer's address on the request.
    fn address(&self, request: &mut Request<Body>) {
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(self.0.target.scheme.clone());
        parts.authority = Some(self.0.target.authority.clone());
        parts.path_and_query.get_or_insert_with(|| PathAndQuery::from_static("/"));
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, CallError> {
        let (mut request, mut sent) = Sent::keeping(request);
        let mut tries = 0;
        loop {
            let member = match self.0.pick() {
                Some(member) => member,
                None => self.0.wait().await?,
            };
            tries += 1;
            let mut lost = match member.send(request).await {
                Ok(response) => return Ok(response.map(Body::new)),
                Err(lost) => lost,
            };
            let unsent = lost.take_message();
            let error = lost.into_error();
            let is_untouched = unsent.is_some() || was_refused_untouched(&error);
            // The request that came back has what is kept of it too.
            drop(unsent);
            match is_untouched.then(|| sent.again()).flatten().filter(|_| tries < TRIES) {
                Some(again) => {
                    member.ended.store(true, Ordering::Relaxed);
                    (request, sent) = again;
                }
                None => return Err(CallError::Lost(ConnectError(error.into()))),
            }
        }
    }
}

impl Shared {
    fn pick(&self) -> Option<Arc<Member>> {
        let members = self.members.borrow();
        let standing = &members.standing;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let nth = |at: usize| standing.get(at.checked_rem(standing.len())?).filter(|member| member.is_open());
        let two = [nth(turn), nth(turn.wrapping_add(1))];
        let pick = two.into_iter().flatten().min_by_key(|member| member.under_way.load(Ordering::Relaxed));
        pick.or_else(|| standing.iter().find(|member| member.is_open())).cloned()
    }

    /// Asks for a connection, and waits until one stands or every attempt has failed.
    async fn wait(&self) -> Result<Arc<Member>, CallError> {
        let mut members = self.members.clone();
        let seen = members.borrow_and_update().failures;
        if let Some(keeper) = self.asleep.lock().unwrap_or_else(PoisonError::into_inner).take() {
            #[expect(clippy::disallowed_methods, reason = "ends when the last clone of the pool is gone")]
            tokio::spawn(keeper.run());
        }
        self.wanted.notify_one();
        let turned = members.wait_for(|members| members.standing.iter().any(|member| member.is_open()) || members.failures > seen);
        let cause = match tokio::time::timeout(WAITS_FOR, turned).await {
            Ok(Ok(members)) => members.cause.clone(),
            Ok(Err(_)) | Err(_) => "no address answered in time".to_owned(),
        };
        self.pick().ok_or_else(|| CallError::NotConnected(ConnectError(cause.into())))
    }
}

/// A connection that stands.
pub(super) struct Member {
    pub(super) id: u64,
    sender: SendRequest<Body>,
    under_way: AtomicUsize,
    ended: AtomicBool,
}

impl Member {
    pub(super) fn new(sender: SendRequest<Body>) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(0);
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        Self { id, sender, under_way: AtomicUsize::new(0), ended: AtomicBool::new(false) }
    }

    fn is_open(&self) -> bool {
        !self.ended.load(Ordering::Relaxed) && !self.sender.is_closed()
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<hyper::body::Incoming>, TrySendError<Request<Body>>> {
        let _counted = Counted::one(&self.under_way);
        let mut sender = self.sender.clone();
        sender.try_send_request(request).await
    }
}

/// A call under way, until its answer begins or its caller goes.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn one(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Pool").field(&self.0.target.authority).finish()
    }
}
