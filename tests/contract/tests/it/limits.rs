//! What one caller, or one who never becomes a caller, can take of a server: connections, streams, bytes, patience.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use steward_harness::in_process::Host;
use steward_kit::{
    auth::{Roles, TokenVerifier},
    client::{Identity, Peer},
    clock::Clock,
    config::ServerConfig,
    server::Server,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::{Code, Request};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// What HTTP/2 begins with, and the first frame after it: settings, none.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

async fn start(change: impl FnOnce(&mut ServerConfig)) -> Result<(Host, SocketAddr)> {
    let mut config = ServerConfig::development();
    change(&mut config);
    let verifier = Arc::new(TokenVerifier::new(Vec::new(), "steward", Clock::system())?);
    let service = Server::new(&config, verifier, Arc::new(Roles::built_in()));
    let mut host = Host::new();
    let started = host.start("service", |listener, shutdown| service.serve(listener, shutdown)).await?;
    Ok((host, started.address))
}

/// A caller with a connection of its own.
fn caller(address: SocketAddr, deadline: Duration) -> Result<HealthClient<Peer>> {
    Ok(HealthClient::new(Peer::connect(&format!("http://{address}"), deadline, &Identity::plain(None))?))
}

async fn check(client: &HealthClient<Peer>) -> Code {
    client.clone().check(HealthCheckRequest::default()).await.map_or_else(|status| status.code(), |_| Code::Ok)
}

/// How long the server bears with a connection that says this much; `None` for longer than a second.
async fn borne(address: SocketAddr, words: &[u8]) -> Result<Option<Duration>> {
    let begun = Instant::now();
    let mut connection = TcpStream::connect(address).await?;
    // Who is turned away at once may be so before this is said.
    let _ = connection.write_all(words).await;
    let until_end = async {
        let mut buffer = [0; 256];
        while connection.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {}
        begun.elapsed()
    };
    Ok(tokio::time::timeout(Duration::from_secs(1), until_end).await.ok())
}

#[tokio::test]
async fn who_says_nothing_is_not_waited_for() -> Result<()> {
    let (_host, address) = start(|config| config.handshake_timeout_ms = 200).await?;
    let (silent, halting, proper) = tokio::join!(borne(address, b""), borne(address, &PREFACE[..10]), borne(address, PREFACE));
    for (what, borne) in [("silence", silent?), ("half a greeting", halting?)] {
        let borne = borne.with_context(|| format!("{what} is borne for ever"))?;
        assert!((150..900).contains(&borne.as_millis()), "{what} is borne for {borne:?}");
    }
    assert_eq!(proper?, None, "who has greeted may think");
    assert_eq!(check(&caller(address, Duration::from_secs(2))?).await, Code::Ok);
    Ok(())
}

#[tokio::test]
async fn connections_beyond_the_most_are_closed_and_those_within_are_not() -> Result<()> {
    let (_host, address) = start(|config| config.max_connections = 2).await?;
    let first = caller(address, Duration::from_secs(2))?;
    assert_eq!(check(&first).await, Code::Ok);
    let mut second = TcpStream::connect(address).await?;
    second.write_all(PREFACE).await?;
    second.read_u8().await.context("it is greeted")?;

    assert!(borne(address, PREFACE).await?.is_some_and(|borne| borne.as_millis() < 500), "the third is closed at once");
    assert_eq!(check(&first).await, Code::Ok, "who is in stays in");
    drop(second);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(check(&caller(address, Duration::from_secs(2))?).await, Code::Ok, "a place is free again");
    Ok(())
}

#[tokio::test]
async fn streams_beyond_the_most_of_a_connection_wait_and_other_connections_do_not() -> Result<()> {
    let (_host, address) = start(|config| config.max_streams_per_connection = 2).await?;
    let greedy = caller(address, Duration::from_millis(300))?;
    assert_eq!(check(&greedy).await, Code::Ok, "the limit has come to the caller");
    let mut watches = Vec::new();
    for _ in 0..2 {
        watches.push(greedy.clone().watch(HealthCheckRequest::default()).await?);
    }
    assert_ne!(check(&greedy).await, Code::Ok, "the third waits, until its deadline");
    assert_eq!(check(&caller(address, Duration::from_secs(2))?).await, Code::Ok, "another connection does not");
    watches.pop();
    assert_eq!(check(&greedy).await, Code::Ok, "a stream has ended");
    Ok(())
}

#[tokio::test]
async fn headers_and_messages_have_a_greatest_size() -> Result<()> {
    let (_host, address) = start(|_| {}).await?;
    let client = caller(address, Duration::from_secs(2))?;
    let long = |bytes: usize| HealthCheckRequest { service: "x".repeat(bytes) };
    let refusal = client.clone().check(long(5 << 20)).await.expect_err("more than 4 MiB");
    assert_eq!(refusal.code(), Code::OutOfRange, "{refusal:?}");
    let refusal = client.clone().check(long(3 << 20)).await.expect_err("no such service");
    assert_eq!(refusal.code(), Code::NotFound, "what is within is read");

    let mut request = Request::new(HealthCheckRequest::default());
    request.metadata_mut().insert("x-long", "x".repeat(20 << 10).parse()?);
    client.clone().check(request).await.expect_err("more than 16 KiB of headers");
    let mut request = Request::new(HealthCheckRequest::default());
    request.metadata_mut().insert("x-long", "x".repeat(8 << 10).parse()?);
    client.clone().check(request).await?;
    assert_eq!(check(&caller(address, Duration::from_secs(2))?).await, Code::Ok, "the server lives on");
    Ok(())
}
