//! Everything that can be set, with its default; `check-config` names every fault at once.

use steward_kit::config::{Faults, ServerConfig, ServiceConfig, TelemetryConfig};
use steward_kit_store::ServiceGroups;

/// The configuration of the service.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub groups: ServiceGroups,
    /// The customer service, which is asked for audiences.
    #[arg(long)]
    pub customer_url: String,
    /// The notification service, whose ledger is asked whether a household may be contacted.
    #[arg(long)]
    pub notification_url: String,
}

impl ServiceConfig for Config {
    const SERVICE: &'static str = "care";

    fn server(&self) -> &ServerConfig {
        &self.groups.server
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.groups.telemetry
    }

    fn check(&self, faults: &mut Faults) {
        self.groups.check(faults);
        for (name, url) in [("customer_url", &self.customer_url), ("notification_url", &self.notification_url)] {
            self.groups.server.tls.check_peer(self.groups.environment(), name, url, faults);
        }
        if self.groups.auth.service_token_file.is_none() {
            faults.add("service_token_file", "must be set: audiences are asked of the customer service");
        }
    }
}
