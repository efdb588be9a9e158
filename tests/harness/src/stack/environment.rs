//! The one table of what every program of the stack is told. In production the same variables come from Kubernetes.

use anyhow::Result;
use steward_dev::servers::{Postgres, Redis};

use super::{
    files::Files,
    keys::Keys,
    ports::Ports,
    services::{SERVICES, Service},
};
use crate::tokens::{AUDIENCE, ISSUER};

/// The database that all schemas of the development stack live in.
pub const DATABASE: &str = "steward";

/// The environment of one service, names complete (`STEWARD_WORK_ORDER__LISTEN`).
pub fn environment(service: &Service, files: &Files, ports: &Ports, keys: &Keys) -> Result<Vec<(String, String)>> {
    let mut settings = common(service, files, ports, keys)?;
    if let Some(schema) = service.schema {
        settings.push(("DATABASE_URL", Postgres::url_as(ports.of("postgres"), &format!("{schema}_app"), DATABASE)));
        settings.push(("REDIS_URL", Redis::url(ports.of("redis"))));
    }
    settings.extend(own(service, ports));
    let prefix = service.prefix();
    Ok(settings.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)).collect())
}

/// What every program is told.
fn common(service: &Service, files: &Files, ports: &Ports, keys: &Keys) -> Result<Vec<(&'static str, String)>> {
    let mut settings = vec![
        // Anything but `development` refuses the movable clock.
        ("ENVIRONMENT", "development".to_owned()),
        ("CLOCK_OFFSET_FILE", files.clock().display().to_string()),
        ("LISTEN", format!("127.0.0.1:{}", ports.of(service.name))),
        ("METRICS_LISTEN", format!("127.0.0.1:{}", ports.of(&format!("{}-metrics", service.name)))),
        ("ISSUERS", format!("{ISSUER}={}", keys.jwks().display())),
        ("AUDIENCE", AUDIENCE.to_owned()),
        ("SERVICE_TOKEN_FILE", keys.service_token(service.name).display().to_string()),
        ("KEYRING_FILE", keys.keyring(service.name)?.display().to_string()),
        ("LOG_FORMAT", "pretty".to_owned()),
        // The launcher's stop must not wait for balancers that are not there.
        ("DRAIN_NOTICE_MS", "0".to_owned()),
    ];
    for (peer, name) in SERVICES.iter().zip(["CUSTOMER_URL", "WORK_ORDER_URL", "NOTIFICATION_URL", "SURVEY_URL", "CARE_URL"]) {
        if peer.name != service.name {
            settings.push((name, format!("http://127.0.0.1:{}", ports.of(peer.name))));
        }
    }
    Ok(settings)
}

/// What only this program is told.
fn own(service: &Service, ports: &Ports) -> Vec<(&'static str, String)> {
    match service.name {
        "notification" => {
            vec![("SMTP_URL", format!("smtp://127.0.0.1:{}", ports.of("smtp"))), ("MAIL_FROM", "steward@dev.steward.local".to_owned())]
        }
        _others => Vec::new(),
    }
}
