//! Certificates of both directions, and what may be plain.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::{Environment, Faults};
use crate::tls::{self, Files, Live};

/// Certificates of both directions, and what may be plain.
#[derive(Debug, Clone, Args)]
pub struct TlsConfig {
    /// PEM file with this process's certificate and its intermediates; the gRPC port then speaks TLS only.
    #[arg(long)]
    pub tls_cert_file: Option<PathBuf>,
    /// PEM file with its private key.
    #[arg(long)]
    pub tls_key_file: Option<PathBuf>,
    /// PEM file with the authorities of callers; callers must then show a certificate of one of them.
    #[arg(long)]
    pub tls_caller_ca_file: Option<PathBuf>,
    /// DNS or URI names of the certificates that may call; everyone's that the authorities prove if unset.
    #[arg(long, value_delimiter = ',')]
    pub tls_callers: Vec<String>,
    /// Allows a gRPC port without TLS in production, because something in front of it encrypts.
    #[arg(long)]
    pub plain_listener: bool,
    /// PEM file with the authorities of the services that this one calls.
    #[arg(long)]
    pub call_ca_file: Option<PathBuf>,
    /// PEM file with the certificate that this process shows to those it calls.
    #[arg(long)]
    pub call_cert_file: Option<PathBuf>,
    /// PEM file with its private key.
    #[arg(long)]
    pub call_key_file: Option<PathBuf>,
    /// Allows http:// addresses of peers in production, because something beneath encrypts.
    #[arg(long)]
    pub plain_calls: bool,
    /// How often the files are looked at again, in milliseconds.
    #[arg(long, default_value_t = 10_000)]
    pub tls_reload_ms: u64,
    /// How often a peer's name is looked up again, in milliseconds.
    #[arg(long, default_value_t = 5_000)]
    pub resolve_ms: u64,
}

impl Default for TlsConfig {
    /// Nothing set: plain both ways.
    fn default() -> Self {
        Self {
            tls_cert_file: None,
            tls_key_file: None,
            tls_caller_ca_file: None,
            tls_callers: Vec::new(),
            plain_listener: false,
            call_ca_file: None,
            call_cert_file: None,
            call_key_file: None,
            plain_calls: false,
            tls_reload_ms: 10_000,
            resolve_ms: 5_000,
        }
    }
}

impl TlsConfig {
    /// Notes what is wrong: half a set, files that do not hold what they should, plain in production without a word.
    pub fn check(&self, environment: Environment, faults: &mut Faults) {
        self.check_serving(environment, faults);
        self.check_calling(faults);
        if self.tls_reload_ms == 0 {
            faults.add("tls_reload_ms", "must be at least 1");
        }
        if self.resolve_ms == 0 {
            faults.add("resolve_ms", "must be at least 1");
        }
    }

    fn check_serving(&self, environment: Environment, faults: &mut Faults) {
        both(faults, ("tls_cert_file", &self.tls_cert_file), ("tls_key_file", &self.tls_key_file));
        let plain = self.tls_cert_file.is_none() && self.tls_key_file.is_none();
        if plain && self.tls_caller_ca_file.is_some() {
            faults.add("tls_caller_ca_file", "needs TLS_CERT_FILE and TLS_KEY_FILE");
        }
        if plain && !self.plain_listener && environment == Environment::Production {
            faults.add("tls_cert_file", "must be set in production, or PLAIN_LISTENER if something in front of the port encrypts");
        }
        if !plain && self.plain_listener {
            faults.add("plain_listener", "cannot be set together with TLS_CERT_FILE");
        }
        if !self.tls_callers.is_empty() && self.tls_caller_ca_file.is_none() {
            faults.add("tls_callers", "needs TLS_CALLER_CA_FILE: without it nobody shows a certificate");
        }
        if let Some(files) = self.serving_files()
            && let Err(error) = tls::check_serving(&files)
        {
            faults.add("tls_cert_file", format!("{error:#}"));
        }
    }

    fn check_calling(&self, faults: &mut Faults) {
        both(faults, ("call_cert_file", &self.call_cert_file), ("call_key_file", &self.call_key_file));
        if self.call_cert_file.is_some() && self.call_ca_file.is_none() {
            faults.add("call_ca_file", "must be set together with CALL_CERT_FILE");
        }
        if let Some(files) = self.calling_files()
            && let Err(error) = tls::check_calling(&files)
        {
            faults.add("call_ca_file", format!("{error:#}"));
        }
    }

    /// Notes what is wrong with the address of a peer.
    pub fn check_peer(&self, environment: Environment, name: &str, url: &str, faults: &mut Faults) {
        match url.split_once("://").map(|(scheme, _)| scheme) {
            Some("http") if environment == Environment::Production && !self.plain_calls => {
                faults.add(name, "must begin with https:// in production, or PLAIN_CALLS be set if something beneath encrypts");
            }
            Some("https") if self.call_ca_file.is_none() => faults.add(name, "begins with https:// and needs CALL_CA_FILE"),
            Some("http" | "https") => {}
            Some(_) | None => faults.add(name, "must begin with http:// or https://"),
        }
    }

    fn serving_files(&self) -> Option<Files> {
        let own = self.tls_cert_file.clone().zip(self.tls_key_file.clone())?;
        Some(Files { own: Some(own), authorities: self.tls_caller_ca_file.clone() })
    }

    fn calling_files(&self) -> Option<Files> {
        let own = self.call_cert_file.clone().zip(self.call_key_file.clone());
        self.call_ca_file.as_deref().map(|authorities: &Path| Files { own, authorities: Some(authorities.to_owned()) })
    }

    /// What callers are shown, kept up to date; `None` for a plain port.
    ///
    /// # Errors
    /// The files do not hold what they should.
    pub(crate) fn serving(&self) -> anyhow::Result<Option<Arc<Live<rustls::ServerConfig>>>> {
        self.serving_files().map(|files| tls::serving(files, self.reload())).transpose()
    }

    /// What peers are shown, kept up to date; `None` if none is called by TLS.
    ///
    /// # Errors
    /// The files do not hold what they should.
    pub(crate) fn calling(&self) -> anyhow::Result<Option<Arc<Live<rustls::ClientConfig>>>> {
        self.calling_files().map(|files| tls::calling(files, self.reload())).transpose()
    }

    fn reload(&self) -> Duration {
        Duration::from_millis(self.tls_reload_ms)
    }
}

fn both(faults: &mut Faults, one: (&str, &Option<PathBuf>), other: (&str, &Option<PathBuf>)) {
    for ((name, file), (partner, its)) in [(one, other), (other, one)] {
        if file.is_none() && its.is_some() {
            faults.add(name, format!("must be set together with {}", partner.to_uppercase()));
        }
    }
}
