//! One issuer's public keys, kept fresh.
//!
//! The set is fetched when first needed, again when it is as old as the issuer allows (`Cache-Control: max-age`, with
//! the `ETag` it came with), and at once when a token names a key that is not in it: that is how a rotation looks from
//! here. Once a set is known, nobody can make us ask more often than every ten seconds by inventing key ids. One fetch
//! runs at a time, and others wait for it. If a fetch fails, the last good set stays.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::telemetry;

/// Where an issuer's keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwksSource {
    /// Fetched by HTTP.
    Url(String),
    /// Read from a mounted file, for sites without a way out.
    File(PathBuf),
}

const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const ASK_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(10);
const SHORTEST_AGE: SignedDuration = SignedDuration::from_secs(30);
const DEFAULT_AGE: SignedDuration = SignedDuration::from_mins(5);
const LONGEST_AGE: SignedDuration = SignedDuration::from_hours(24);

/// A key and the one algorithm it is for. Taken from the key, never from the token.
pub(super) struct VerifyingKey {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

struct KeySet {
    keys: HashMap<String, Arc<VerifyingKey>>,
    etag: Option<String>,
    stale_at: Timestamp,
}

/// The cached keys of one issuer.
pub(super) struct Jwks {
    source: JwksSource,
    http: reqwest::Client,
    clock: Clock,
    /// Read on every request, written by whoever holds `fetching`.
    current: RwLock<Option<Arc<KeySet>>>,
    /// Held during a fetch; the time of the last attempt.
    fetching: Mutex<Option<Timestamp>>,
}

impl Jwks {
    pub(super) fn new(source: JwksSource, http: reqwest::Client, clock: Clock) -> Self {
        telemetry::jwks_refreshed(0, false);
        Self { source, http, clock, current: RwLock::new(None), fetching: Mutex::new(None) }
    }

    /// The key named `kid`; `None` if the issuer has none of that name.
    pub(super) async fn key(&self, kid: &str) -> Result<Option<Arc<VerifyingKey>>> {
        if let Some(set) = self.current()
            && let Some(key) = set.keys.get(kid)
            && self.clock.now() < set.stale_at
        {
            telemetry::cache_asked("jwks", true);
            return Ok(Some(Arc::clone(key)));
        }
        telemetry::cache_asked("jwks", false);
        self.refresh(kid).await?;
        Ok(self.current().and_then(|set| set.keys.get(kid).cloned()))
    }

    fn current(&self) -> Option<Arc<KeySet>> {
        self.current.read().ok()?.clone()
    }

    async fn refresh(&self, kid: &str) -> Result<()> {
        let mut last_attempt = self.fetching.lock().await;
        let (known, now) = (self.current(), self.clock.now());
        // Whoever waited for the lock may find that the fetch before answered the question, or may not ask again yet.
        let fresh = known.as_ref().is_some_and(|set| self.clock.now() < set.stale_at && set.keys.contains_key(kid));
        let asked_just_now = last_attempt.is_some_and(|at| now.duration_since(at).abs() < ASK_AGAIN_AFTER);
        if fresh || (asked_just_now && known.is_some()) {
            return Ok(());
        }
        *last_attempt = Some(now);
        let fetched = self.fetch(known.as_deref()).await;
        telemetry::jwks_refreshed(1, fetched.is_ok());
        match fetched {
            Ok(set) => {
                if let Ok(mut current) = self.current.write() {
                    *current = Some(Arc::new(set));
                }
                Ok(())
            }
            Err(cause) if known.is_some() => {
                tracing::warn!(cause = %format!("{cause:#}"), "token keys could not be refreshed, the last good set stays");
                Ok(())
            }
            Err(cause) => Err(Error::unavailable("identity provider", cause)),
        }
    }

    async fn fetch(&self, known: Option<&KeySet>) -> anyhow::Result<KeySet> {
        match &self.source {
            JwksSource::File(path) => {
                let text = tokio::fs::read(path).await.context("reading the token keys' file")?;
                Ok(KeySet { keys: usable_keys(&text)?, etag: None, stale_at: self.clock.now() + SHORTEST_AGE })
            }
            JwksSource::Url(url) => self.fetch_url(url, known).await,
        }
    }

    async fn fetch_url(&self, url: &str, known: Option<&KeySet>) -> anyhow::Result<KeySet> {
        let mut request = self.http.get(url).timeout(FETCH_TIMEOUT);
        if let Some(etag) = known.and_then(|set| set.etag.as_ref()) {
            request = request.header(http::header::IF_NONE_MATCH, etag);
        }
        let response = request.send().await.context("asking the issuer for its keys")?;
        let stale_at = self.clock.now() + max_age(response.headers());
        let etag = response.headers().get(http::header::ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        match (response.status(), known) {
            (http::StatusCode::NOT_MODIFIED, Some(set)) => Ok(KeySet { keys: set.keys.clone(), etag: set.etag.clone(), stale_at }),
            (status, _) if status.is_success() => {
                let body = response.bytes().await.context("reading the issuer's keys")?;
                Ok(KeySet { keys: usable_keys(&body)?, etag, stale_at })
            }
            (status, _) => bail!("the issuer answered {status}"),
        }
    }
}

fn max_age(headers: &http::HeaderMap) -> SignedDuration {
    let value = headers.get(http::header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let seconds = value.and_then(|value| value.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.parse::<i64>().ok()));
    seconds.map_or(DEFAULT_AGE, SignedDuration::from_secs).clamp(SHORTEST_AGE, LONGEST_AGE)
}

/// The keys that can verify: named, asymmetric, understood. Others are passed over, as a set may hold keys for others.
fn usable_keys(text: &[u8]) -> anyhow::Result<HashMap<String, Arc<VerifyingKey>>> {
    let set: JwkSet = serde_json::from_slice(text).context("the issuer's keys are not a JWK set")?;
    let keys: HashMap<_, _> = set.keys.iter().filter_map(usable_key).collect();
    if keys.is_empty() {
        bail!("the issuer's set holds no usable key");
    }
    Ok(keys)
}

fn usable_key(jwk: &Jwk) -> Option<(String, Arc<VerifyingKey>)> {
    let declared = jwk.common.key_algorithm.map(Algorithm::try_from).transpose().ok()?;
    let algorithm = match (&jwk.algorithm, declared) {
        (AlgorithmParameters::OctetKey(_), _) => return None,
        (_, Some(Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)) => return None,
        (_, Some(algorithm)) => algorithm,
        (AlgorithmParameters::EllipticCurve(curve), None) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
        (AlgorithmParameters::EllipticCurve(curve), None) if curve.curve == EllipticCurve::P384 => Algorithm::ES384,
        (AlgorithmParameters::OctetKeyPair(_), None) => Algorithm::EdDSA,
        (AlgorithmParameters::RSA(_), None) => Algorithm::RS256,
        (_, None) => return None,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some((jwk.common.key_id.clone()?, Arc::new(VerifyingKey { algorithm, key })))
}
