//! Everything that can be set, with its default; `check-config` names every fault at once.

use secrecy::SecretString;
use steward_kit::config::{AuthConfig, ClockConfig, CryptoConfig, Environment, Faults, ServerConfig, ServiceConfig, TelemetryConfig};
use steward_kit_store::StoreConfig;

/// The configuration of the service.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Where and how it listens.
    #[command(flatten)]
    pub server: ServerConfig,
    /// Whom it believes.
    #[command(flatten)]
    pub auth: AuthConfig,
    /// Logs, traces, metrics.
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    /// Which clock it goes by.
    #[command(flatten)]
    pub clock: ClockConfig,
    /// Its keys.
    #[command(flatten)]
    pub crypto: CryptoConfig,
    /// Postgres and Redis.
    #[command(flatten)]
    pub store: StoreConfig,
    /// Postgres URL of the schema's owner; read by `migrate` only.
    #[arg(long)]
    pub owner_database_url: Option<SecretString>,
    /// The customer service, which is asked about units that no event has told of yet. Required in production.
    #[arg(long)]
    pub customer_url: Option<String>,
}

impl ServiceConfig for Config {
    const SERVICE: &'static str = "work_order";

    fn server(&self) -> &ServerConfig {
        &self.server
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }

    fn check(&self, faults: &mut Faults) {
        let environment = self.server.environment;
        self.server.check(faults);
        self.auth.check(environment, faults);
        self.telemetry.check(faults);
        self.clock.check(environment, faults);
        self.crypto.check(faults);
        if self.customer_url.is_none() && environment == Environment::Production {
            faults.add("customer_url", "must be set in production");
        }
    }
}
