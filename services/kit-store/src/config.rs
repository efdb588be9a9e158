//! Where the truth and the index live.

use std::time::Duration;

use crate::migrate::Migrations;
use anyhow::Context;
use secrecy::SecretString;
use steward_kit::client::Identity;
use steward_kit::config::{AuthConfig, ClockConfig, CryptoConfig, Environment, Faults, ServerConfig, TelemetryConfig};

/// The groups of settings that every service with a schema has. Flattened into the service's own configuration, whose
/// fields stand beside it.
#[derive(Debug, Clone, clap::Args)]
pub struct ServiceGroups {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub server: ServerConfig,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub auth: AuthConfig,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub telemetry: TelemetryConfig,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub clock: ClockConfig,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub crypto: CryptoConfig,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub store: StoreConfig,
    /// Postgres URL of the schema's owner; read by `migrate` only.
    #[arg(long)]
    pub owner_database_url: Option<SecretString>,
}

impl ServiceGroups {
    /// Where the process runs.
    pub fn environment(&self) -> Environment {
        self.server.environment
    }

    /// Notes what is wrong with any of the groups.
    pub fn check(&self, faults: &mut Faults) {
        let environment = self.environment();
        self.server.check(faults);
        self.auth.check(environment, faults);
        self.telemetry.check(faults);
        self.clock.check(environment, faults);
        self.crypto.check(faults);
    }

    /// What the service shows to those it calls: its certificate, and its own token.
    ///
    /// # Errors
    /// The certificate's files do not hold what they should.
    pub fn identity(&self) -> anyhow::Result<Identity> {
        Identity::new(&self.server.tls, self.auth.service_token())
    }

    /// Brings the schema up to date, with the owner's URL.
    ///
    /// # Errors
    /// The URL is not set, the database does not answer, or a migration fails.
    pub async fn migrate(&self, migrations: Migrations) -> anyhow::Result<()> {
        let owner = self.owner_database_url.as_ref().context("OWNER_DATABASE_URL must be set to migrate")?;
        Ok(migrations.run(owner).await?)
    }
}

const PATIENCE_MS: u64 = 35_000;

/// How long an answer of Postgres is waited for, if nothing else is said.
pub(crate) const PATIENCE: Duration = Duration::from_millis(PATIENCE_MS);

/// Connections of one service. Flattened into the service's configuration.
#[derive(Debug, Clone, clap::Args)]
pub struct StoreConfig {
    /// Postgres URL of the service's app role (migrations take the owner's).
    #[arg(long)]
    pub database_url: SecretString,

    /// Most connections of this process; replicas times this stays below the server's `max_connections`.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..=500))]
    pub database_connections: u32,

    /// How long a caller waits for a connection before UNAVAILABLE, in milliseconds.
    #[arg(long, default_value_t = 3000)]
    pub database_acquire_timeout_ms: u64,

    /// How long an answer of Postgres is waited for at most, in milliseconds: longer than the app role's `statement_timeout`
    /// (k8s/bootstrap), so that whatever is under way has ended by then. Jobs that wait on a connection that fell silent begin anew.
    #[arg(long, default_value_t = PATIENCE_MS)]
    pub database_patience_ms: u64,

    /// Redis URL. Losing Redis loses nothing: timers then fire from Postgres, events wait in the outbox.
    #[arg(long)]
    pub redis_url: SecretString,
}

impl StoreConfig {
    /// Defaults for everything but the two addresses.
    pub fn new(database_url: impl Into<SecretString>, redis_url: impl Into<SecretString>) -> Self {
        Self {
            database_url: database_url.into(),
            database_connections: 16,
            database_acquire_timeout_ms: 3000,
            database_patience_ms: PATIENCE_MS,
            redis_url: redis_url.into(),
        }
    }

    pub(crate) fn acquire_timeout(&self) -> Duration {
        Duration::from_millis(self.database_acquire_timeout_ms)
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_millis(self.database_patience_ms)
    }
}
