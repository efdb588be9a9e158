//! The secrets of a development stack: made once, kept in its folder, worth nothing elsewhere.

use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use steward_kit::crypto::Keyring;

use super::{files::Files, services::SERVICES};
use crate::tokens::{Claims, Issuer};

/// The issuer, and the files that services read secrets from.
pub struct Keys {
    dir: PathBuf,
    issuer: &'static Issuer,
}

impl Keys {
    /// Opens the stack's secrets, making what is missing: the issuer's key, each service's own token.
    pub fn open(files: &Files) -> Result<Self> {
        let dir = files.keys();
        // One process runs one stack, so the issuer may live as long as the process.
        let issuer: &'static Issuer = Box::leak(Box::new(Issuer::kept_in(&dir)?));
        let keys = Self { dir, issuer };
        for service in SERVICES {
            let name = format!("service.{}", service.name.replace('-', "_"));
            let claims = Claims::service(&name).role(name.as_str()).every_estate();
            write_private(&keys.service_token(service.name), &keys.issuer.mint(&claims)?)?;
        }
        Ok(keys)
    }

    /// Signs the tokens of people and services.
    pub fn issuer(&self) -> &'static Issuer {
        self.issuer
    }

    /// The issuer's public keys.
    pub fn jwks(&self) -> PathBuf {
        Issuer::jwks_file(&self.dir)
    }

    /// The file with a service's own token.
    pub fn service_token(&self, service: &str) -> PathBuf {
        self.dir.join(format!("{service}.token"))
    }

    /// The file with a service's keyring for personal data; made once, because what it sealed opens with nothing else.
    pub fn keyring(&self, service: &str) -> Result<PathBuf> {
        let file = self.dir.join(format!("{service}.keyring"));
        if !file.exists() {
            write_private(&file, &Keyring::generate_text())?;
        }
        Ok(file)
    }
}

/// Replaces a file that only its owner may read; readers see the old text or the new.
fn write_private(file: &Path, text: &str) -> Result<()> {
    let new = file.with_extension("new");
    let mut out = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .with_context(|| format!("writing {}", new.display()))?;
    out.write_all(text.as_bytes())?;
    fs::rename(&new, file).with_context(|| format!("writing {}", file.display()))
}
