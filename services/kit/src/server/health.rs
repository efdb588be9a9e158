//! What probes and balancers are told.

use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health as HealthRpc, HealthServer};
use tonic_health::server::HealthReporter;

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
    health
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
