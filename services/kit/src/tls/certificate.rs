//! What a certificate says that we read: names, and until when it holds. Whether it holds is rustls's business.

use std::sync::Arc;

use anyhow::{Context, bail};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustls::pki_types::CertificateDer;

/// What one certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// DNS names and URIs that it was issued for.
    pub(crate) names: Arc<[String]>,
    /// When it ends.
    pub(crate) expires: Timestamp,
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// It is not one.
    pub(crate) fn read(der: &CertificateDer<'_>) -> anyhow::Result<Self> {
        Ok(Self { names: names(der)?, expires: expires(der).context("the certificate's end cannot be read")? })
    }
}

/// The names that a certificate was issued for: DNS and URI alternatives. The common name is not looked at.
///
/// # Errors
/// It is no certificate.
pub(crate) fn names(der: &CertificateDer<'_>) -> anyhow::Result<Arc<[String]>> {
    let Ok(certificate) = webpki::EndEntityCert::try_from(der) else { bail!("the file holds no X.509 v3 certificate") };
    Ok(certificate.valid_dns_names().chain(certificate.valid_uri_names()).map(str::to_owned).collect())
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `Certificate { tbs { [version], serial, algorithm, issuer, validity { begin, end }, … }, … }`, in DER.
fn expires(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate, _) = element(der)?;
    let (_, tbs, _) = element(certificate)?;
    let (tag, _, after_first) = element(tbs)?;
    let at_serial = if tag == VERSION { after_first } else { tbs };
    let (_, _, at_algorithm) = element(at_serial)?;
    let (_, _, at_issuer) = element(at_algorithm)?;
    let (_, _, at_validity) = element(at_issuer)?;
    let (SEQUENCE, validity, _) = element(at_validity)? else { return None };
    let (_, _, at_end) = element(validity)?;
    let (tag, end, _) = element(at_end)?;
    time(tag, std::str::from_utf8(end).ok()?)
}

/// Tag, content and rest.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // So many bytes of length follow; four would be a certificate of gigabytes.
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `260301020000Z`, or `20600301020000Z` from 2050 on.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let text = match tag {
        UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%SZ", &text).ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject;

    use super::*;

    /// Made once by `openssl req -x509 -newkey ed25519 -days …`: what matters of them does not age.
    const UNTIL_2034: &[u8] = include_bytes!("testdata/until-2034.pem");
    const UNTIL_2060: &[u8] = include_bytes!("testdata/until-2060.pem");

    fn read(pem: &[u8]) -> Certificate {
        Certificate::read(&CertificateDer::from_pem_slice(pem).expect("PEM")).expect("a certificate")
    }

    #[test]
    fn names_and_end_are_read_in_both_forms_of_time() {
        let certificate = read(UNTIL_2034);
        let names: Vec<_> = certificate.names.iter().map(String::as_str).collect();
        assert_eq!(names, ["customer", "customer.steward.svc", "spiffe://steward/customer"]);
        assert_eq!(certificate.expires.to_string(), "2034-02-03T04:05:06Z");
        assert_eq!(read(UNTIL_2060).expires.to_string(), "2060-02-03T04:05:06Z");
    }

    #[test]
    fn what_is_cut_off_is_refused_and_never_a_panic() {
        let whole = CertificateDer::from_pem_slice(UNTIL_2034).expect("PEM");
        for length in 0..whole.len() {
            assert!(Certificate::read(&CertificateDer::from(&whole[..length])).is_err(), "{length} bytes");
            // Read as far as the end of the certificate stands, or nothing.
            let _ = expires(&whole[..length]);
        }
    }
}
