//! Everything that can be set, with its default; `check-config` names every fault at once.

use steward_kit::config::{Faults, ServerConfig, ServiceConfig, TelemetryConfig};
use steward_kit_store::ServiceGroups;

/// The configuration of the service.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub groups: ServiceGroups,
}

impl ServiceConfig for Config {
    const SERVICE: &'static str = "customer";

    fn server(&self) -> &ServerConfig {
        &self.groups.server
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.groups.telemetry
    }

    fn check(&self, faults: &mut Faults) {
        self.groups.check(faults);
    }
}
