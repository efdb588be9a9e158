//! The gRPC server of a service: one stack, written top to bottom in [`Server::serve`].
//!
//! A service builds a [`Server`] from its configuration and its tonic services, and serves a listener that it is given.
//! The server refuses to start when an RPC declares no permission. It answers health probes and reflection to anybody,
//! everything else to whom [`crate::auth`] lets in.
//!
//! It ends in three steps: health says NOT_SERVING, and the balancers get time to notice; then no new connection is
//! taken and RPCs at work may end; then, at a hard deadline, what is left is cut off (a peer that does not react can
//! otherwise hold a graceful shutdown for an hour: hyper #4170).

mod callers;
mod connection;
mod health;
mod incoming;
mod limit;
mod panics;
mod reflection;
mod request;
mod signal;
mod undecodable;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::Health as HealthRpc;
use tower::Service;
use tower::ServiceBuilder;

pub use callers::{Callers, CallersLayer};
pub use connection::{Connection, ConnectionInfo};
pub use health::{Health, health};
pub use incoming::Incoming;
pub use limit::{ConcurrencyLimit, ConcurrencyLimitLayer};
pub use panics::{PanicAnswer, catch_panic};
pub use reflection::add_reflection;
pub use request::{RequestLayer, RequestService};
pub use signal::cancel_on_signal;
pub use undecodable::{Undecodable, UndecodableLayer};

use crate::auth::{AuthLayer, PermissionTable, Roles, TokenVerifier};
use crate::config::ServerConfig;

/// A server being put together.
pub struct Server {
    config: ServerConfig,
    verifier: Arc<TokenVerifier>,
    roles: Arc<Roles>,
    routes: RoutesBuilder,
    services: Vec<&'static str>,
}

impl Server {
    /// A server that lets in whom `verifier` proves and `roles` allow.
    pub fn new(config: &ServerConfig, verifier: Arc<TokenVerifier>, roles: Arc<Roles>) -> Self {
        Self { config: config.clone(), verifier, roles, routes: RoutesBuilder::default(), services: Vec::new() }
    }

    /// Adds a tonic service. Its RPCs must declare their permissions.
    #[must_use]
    pub fn add_service<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
        S: NamedService + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.services.push(S::NAME);
        self.routes.add_service(service);
        self
    }

    /// Serves `listener` until `shutdown`, then drains.
    ///
    /// # Errors
    /// An RPC declares no permission, or the listener fails.
    pub async fn serve(mut self, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
        let permissions = PermissionTable::from_descriptors(steward_proto::descriptor_pool(), &self.services)?;
        let health = health(&self.services).await;
        self.routes.add_service(health.service());
        add_reflection(&mut self.routes);

        let stack = ServiceBuilder::new()
            // Names the request, opens its span and times it: outermost, so that whatever happens below is counted.
            .layer(RequestLayer)
            // What cannot be decoded is refused, not our fault.
            .layer(UndecodableLayer)
            // A panic becomes INTERNAL with the request's id; below the span, so that the line is found by it.
            .layer(catch_panic())
            // Turns away processes that have no business here, before anything is spent on them.
            .layer(CallersLayer)
            // Sheds load before a signature is verified, so that a flood costs little.
            .layer(ConcurrencyLimitLayer::new(self.config.max_concurrent_requests))
            // Lets in whom the token proves and the roles allow: last, so that nothing of ours runs for anyone else.
            .layer(AuthLayer::new(self.verifier, permissions, self.roles))
            .into_inner();
        let server = builder(&self.config).layer(stack).add_routes(self.routes.routes());
        run(&self.config, &health, listener, shutdown, |incoming, stop| server.serve_with_incoming_shutdown(incoming, stop)).await
    }
}

/// The transport of every server of ours: deadlines, ages and limits, without layers or routes.
pub fn builder(config: &ServerConfig) -> tonic::transport::Server {
    tonic::transport::Server::builder()
        // The caller's own deadline counts if it is shorter.
        .timeout(config.request_timeout())
        // A connection that lives for ever pins its caller to one replica. Asked to come again here; what does not go is cut
        // off by [`Connection`], for with tonic's own grace nobody would be asked before the cut.
        .max_connection_age(Duration::from_secs(config.max_connection_age_s))
        // A peer that vanished without a word is noticed within half a minute.
        .http2_keepalive_interval(Some(Duration::from_secs(20)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        // Without these two one connection could hold any number of streams, and make us reset any number of them.
        .max_concurrent_streams(config.max_streams_per_connection)
        .http2_max_local_error_reset_streams(Some(1024))
        // Messages are limited to 4 MiB by each tonic service's decoder; headers are limited here.
        .http2_max_header_list_size(16 * 1024)
}

/// Runs what `serve` starts on `listener` until `shutdown`, then drains to the hard deadline. Probes have a port of their own
/// if the configuration names one.
///
/// # Errors
/// A listener fails, or a certificate's file does not hold what it should.
pub async fn run<H: HealthRpc, F: Future<Output = Result<(), tonic::transport::Error>>>(
    config: &ServerConfig,
    health: &Health<H>,
    listener: TcpListener,
    shutdown: CancellationToken,
    serve: impl FnOnce(Incoming, WaitForCancellationFutureOwned) -> F,
) -> anyhow::Result<()> {
    let stop_accepting = CancellationToken::new();
    let incoming = Incoming::new(config, listener)?;
    let probes = health::probes(config, health).await?;
    let serving = serve(incoming, stop_accepting.clone().cancelled_owned());
    tokio::select! {
        ended = serving => Ok(ended?),
        ended = probes => ended,
        () = drain(config, health, &shutdown, &stop_accepting) => Ok(()),
    }
}

/// Waits for the shutdown, walks its steps, and returns at the hard deadline.
async fn drain<H: HealthRpc>(config: &ServerConfig, health: &Health<H>, shutdown: &CancellationToken, stop_accepting: &CancellationToken) {
    shutdown.cancelled().await;
    health.say(ServingStatus::NotServing).await;
    tokio::time::sleep(Duration::from_millis(config.drain_notice_ms)).await;
    stop_accepting.cancel();
    tokio::time::sleep(Duration::from_millis(config.drain_deadline_ms)).await;
    tracing::warn!(deadline_ms = config.drain_deadline_ms, "drain deadline has passed, what is left is cut off");
}

#[cfg(test)]
mod tests;
