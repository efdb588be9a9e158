//! What probes and balancers are told.

use anyhow::Context;
use tokio::net::TcpListener;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health as HealthRpc, HealthServer};
use tonic_health::server::HealthReporter;

use super::{Incoming, builder};
use crate::config::ServerConfig;

/// The name under which the process says that it lives, whether or not it takes calls.
const LIVENESS: &str = "liveness";

/// Connections of probes at once: a prober makes one at a time.
const PROBES: usize = 64;

/// The health service and its present answer. Born SERVING.
pub struct Health<H> {
    reporter: HealthReporter,
    service: HealthServer<H>,
    services: Vec<&'static str>,
}

/// Health of a server with these gRPC services.
pub async fn health(services: &[&'static str]) -> Health<impl HealthRpc + use<>> {
    let (reporter, service) = tonic_health::server::health_reporter();
    let health = Health { reporter, service, services: services.to_vec() };
    health.say(ServingStatus::Serving).await;
    health.reporter.set_service_status(LIVENESS, ServingStatus::Serving).await;
    health
}

/// Serves health alone on `HEALTH_LISTEN`, without TLS, for Kubernetes' probes; never ends if that is unset.
///
/// # Errors
/// The port is taken.
pub(super) async fn probes<H: HealthRpc>(
    config: &ServerConfig,
    health: &Health<H>,
) -> anyhow::Result<impl Future<Output = anyhow::Result<()>> + use<H>> {
    let serving = match config.health_listen {
        Some(address) => {
            let listener = TcpListener::bind(address).await.context("listening for probes")?;
            let incoming = Incoming::plain(config, listener, PROBES);
            Some(builder(config).add_service(health.service()).serve_with_incoming(incoming))
        }
        None => None,
    };
    Ok(async move {
        match serving {
            Some(serving) => serving.await.context("serving probes"),
            None => std::future::pending().await,
        }
    })
}

impl<H: HealthRpc> Health<H> {
    /// The gRPC service to add to the routes.
    pub fn service(&self) -> HealthServer<H> {
        self.service.clone()
    }

    pub(super) async fn say(&self, status: ServingStatus) {
        // The empty name is the server as a whole, which is what Kubernetes asks for.
        for service in self.services.iter().copied().chain([""]) {
            self.reporter.set_service_status(service, status).await;
        }
    }
}
