//! Everything that can be set, with its default; `check-config` names every fault at once.

use steward_kit::config::{Environment, Faults, ServerConfig, ServiceConfig, TelemetryConfig};
use steward_kit_store::ServiceGroups;

/// The configuration of the service.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub groups: ServiceGroups,
    /// The customer service, which is asked about units that no event has told of yet. Required in production.
    #[arg(long)]
    pub customer_url: Option<String>,
}

impl ServiceConfig for Config {
    const SERVICE: &'static str = "work_order";

    fn server(&self) -> &ServerConfig {
        &self.groups.server
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.groups.telemetry
    }

    fn check(&self, faults: &mut Faults) {
        let environment = self.groups.environment();
        self.groups.check(faults);
        match &self.customer_url {
            Some(url) => self.groups.server.tls.check_peer(environment, "customer_url", url, faults),
            None if environment == Environment::Production => faults.add("customer_url", "must be set in production"),
            None => {}
        }
    }
}
