//! The groups of settings that every service has.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use super::{Environment, Faults, TlsConfig};
use crate::auth::{Issuer, JwksSource, Roles, TokenSource, TokenVerifier};
use crate::clock::Clock;
use crate::crypto::Keyring;
use crate::telemetry::LogFormat;

/// Where and how the service listens.
#[derive(Debug, Clone, Args)]
pub struct ServerConfig {
    /// production, or development, which allows the movable clock and plain HTTP.
    #[arg(long, value_enum, default_value = "production")]
    pub environment: Environment,
    /// Address of the gRPC port.
    #[arg(long, default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// Longest an RPC may take, in milliseconds, when its caller allows more or says nothing.
    #[arg(long, default_value_t = 30_000)]
    pub request_timeout_ms: u64,
    /// Most RPCs at work at once; more are refused as RESOURCE_EXHAUSTED.
    #[arg(long, default_value_t = 512)]
    pub max_concurrent_requests: usize,
    /// Age in seconds after which a connection is asked to come again, so that new replicas get their share.
    #[arg(long, default_value_t = 600)]
    pub max_connection_age_s: u64,
    /// Most connections at once; more are closed at once.
    #[arg(long, default_value_t = 4_096)]
    pub max_connections: usize,
    /// Most RPCs and streams that one connection may have open at once; more wait at their caller.
    #[arg(long, default_value_t = 2_048)]
    pub max_streams_per_connection: u32,
    /// How long, in milliseconds, a new connection may take to shake hands, and then to say its first word.
    #[arg(long, default_value_t = 10_000)]
    pub handshake_timeout_ms: u64,
    /// Address of a plain port that answers health probes and nothing else; none if unset.
    #[arg(long)]
    pub health_listen: Option<SocketAddr>,
    /// How long to stay reachable, in milliseconds, after saying NOT_SERVING, until the balancers have noticed.
    #[arg(long, default_value_t = 2_000)]
    pub drain_notice_ms: u64,
    /// How long, in milliseconds, RPCs at work may take to end before they are cut off.
    #[arg(long, default_value_t = 20_000)]
    pub drain_deadline_ms: u64,
    /// Certificates of both directions.
    #[command(flatten)]
    pub tls: TlsConfig,
}

impl ServerConfig {
    /// For tests and launchers: development, any free port, no notice.
    pub fn development() -> Self {
        Self {
            environment: Environment::Development,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            request_timeout_ms: 30_000,
            max_concurrent_requests: 512,
            max_connection_age_s: 600,
            max_connections: 4_096,
            max_streams_per_connection: 2_048,
            handshake_timeout_ms: 10_000,
            health_listen: None,
            drain_notice_ms: 0,
            drain_deadline_ms: 2_000,
            tls: TlsConfig::default(),
        }
    }

    /// Notes what is wrong.
    pub fn check(&self, faults: &mut Faults) {
        let at_least_one = [
            ("request_timeout_ms", self.request_timeout_ms),
            ("max_concurrent_requests", self.max_concurrent_requests as u64),
            ("max_connection_age_s", self.max_connection_age_s),
            ("max_connections", self.max_connections as u64),
            ("max_streams_per_connection", u64::from(self.max_streams_per_connection)),
            ("handshake_timeout_ms", self.handshake_timeout_ms),
        ];
        for (name, _) in at_least_one.into_iter().filter(|(_, value)| *value == 0) {
            faults.add(name, "must be at least 1");
        }
        self.tls.check(self.environment, faults);
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }
}

/// Whom to believe, and what they may do.
#[derive(Debug, Clone, Args)]
pub struct AuthConfig {
    /// Trusted issuers with their keys: `<iss>=<JWKS url or file>`, separated by commas.
    #[arg(long, value_delimiter = ',', required = true, value_parser = issuer)]
    pub issuers: Vec<Issuer>,
    /// The `aud` that tokens must carry.
    #[arg(long, default_value = "steward")]
    pub audience: String,
    /// A role file instead of the one that ships with the product.
    #[arg(long)]
    pub roles_file: Option<PathBuf>,
    /// File with this service's own token, for calls in the background.
    #[arg(long)]
    pub service_token_file: Option<PathBuf>,
}

fn issuer(text: &str) -> Result<Issuer, String> {
    let (name, keys) = text.split_once('=').ok_or("must be <iss>=<JWKS url or file>")?;
    let is_url = keys.starts_with("http://") || keys.starts_with("https://");
    let keys = if is_url { JwksSource::Url(keys.to_owned()) } else { JwksSource::File(keys.into()) };
    Ok(Issuer { name: name.to_owned(), keys })
}

impl AuthConfig {
    /// Notes what is wrong.
    pub fn check(&self, environment: Environment, faults: &mut Faults) {
        if self.issuers.iter().any(|issuer| matches!(&issuer.keys, JwksSource::Url(url) if url.starts_with("http://"))) {
            faults.development_only(environment, "issuers");
        }
        if let Err(error) = self.roles() {
            faults.add("roles_file", format!("{error:#}"));
        }
    }

    /// The verifier of callers' tokens.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn verifier(&self, clock: &Clock) -> crate::Result<Arc<TokenVerifier>> {
        TokenVerifier::new(self.issuers.clone(), &self.audience, clock.clone()).map(Arc::new)
    }

    /// The role table.
    ///
    /// # Errors
    /// The file cannot be read or is faulty.
    pub fn roles(&self) -> anyhow::Result<Arc<Roles>> {
        let roles = match &self.roles_file {
            Some(file) => Roles::load(&std::fs::read_to_string(file).context("cannot be read")?)?,
            None => Roles::built_in(),
        };
        Ok(Arc::new(roles))
    }

    /// The service's own token, if it has one.
    pub fn service_token(&self) -> Option<TokenSource> {
        self.service_token_file.as_ref().map(TokenSource::file)
    }
}

/// Logs, traces and metrics.
#[derive(Debug, Clone, Args)]
pub struct TelemetryConfig {
    /// Which log lines are written, as in `info,sqlx=warn`.
    #[arg(long, default_value = "info")]
    pub log: String,
    /// json, or pretty for people.
    #[arg(long, value_enum, default_value = "json")]
    pub log_format: LogFormat,
    /// OTLP/gRPC collector for traces and metrics; none are sent if unset.
    #[arg(long)]
    pub otlp_endpoint: Option<String>,
    /// Share of new traces that are sent, 0 to 1.
    #[arg(long, default_value_t = 0.1)]
    pub trace_ratio: f64,
    /// Address of the metrics page; none is served if unset.
    #[arg(long)]
    pub metrics_listen: Option<SocketAddr>,
}

impl TelemetryConfig {
    /// Notes what is wrong.
    pub fn check(&self, faults: &mut Faults) {
        if let Err(error) = self.log.parse::<tracing_subscriber::EnvFilter>() {
            faults.add("log", error);
        }
        if !(0.0..=1.0).contains(&self.trace_ratio) {
            faults.add("trace_ratio", "must be between 0 and 1");
        }
    }
}

/// Which clock.
#[derive(Debug, Clone, Default, Args)]
pub struct ClockConfig {
    /// Development only: file with the offset of the movable clock.
    #[arg(long)]
    pub clock_offset_file: Option<PathBuf>,
}

impl ClockConfig {
    /// Notes what is wrong: the movable clock in production, or one that does not open.
    pub fn check(&self, environment: Environment, faults: &mut Faults) {
        if self.clock_offset_file.is_some() {
            faults.development_only(environment, "clock_offset_file");
        }
        if let Err(error) = self.clock() {
            faults.add("clock_offset_file", error);
        }
    }

    /// The clock.
    ///
    /// # Errors
    /// The offset file does not open.
    pub fn clock(&self) -> std::io::Result<Clock> {
        self.clock_offset_file.as_ref().map_or_else(|| Ok(Clock::system()), Clock::shared)
    }
}

/// The service's keys.
#[derive(Debug, Clone, Args)]
pub struct CryptoConfig {
    /// File with the keyring.
    #[arg(long)]
    pub keyring_file: Option<PathBuf>,
    /// The keyring itself, where no file can be mounted.
    #[arg(long)]
    pub keyring: Option<SecretString>,
}

impl CryptoConfig {
    /// Notes what is wrong.
    pub fn check(&self, faults: &mut Faults) {
        if let Err(error) = self.keyring() {
            faults.add("keyring_file", format!("{error:#}"));
        }
    }

    /// The keyring.
    ///
    /// # Errors
    /// None or two are given, the file cannot be read, or the text is faulty.
    pub fn keyring(&self) -> anyhow::Result<Arc<Keyring>> {
        let text = match (&self.keyring_file, &self.keyring) {
            (Some(file), None) => std::fs::read_to_string(file).context("cannot be read")?.into(),
            (None, Some(text)) => text.clone(),
            (None, None) => anyhow::bail!("must be set, or KEYRING"),
            (Some(_), Some(_)) => anyhow::bail!("cannot be set together with KEYRING"),
        };
        Ok(Arc::new(Keyring::parse(text.expose_secret())?))
    }
}
