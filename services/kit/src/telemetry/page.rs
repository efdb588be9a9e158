//! The page that Prometheus reads.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prometheus::{Encoder, Registry, TextEncoder};
use tokio::net::TcpListener;

/// Serves `GET /metrics` until dropped. On a port of its own, so that it need not be reachable from where callers are.
pub async fn serve_metrics(listener: TcpListener, registry: Registry) {
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: asking again at once would only burn the processor.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let registry = registry.clone();
        #[allow(clippy::disallowed_methods, reason = "one connection of the metrics page; nothing to drain")]
        tokio::spawn(async move {
            let answer = service_fn(move |request| std::future::ready(Ok::<_, Infallible>(answer(&request, &registry))));
            // A reader that goes away is no fault of ours.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), answer).await;
        });
    }
}

fn answer(request: &Request<Incoming>, registry: &Registry) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    if request.uri().path() != "/metrics" {
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    match encoder.encode(&registry.gather(), &mut text) {
        Ok(()) => {
            let kind = header::HeaderValue::from_static("text/plain; version=0.0.4");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            *response.body_mut() = Full::from(text);
        }
        Err(error) => {
            tracing::error!(%error, "metrics could not be encoded");
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
    }
    response
}
