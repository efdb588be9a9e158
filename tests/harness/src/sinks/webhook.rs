//! A receiver of webhooks: keeps every request with its headers, and answers as told.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use axum::{Router, extract::State as Shared, http::Request};
use bytes::Bytes;
use http::StatusCode;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::received::Received;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct WebhookRequest {
    /// `POST`
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body, byte for byte: the signature is over these.
    pub body: Bytes,
}

impl WebhookRequest {
    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// An HTTP server on a port of this machine; stops when dropped.
#[derive(Debug)]
pub struct WebhookSink {
    address: SocketAddr,
    state: State,
    stop: CancellationToken,
}

#[derive(Debug, Clone)]
struct State {
    received: Received<WebhookRequest>,
    refusals: Arc<AtomicU32>,
    refusal_status: Arc<AtomicU16>,
    keep_in: Option<PathBuf>,
}

impl WebhookSink {
    /// Starts on a free port.
    pub async fn start() -> Result<Self> {
        Self::start_at(0, None).await
    }

    /// Starts on `port`, and also keeps each body as a file in `keep_in`.
    pub async fn start_at(port: u16, keep_in: Option<PathBuf>) -> Result<Self> {
        if let Some(dir) = &keep_in {
            tokio::fs::create_dir_all(dir).await.with_context(|| format!("making {}", dir.display()))?;
        }
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| format!("listening for webhooks on port {port}"))?;
        let address = listener.local_addr()?;
        let state = State { received: Received::new(), refusals: Arc::default(), refusal_status: Arc::new(AtomicU16::new(503)), keep_in };
        let stop = CancellationToken::new();
        let router = Router::new().fallback(receive).with_state(state.clone());
        let server = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        TaskTracker::new().spawn(server.into_future());
        Ok(Self { address, state, stop })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{}", self.address, path.trim_start_matches('/'))
    }

    /// Every accepted request so far.
    pub fn requests(&self) -> Vec<WebhookRequest> {
        self.state.received.all()
    }

    /// The first accepted request, past or coming, that `is_it` accepts.
    pub async fn wait_for(&self, patience: Duration, is_it: impl Fn(&WebhookRequest) -> bool) -> Result<WebhookRequest> {
        self.state.received.wait_for(patience, is_it).await
    }

    /// Answers the next `count` requests with this HTTP status instead of keeping them.
    pub fn refuse_next(&self, count: u32, status: u16) {
        self.state.refusal_status.store(status, Ordering::SeqCst);
        self.state.refusals.store(count, Ordering::SeqCst);
    }
}

impl Drop for WebhookSink {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn receive(Shared(state): Shared<State>, request: Request<axum::body::Body>) -> StatusCode {
    /// More than any message of ours.
    const LARGEST: usize = 1 << 20;
    let refused = state.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    if refused {
        return StatusCode::from_u16(state.refusal_status.load(Ordering::SeqCst)).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    }
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST).await else { return StatusCode::PAYLOAD_TOO_LARGE };
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let path = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
    let kept = WebhookRequest { method: head.method.to_string(), path, headers: headers.collect(), body };
    if let Some(dir) = &state.keep_in
        && tokio::fs::write(dir.join(format!("{}.json", uuid::Uuid::now_v7())), &kept.body).await.is_err()
    {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    state.received.push(kept);
    StatusCode::NO_CONTENT
}

/// `Duration` that a test waits for something that should come at once.
#[cfg(test)]
const SOON: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_is_kept_with_its_headers_and_exact_body() {
        let sink = WebhookSink::start().await.unwrap();
        sink.refuse_next(1, 500);
        let client = reqwest::Client::new();
        let send = || client.post(sink.url("/hooks/1?x=2")).header("webhook-id", "m1").body("{ \"a\":1}").send();
        assert_eq!(send().await.unwrap().status(), 500);
        assert!(sink.requests().is_empty());
        assert_eq!(send().await.unwrap().status(), 204);
        let kept = sink.wait_for(SOON, |request| request.path == "/hooks/1?x=2").await.unwrap();
        assert_eq!((kept.header("webhook-id"), &kept.body[..]), ("m1", &b"{ \"a\":1}"[..]));
    }
}
