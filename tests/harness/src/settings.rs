//! The settings of a service under test, and a folder for the files that they name.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use steward_kit::{
    auth,
    config::{AuthConfig, ClockConfig, CryptoConfig, ServerConfig, TelemetryConfig},
    crypto::Keyring,
    telemetry::LogFormat,
};
use steward_kit_store::{ServiceGroups, StoreConfig};

use crate::{AUDIENCE, Claims, ISSUER, Issuer, TestDatabase, TestRedis};

/// Connections of a service to its database. Fewer than in production: many services of many tests share one small server, and each
/// connection is a process of it.
const CONNECTIONS: u32 = 10;

/// A folder that goes when it is dropped.
#[derive(Debug)]
pub struct PrivateDir(PathBuf);

impl PrivateDir {
    /// An empty folder of this process alone.
    pub fn new() -> Result<Self> {
        let dir = std::env::temp_dir().join(format!("steward-test-{}", uuid::Uuid::now_v7()));
        fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
        Ok(Self(dir))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Keeps a text as a file of this name.
    pub fn keep(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    /// The public keys of the tests' issuer.
    pub fn jwks(&self) -> Result<PathBuf> {
        self.keep("jwks.json", Issuer::of_tests().jwks())
    }

    /// A token of the service that owns `schema`, good for longer than any test moves its clock.
    pub fn service_token(&self, schema: &str) -> Result<PathBuf> {
        let service = format!("service.{schema}");
        let claims = Claims::service(&service).role(service.as_str()).every_estate();
        let century = SignedDuration::from_hours(24 * 365 * 100);
        self.keep(&format!("{service}.token"), &Issuer::of_tests().mint(&claims.valid(Timestamp::UNIX_EPOCH, century))?)
    }

    /// The settings of the service that owns `schema`: development, on any free port, with keys of its own.
    pub fn groups(&self, schema: &str, database: &TestDatabase, redis: &TestRedis) -> Result<ServiceGroups> {
        let issuer = auth::Issuer { name: ISSUER.to_owned(), keys: auth::JwksSource::File(self.jwks()?) };
        Ok(ServiceGroups {
            server: ServerConfig::development(),
            auth: AuthConfig {
                issuers: vec![issuer],
                audience: AUDIENCE.to_owned(),
                roles_file: None,
                service_token_file: Some(self.service_token(schema)?),
            },
            telemetry: TelemetryConfig {
                log: "warn".to_owned(),
                log_format: LogFormat::Pretty,
                otlp_endpoint: None,
                trace_ratio: 0.0,
                metrics_listen: None,
            },
            clock: ClockConfig::default(),
            crypto: CryptoConfig { keyring_file: None, keyring: Some(SecretString::from(Keyring::generate_text().to_string())) },
            store: StoreConfig { database_connections: CONNECTIONS, ..StoreConfig::new(database.app_url(schema), redis.url()) },
            owner_database_url: None,
        })
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        // What stays behind lies in the system's folder for such things.
        drop(fs::remove_dir_all(&self.0));
    }
}
