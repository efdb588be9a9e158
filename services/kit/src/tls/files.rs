//! PEM files, and what they hold.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::Certificate;

/// Where one direction's certificate, key and authorities are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The certificate and its key.
    pub(crate) own: Option<(PathBuf, PathBuf)>,
    /// Whose certificates are believed.
    pub(crate) authorities: Option<PathBuf>,
}

impl Files {
    /// The contents at this moment.
    pub(crate) fn read(&self) -> anyhow::Result<Contents> {
        let own = match &self.own {
            Some((certificate, key)) => Some((read(certificate)?, Zeroizing::new(read(key)?))),
            None => None,
        };
        Ok(Contents { own, authorities: self.authorities.as_deref().map(read).transpose()? })
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// What stands in the files, to be compared with what stood there before.
#[derive(PartialEq, Eq)]
pub(crate) struct Contents {
    own: Option<(Vec<u8>, Zeroizing<Vec<u8>>)>,
    authorities: Option<Vec<u8>>,
}

impl fmt::Debug for Contents {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Contents(***)")
    }
}

/// What TLS is made of.
pub(crate) struct Material {
    pub(crate) own: Option<Own>,
    pub(crate) authorities: Option<Arc<RootCertStore>>,
}

/// A certificate with its key.
pub(crate) struct Own {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) certificate: Certificate,
}

impl Contents {
    /// Reads the PEM. No error repeats any of it.
    pub(crate) fn parse(&self) -> anyhow::Result<Material> {
        let own = match &self.own {
            Some((certificate, key)) => Some(own(certificate, key)?),
            None => None,
        };
        Ok(Material { own, authorities: self.authorities.as_deref().map(authorities).transpose()? })
    }
}

fn own(certificate: &[u8], key: &[u8]) -> anyhow::Result<Own> {
    let chain = certificates(certificate).context("the certificate's file")?;
    let Some(first) = chain.first() else { bail!("the certificate's file holds no certificate") };
    let certificate = Certificate::read(first)?;
    let Ok(key) = PrivateKeyDer::from_pem_slice(key) else { bail!("the key's file holds no private key") };
    Ok(Own { chain, key, certificate })
}

fn authorities(text: &[u8]) -> anyhow::Result<Arc<RootCertStore>> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(text).context("the authorities' file")? {
        store.add(certificate).context("an authority's certificate")?;
    }
    if store.is_empty() {
        bail!("the authorities' file holds no certificate");
    }
    Ok(Arc::new(store))
}

fn certificates(text: &[u8]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    // The library's error may quote a line of the file.
    read.map_err(|_| anyhow::anyhow!("is not PEM"))
}
