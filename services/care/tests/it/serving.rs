//! The service itself: its configuration, and how it starts.

use secrecy::SecretString;
use steward_care::{Config, serve_by};
use steward_harness::in_process::{Host, Started};
use steward_harness::{Claims, Issuer, TestRedis};
use steward_kit::auth;
use steward_kit::clock::Clock;
use steward_kit::config::{AuthConfig, ClockConfig, CryptoConfig, ServerConfig, TelemetryConfig};
use steward_kit::crypto::Keyring;
use steward_kit::telemetry::LogFormat;
use steward_kit_store::{ServiceGroups, StoreConfig};
use tonic::transport::Channel;
use uuid::Uuid;

pub(crate) async fn start(config: &Config, clock: Clock) -> (Host, Channel) {
    let mut host = Host::new();
    let serving = config.clone();
    let service: Started = host
        .start("care", |listener, stop| async move {
            serve_by(clock, serving, listener, stop).await.inspect_err(|error| eprintln!("care ended: {error:#}"))
        })
        .await
        .unwrap();
    let channel = service.channel().await.unwrap();
    (host, channel)
}

pub(crate) fn config(database_url: String, redis: &TestRedis, customers: &Started) -> Config {
    let dir = std::env::temp_dir().join(format!("steward-care-{}", Uuid::now_v7()));
    std::fs::create_dir_all(&dir).unwrap();
    let (keys, token) = (dir.join("jwks.json"), dir.join("token"));
    std::fs::write(&keys, Issuer::of_tests().jwks()).unwrap();
    let service = Claims::service("service.care").role("service.care").every_estate();
    std::fs::write(&token, Issuer::of_tests().mint(&service).unwrap()).unwrap();
    let issuer = auth::Issuer { name: "https://dev.steward.local".to_owned(), keys: auth::JwksSource::File(keys) };
    Config {
        groups: ServiceGroups {
            server: ServerConfig::development(),
            auth: AuthConfig { issuers: vec![issuer], audience: "steward".to_owned(), roles_file: None, service_token_file: Some(token) },
            telemetry: TelemetryConfig {
                log: "warn".to_owned(),
                log_format: LogFormat::Pretty,
                otlp_endpoint: None,
                trace_ratio: 0.0,
                metrics_listen: None,
            },
            clock: ClockConfig::default(),
            crypto: CryptoConfig { keyring_file: None, keyring: Some(SecretString::from(Keyring::generate_text().to_string())) },
            store: StoreConfig::new(database_url, redis.url()),
            owner_database_url: None,
        },
        customer_url: customers.url(),
        notification_url: customers.url(),
    }
}
