//! An authority that issues certificates for a test, and a folder that swaps them as Kubernetes does.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};

/// An authority of one test.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key, as PEM.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// A new one. Two of the same name are two.
    pub fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// Its own certificate, as PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for these names (DNS, IP, or a URI) until the year 2090.
    pub fn issue(&self, names: &[&str]) -> Result<Issued> {
        self.issue_until(names, 2090)
    }

    /// A certificate for these names until the first day of a year.
    pub fn issue_until(&self, names: &[&str], year: i32) -> Result<Issued> {
        let (uris, others): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| name.contains("://"));
        let mut params = CertificateParams::new(others.into_iter().map(str::to_owned).collect::<Vec<_>>())?;
        for uri in uris {
            params.subject_alt_names.push(SanType::URI(uri.try_into()?));
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(year, 1, 1));
        let key = KeyPair::generate()?;
        Ok(Issued { certificate: params.signed_by(&key, &self.issuer)?.pem(), key: key.serialize_pem() })
    }
}

/// A mounted secret: `tls.crt`, `tls.key` and `ca.crt`, each a link through `..data` to the version that counts, which is swapped by
/// one rename.
#[derive(Debug)]
pub struct Mount {
    dir: PathBuf,
    version: u32,
}

impl Mount {
    /// An empty secret in `dir`, which is made.
    pub fn new(dir: PathBuf) -> Result<Self> {
        fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
        for name in ["tls.crt", "tls.key", "ca.crt"] {
            symlink(Path::new("..data").join(name), dir.join(name))?;
        }
        Ok(Self { dir, version: 0 })
    }

    /// Puts another version in the place of the one that stands.
    pub fn swap(&mut self, own: &Issued, authorities: &str) -> Result<()> {
        self.version += 1;
        let version = format!("..{}", self.version);
        let folder = self.dir.join(&version);
        fs::create_dir(&folder)?;
        for (name, text) in [("tls.crt", own.certificate.as_str()), ("tls.key", own.key.as_str()), ("ca.crt", authorities)] {
            fs::write(folder.join(name), text)?;
        }
        symlink(&version, self.dir.join("..data_tmp"))?;
        fs::rename(self.dir.join("..data_tmp"), self.dir.join("..data")).context("swapping the secret")
    }

    /// Where a file of it is: `tls.crt`, `tls.key`, `ca.crt`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}
