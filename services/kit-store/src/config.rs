//! Where the truth and the index live.

use std::time::Duration;

use secrecy::SecretString;

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

    /// Redis URL. Losing Redis loses nothing: timers then fire from Postgres, events wait in the outbox.
    #[arg(long)]
    pub redis_url: SecretString,
}

impl StoreConfig {
    /// Defaults for everything but the two addresses.
    pub fn new(database_url: impl Into<SecretString>, redis_url: impl Into<SecretString>) -> Self {
        Self { database_url: database_url.into(), database_connections: 16, database_acquire_timeout_ms: 3000, redis_url: redis_url.into() }
    }

    pub(crate) fn acquire_timeout(&self) -> Duration {
        Duration::from_millis(self.database_acquire_timeout_ms)
    }
}
