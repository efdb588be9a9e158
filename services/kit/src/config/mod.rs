//! Flags and environment, and every fault at once.
//!
//! A service has one clap struct, made of the shared groups of this module and its own fields. Each field `name` is the
//! flag `--name` and the variable `STEWARD_<SERVICE>__NAME`; a flag wins over a variable, a variable over the default.
//! There are no layers and no file formats: keys and tokens are files that the platform mounts, named by a field.
//!
//! [`load`] reads the process's own; a wrong configuration ends it with a list of everything that is wrong, which is
//! also what the subcommand `check-config` prints. What exists for development only (the movable clock, plain HTTP
//! keys) is a fault unless `ENVIRONMENT=development`; what is plain must be allowed by name.

mod groups;
mod parse;
mod tls;

use std::fmt;

pub use groups::{AuthConfig, ClockConfig, CryptoConfig, ServerConfig, TelemetryConfig};
pub use parse::{Command, Refused, load, parse};
pub use tls::TlsConfig;

/// Where a process runs. Production is the default: forgetting to say so must not open anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Environment {
    /// The real thing.
    #[default]
    Production,
    /// A developer's machine or a test.
    Development,
}

/// What a service's configuration must say of itself.
pub trait ServiceConfig: clap::Args {
    /// The service's name as in its schema: `work_order`.
    const SERVICE: &'static str;

    /// Where and how it listens.
    fn server(&self) -> &ServerConfig;

    /// Its logs, traces and metrics.
    fn telemetry(&self) -> &TelemetryConfig;

    /// Notes what is wrong with the whole; called when every single value is well formed.
    fn check(&self, faults: &mut Faults);
}

/// Everything that is wrong with a configuration. Values are not repeated: they may be secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl Faults {
    /// Notes one fault. `name` is the field's, such as `keyring_file`.
    pub fn add(&mut self, name: &str, what: impl fmt::Display) {
        self.0.push(format!("{}: {what}", name.to_uppercase()));
    }

    /// Notes a fault unless the process runs in development.
    pub fn development_only(&mut self, environment: Environment, name: &str) {
        match environment {
            Environment::Development => {}
            Environment::Production => self.add(name, "is for development only, and ENVIRONMENT is production"),
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong, in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the configuration has {} fault(s):", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(out, "\n  {fault}"))
    }
}

impl std::error::Error for Faults {}

#[cfg(test)]
mod tests;
