//! What is kept of a request, so that it can be sent again when its peer did nothing of it.
//!
//! A peer that goes tells which calls it will not begin (RFC 9113 §6.8); until that word is here, calls are sent on a connection
//! that has ended. HTTP takes a request apart before it knows. So a small body is kept as it is read, and an unread one comes back.

use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::vec;

use bytes::Bytes;
use h2::Reason;
use http::{Request, request};
use http_body::Frame;
use tonic::{Status, body::Body};

/// A request that was read further than this is not kept: it is an upload, whose sender knows how to go on.
const KEPT: usize = 64 << 10;

/// A request on its way.
pub(super) struct Sent {
    head: request::Parts,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    read: Vec<Bytes>,
    size: usize,
    /// What was not read, once nobody reads any more.
    rest: Option<Body>,
    /// There is nothing more to read.
    ended: bool,
}

impl Sent {
    /// The request to send, and what is kept of it.
    pub(super) fn keeping(request: Request<Body>) -> (Request<Body>, Self) {
        let (head, body) = request.into_parts();
        Self::after(head, Vec::new(), Some(body))
    }

    fn after(head: request::Parts, first: Vec<Bytes>, rest: Option<Body>) -> (Request<Body>, Self) {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let body = Reading { first: first.into_iter(), rest, kept: kept.clone() };
        (Request::from_parts(head.clone(), Body::new(body)), Self { head, kept })
    }

    /// The request once more, if all of it is here.
    pub(super) fn again(self) -> Option<(Request<Body>, Self)> {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        let is_whole = kept.size <= KEPT && (kept.ended || kept.rest.is_some());
        is_whole.then(|| Self::after(self.head, kept.read, kept.rest))
    }
}

/// Whether the peer has said that it did nothing of a call.
pub(super) fn was_refused_untouched(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_some_and(|cause| {
        let goes = cause.is_go_away() && cause.reason() == Some(Reason::NO_ERROR);
        cause.is_remote() && (goes || cause.reason() == Some(Reason::REFUSED_STREAM))
    })
}

/// A body that keeps what is read of it.
struct Reading {
    first: vec::IntoIter<Bytes>,
    rest: Option<Body>,
    kept: Arc<Mutex<Kept>>,
}

impl Reading {
    fn keep(&self, act: impl FnOnce(&mut Kept)) {
        act(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn note(&self, data: &Bytes) {
        self.keep(|kept| {
            kept.size = kept.size.saturating_add(data.len());
            if kept.size <= KEPT {
                kept.read.push(data.clone());
            } else {
                kept.read = Vec::new();
            }
        });
    }
}

impl http_body::Body for Reading {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(data) = self.first.next() {
            self.note(&data);
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let frame = match &mut self.rest {
            Some(rest) => ready!(Pin::new(rest).poll_frame(context)),
            None => None,
        };
        match &frame {
            Some(Ok(frame)) => match frame.data_ref() {
                Some(data) => self.note(data),
                // Trailers: no caller of gRPC sends them.
                None => self.keep(|kept| kept.size = usize::MAX),
            },
            Some(Err(_)) => self.keep(|kept| kept.size = usize::MAX),
            None => {
                self.rest = None;
                self.keep(|kept| kept.ended = true);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.first.as_slice().is_empty() && self.rest.as_ref().is_none_or(http_body::Body::is_end_stream)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let (first, rest) = (std::mem::take(&mut self.first), self.rest.take());
        self.keep(|kept| {
            kept.ended |= rest.as_ref().is_none_or(http_body::Body::is_end_stream);
            kept.read.extend(first);
            kept.rest = rest;
        });
    }
}
