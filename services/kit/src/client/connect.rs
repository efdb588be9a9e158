//! One connection: where to, how, and whom to find there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::future::BoxFuture;
use http::Uri;
use http::uri::{Authority, Scheme};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::body::Body;

use crate::error::Error;
use crate::tls::Live;

/// How long a connection may take to stand, handshakes included.
const CONNECTS_WITHIN: Duration = Duration::from_secs(2);

/// A peer's address, taken apart once.
pub(super) struct Target {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    pub(super) host: String,
    pub(super) port: u16,
    tls: Option<(Arc<Live<rustls::ClientConfig>>, ServerName<'static>)>,
}

/// A connection: calls go in at one end, the other has to be driven until it ends.
pub(super) type Connected = (SendRequest<Body>, BoxFuture<'static, hyper::Result<()>>);

impl Target {
    /// Where `url` leads; `https://` needs `tls`.
    pub(super) fn of(url: &str, tls: Option<&Arc<Live<rustls::ClientConfig>>>) -> crate::Result<Self> {
        let uri: Uri = url.parse().map_err(Error::internal)?;
        let (Some(scheme), Some(authority)) = (uri.scheme().cloned(), uri.authority().cloned()) else {
            return Err(Error::bug(format!("{url} is not the address of a peer")));
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let (tls, port) = match scheme.as_str() {
            "https" => {
                let live = tls.cloned().ok_or_else(|| Error::bug(format!("{url} needs CALL_CA_FILE")))?;
                (Some((live, ServerName::try_from(host.clone()).map_err(Error::internal)?)), 443)
            }
            "http" => (None, 80),
            _ => return Err(Error::bug(format!("{url} is neither http:// nor https://"))),
        };
        let port = authority.port_u16().unwrap_or(port);
        Ok(Self { scheme, authority, host, port, tls })
    }

    /// Connects to one of its addresses.
    pub(super) async fn connect(&self, address: SocketAddr) -> anyhow::Result<Connected> {
        let connected = tokio::time::timeout(CONNECTS_WITHIN, self.connect_now(address)).await;
        connected.context("it took too long")?.with_context(|| format!("connecting to {address}"))
    }

    async fn connect_now(&self, address: SocketAddr) -> anyhow::Result<Connected> {
        let stream = TcpStream::connect(address).await?;
        // A message is written when it is whole; waiting for more would only make it late.
        stream.set_nodelay(true)?;
        match &self.tls {
            None => speak(stream).await,
            Some((live, name)) => speak(TlsConnector::from(live.current()).connect(name.clone(), stream).await?).await,
        }
    }
}

async fn speak(wire: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> anyhow::Result<Connected> {
    let (sender, connection) = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        // A peer that vanished without a word is noticed within half a minute, also while nobody calls.
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        .handshake(TokioIo::new(wire))
        .await?;
    Ok((sender, Box::pin(connection)))
}
