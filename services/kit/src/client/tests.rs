use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::connect::Target;
use super::*;
use crate::config::ServerConfig;
use crate::server::{health, run};

#[tokio::test]
async fn a_peer_that_is_not_there_is_unavailable() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let mut client = HealthClient::new(Peer::connect(&url, Duration::from_millis(500), &Identity::plain(None)).expect("a peer"));
    for _ in 0..3 {
        let status = client.check(HealthCheckRequest::default()).await.expect_err("nobody is there");
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        assert!(matches!(peer_error("customer", status), Error::Unavailable { dependency: "customer", .. }));
    }
}

#[test]
fn a_refusal_we_did_not_expect_is_our_fault() {
    let refusal = Status::from(Error::not_found("unit", "7"));
    assert!(matches!(peer_error("customer", refusal), Error::Internal(_)));
    for url in ["not a url", "customer:8080", "ftp://customer", "https://customer"] {
        assert!(Peer::connect(url, Duration::from_secs(1), &Identity::plain(None)).is_err(), "{url}");
    }
}

/// A replica that counts its calls.
struct Replica {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
    shutdown: CancellationToken,
    server: JoinHandle<anyhow::Result<()>>,
}

impl Replica {
    async fn start(max_connection_age_s: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = listener.local_addr().expect("an address");
        let (calls, shutdown) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
        let (counted, stop) = (calls.clone(), shutdown.clone());
        let server = tokio::spawn(async move {
            let config = ServerConfig { max_connection_age_s, ..ServerConfig::development() };
            let health = health(&[]).await;
            let count = tower::util::MapRequestLayer::new(move |request: Request<Body>| {
                counted.fetch_add(1, Ordering::Relaxed);
                request
            });
            let router = crate::server::builder(&config).layer(count).add_service(health.service());
            run(&config, &health, listener, stop, |incoming, stop| router.serve_with_incoming_shutdown(incoming, stop)).await
        });
        Self { address, calls, shutdown, server }
    }

    fn taken(&self) -> usize {
        self.calls.swap(0, Ordering::Relaxed)
    }
}

/// A name whose addresses the test chooses.
#[derive(Clone, Default)]
struct Name(Arc<Mutex<BTreeSet<SocketAddr>>>);

impl Name {
    fn now_means(&self, replicas: &[&Replica]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = replicas.iter().map(|replica| replica.address).collect();
    }

    fn pool(&self) -> Pool {
        let name = self.clone();
        let resolver = Box::new(move || {
            let found = name.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
            Box::pin(std::future::ready(Ok(found))) as BoxFuture<'static, _>
        });
        Pool::found_by(Target::of("http://replicas:80", None).expect("a target"), resolver, Duration::from_millis(50))
    }
}

async fn call(pool: &Pool, times: usize) -> Result<(), Status> {
    let peer = Peer::over(pool.clone(), Duration::from_secs(5), None).map_err(Status::from)?;
    for _ in 0..times {
        HealthClient::new(peer.clone()).check(HealthCheckRequest::default()).await?;
    }
    Ok(())
}

/// Two replicas stand, one goes, a third comes: calls follow, and none fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_follow_the_replicas_and_none_fails() {
    let (one, two) = (Replica::start(600).await, Replica::start(600).await);
    let name = Name::default();
    name.now_means(&[&one, &two]);
    let pool = name.pool();
    call(&pool, 1).await.expect("answers");
    tokio::time::sleep(Duration::from_millis(100)).await;
    call(&pool, 100).await.expect("answers");
    let shares = (one.taken(), two.taken());
    assert!(shares.0 >= 45 && shares.1 >= 45, "shares are {shares:?}");

    // Callers go on calling while replicas come and go.
    let stop = CancellationToken::new();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (pool, stop) = (pool.clone(), stop.clone());
            tokio::spawn(async move {
                let mut calls = 0;
                while !stop.is_cancelled() {
                    call(&pool, 1).await?;
                    calls += 1;
                }
                Ok::<_, Status>(calls)
            })
        })
        .collect();
    // One goes as a pod does: still named for a moment after it is told to end.
    one.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(2), one.server).await.expect("drains").expect("no panic").expect("no error");
    let three = Replica::start(600).await;
    name.now_means(&[&two, &three]);
    tokio::time::timeout(Duration::from_secs(2), async {
        while three.calls.load(Ordering::Relaxed) < 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the third is found");
    stop.cancel();
    for caller in callers {
        let calls: usize = caller.await.expect("no panic").expect("no call fails");
        assert!(calls > 0);
    }
    assert!(two.taken() > 0);

    // Down to one: an address that is gone gets no more, though it would answer.
    name.now_means(&[&three]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    three.taken();
    call(&pool, 20).await.expect("answers");
    assert_eq!((two.taken(), three.taken()), (0, 20));
}

/// A connection that is as old as it may be is asked to come again; nobody notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_of_age_is_made_anew_between_calls() {
    let replica = Replica::start(1).await;
    let pool = Pool::at(&format!("http://{}", replica.address), &Identity::plain(None)).expect("a pool");
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_millis(1500) {
        call(&pool, 10).await.expect("no call fails");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Nobody is kept waiting for one that accepts and says nothing, as long as another answers.
#[tokio::test]
async fn a_replica_that_is_gone_without_a_word_holds_up_nobody() {
    let replica = Replica::start(600).await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("listens").local_addr().expect("an address");
    let name = Name::default();
    name.now_means(&[&replica]);
    name.0.lock().unwrap_or_else(PoisonError::into_inner).insert(silent);
    call(&name.pool(), 50).await.expect("answers");
    assert_eq!(replica.taken(), 50);
}
