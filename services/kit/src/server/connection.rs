//! One accepted connection: plain or TLS, who is at the other end, and how long it may be silent or live.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::incoming::Place;

/// The preface of HTTP/2, `PRI * HTTP/2.0…`: until so much has come, nobody has said anything yet.
const PREFACE: usize = 24;

/// Who is at the other end. In the extensions of every request.
#[derive(Clone, Debug)]
pub struct ConnectionInfo {
    /// Their address.
    pub address: SocketAddr,
    /// The names in their certificate; none on a plain connection or where none is asked for.
    pub names: Arc<[String]>,
    /// Whether the setting `TLS_CALLERS` lets them call.
    pub welcome: bool,
}

/// What carries the bytes.
pub(super) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection that tonic serves.
pub struct Connection {
    wire: Wire,
    info: ConnectionInfo,
    /// First until the preface has come, then until the greatest age. What is cut off here had its chance.
    deadline: Pin<Box<Sleep>>,
    spoken: usize,
    lifetime: Duration,
    _place: Place,
}

impl Connection {
    /// A connection that must speak within `patience`, and ends after `lifetime`.
    pub(super) fn new(wire: Wire, info: ConnectionInfo, patience: Duration, lifetime: Duration, place: Place) -> Self {
        Self { wire, info, deadline: Box::pin(tokio::time::sleep(patience)), spoken: 0, lifetime, _place: place }
    }

    fn heard(&mut self, bytes: usize) {
        if self.spoken < PREFACE {
            self.spoken += bytes;
            if self.spoken >= PREFACE {
                self.deadline.as_mut().reset(Instant::now() + self.lifetime);
            }
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = ConnectionInfo;

    fn connect_info(&self) -> ConnectionInfo {
        self.info.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = match &mut self.wire {
            Wire::Plain(wire) => Pin::new(wire).poll_read(context, buffer),
            Wire::Tls(wire) => Pin::new(wire).poll_read(context, buffer),
        };
        match read {
            Poll::Ready(read) => {
                self.heard(buffer.filled().len() - before);
                Poll::Ready(read)
            }
            Poll::Pending if self.deadline.as_mut().poll(context).is_ready() => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.wire {
            Wire::Plain(wire) => Pin::new(wire).poll_write(context, bytes),
            Wire::Tls(wire) => Pin::new(wire).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match &mut self.wire {
            Wire::Plain(wire) => Pin::new(wire).poll_write_vectored(context, parts),
            Wire::Tls(wire) => Pin::new(wire).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.wire {
            Wire::Plain(wire) => wire.is_write_vectored(),
            Wire::Tls(wire) => wire.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(wire) => Pin::new(wire).poll_flush(context),
            Wire::Tls(wire) => Pin::new(wire).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(wire) => Pin::new(wire).poll_shutdown(context),
            Wire::Tls(wire) => Pin::new(wire).poll_shutdown(context),
        }
    }
}
