//! Certificates: what this process shows, whom it believes, and how both are replaced while it runs.
//!
//! Files are mounted and swapped by whoever issues them. [`Live`] holds what was made of them, looks at them again
//! every few seconds, and puts what holds in the place of the old; what does not hold is told once and passed over. A
//! connection keeps what it began with, so nothing is cut off by a rotation. `docs/tls.md` is the operator's page.

mod certificate;
mod files;
mod live;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustls::client::ClientConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ServerConfig, WebPkiClientVerifier};

pub(crate) use certificate::{Certificate, names};
pub(crate) use files::{Files, Material};
pub(crate) use live::{Live, Side};

/// gRPC, and the HTTP/1.1 of those who speak JSON or gRPC-Web to the gateway.
const SERVED: [&[u8]; 2] = [b"h2", b"http/1.1"];
const CALLED: [&[u8]; 1] = [b"h2"];

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What is shown to callers, and whose callers are believed.
///
/// # Errors
/// The files do not hold what they should; the error says which.
pub(crate) fn serving(files: Files, every: Duration) -> anyhow::Result<Arc<Live<ServerConfig>>> {
    Live::start(Side::Serving, files, every, server_config)
}

/// What is shown to peers, and whose peers are believed.
///
/// # Errors
/// As [`serving`].
pub(crate) fn calling(files: Files, every: Duration) -> anyhow::Result<Arc<Live<ClientConfig>>> {
    Live::start(Side::Calling, files, every, client_config)
}

/// What [`serving`] would fail with, without beginning anything.
pub(crate) fn check_serving(files: &Files) -> anyhow::Result<()> {
    files.read()?.parse().and_then(|material| server_config(&material)).map(drop)
}

/// What [`calling`] would fail with.
pub(crate) fn check_calling(files: &Files) -> anyhow::Result<()> {
    files.read()?.parse().and_then(|material| client_config(&material)).map(drop)
}

fn server_config(material: &Material) -> anyhow::Result<ServerConfig> {
    let own = material.own.as_ref().context("a server needs a certificate")?;
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match &material.authorities {
        Some(authorities) => {
            builder.with_client_cert_verifier(WebPkiClientVerifier::builder_with_provider(authorities.clone(), provider()).build()?)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(own.chain.clone(), own.key.clone_key()).context("the key is not the certificate's")?;
    config.alpn_protocols = SERVED.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

fn client_config(material: &Material) -> anyhow::Result<ClientConfig> {
    let authorities = material.authorities.clone().context("a caller needs the authorities of those it calls")?;
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = builder.with_root_certificates(authorities);
    let mut config = match &material.own {
        Some(own) => builder.with_client_auth_cert(own.chain.clone(), own.key.clone_key()).context("the key is not the certificate's")?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = CALLED.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}
