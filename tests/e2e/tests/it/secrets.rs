//! What is secret in a configuration is not in what is printed of it: neither the whole, as a log line would have it, nor the faults,
//! nor the help.

use std::{collections::BTreeMap, ffi::OsString};

use anyhow::{Result, bail};
use steward_kit::{
    config::{Refused, ServiceConfig, parse},
    crypto::Keyring,
};

/// Settings that hold a secret, with a value in which `SECRET` stands for it.
const SECRETS: [(&str, &str); 4] = [
    ("DATABASE_URL", "postgres://app:SECRET@db.example:5432/steward"),
    ("OWNER_DATABASE_URL", "postgres://owner:SECRET@db.example:5432/steward"),
    ("REDIS_URL", "rediss://:SECRET@redis.example:6379"),
    ("SMTP_URL", "smtps://mailer:SECRET@smtp.example"),
];

const SECRET: &str = "hunter2-of-this-test";

/// What every service needs to be told besides.
fn told() -> Result<BTreeMap<&'static str, String>> {
    let mut settings = BTreeMap::from([
        ("ENVIRONMENT", "development".to_owned()),
        ("ISSUERS", "https://id.example=/keys/jwks.json".to_owned()),
        ("SERVICE_TOKEN_FILE", "/keys/service.token".to_owned()),
        ("KEYRING", Keyring::generate_text().to_string()),
        ("MAIL_FROM", "steward@example.cn".to_owned()),
    ]);
    for peer in ["CUSTOMER_URL", "WORK_ORDER_URL", "NOTIFICATION_URL", "SURVEY_URL", "CARE_URL"] {
        settings.insert(peer, "http://peer:8080".to_owned());
    }
    settings.extend(SECRETS.map(|(name, value)| (name, value.replace("SECRET", SECRET))));
    Ok(settings)
}

fn read<C: ServiceConfig>(arguments: &[&str], settings: &BTreeMap<&str, String>) -> Result<C, Refused> {
    let prefix = format!("STEWARD_{}__", C::SERVICE.to_uppercase());
    let variable = |name: &str| name.strip_prefix(&prefix).and_then(|name| settings.get(name)).map(OsString::from);
    parse::<C>(arguments.iter().map(OsString::from), variable).map(|(_, config)| config)
}

fn prints_no_secret<C: ServiceConfig + std::fmt::Debug>() -> Result<()> {
    let settings = told()?;
    // The key itself, without the name that stands before it.
    let keyring = settings["KEYRING"].split(['=', ':', ' ', '\n', '"']).max_by_key(|word| word.len()).unwrap_or_default().to_owned();
    assert!(keyring.len() >= 32, "{} bytes of a keyring are no key", keyring.len());
    let clean = |what: &str, text: &str| {
        for secret in [SECRET, keyring.as_str()] {
            assert!(!text.contains(secret), "{} prints a secret in {what}", C::SERVICE);
        }
    };
    let config: C = match read(&[], &settings) {
        Ok(config) => config,
        Err(refused) => bail!("{}: {refused:?}", C::SERVICE),
    };
    let (plain, pretty) = (format!("{config:?}"), format!("{config:#?}"));
    assert!(plain.contains("request_timeout_ms"), "{} prints nothing", C::SERVICE);
    clean("its Debug", &plain);
    clean("its pretty Debug", &pretty);

    // Everything wrong at once: each value is one that cannot be read, and holds the secret.
    let wrong: BTreeMap<&str, String> = settings.iter().map(|(name, value)| (*name, format!("\u{0}{value} {SECRET}"))).collect();
    match read::<C>(&[], &wrong) {
        Ok(_) => bail!("{}: nothing of it can be read", C::SERVICE),
        Err(refused) => clean("its faults", &format!("{refused:?}")),
    }
    match read::<C>(&["--help"], &settings) {
        Err(Refused::Help(text)) => clean("its help", &text),
        other => bail!("{}: help was asked for: {:?}", C::SERVICE, other.map(drop)),
    }
    Ok(())
}

/// XC-51
#[test]
fn no_configuration_prints_its_secrets() -> Result<()> {
    prints_no_secret::<steward_customer::Config>()?;
    prints_no_secret::<steward_work_order::Config>()?;
    prints_no_secret::<steward_notification::Config>()?;
    prints_no_secret::<steward_survey::Config>()?;
    prints_no_secret::<steward_care::Config>()?;
    prints_no_secret::<steward_gateway::GatewayConfig>()
}
