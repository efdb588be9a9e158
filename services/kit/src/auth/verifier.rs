//! From a bearer token to a principal.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use jsonwebtoken::dangerous::insecure_decode;
use jsonwebtoken::{Validation, decode, decode_header};
use serde::Deserialize;

use super::claims::Claims;
use super::jwks::{Jwks, JwksSource};
use super::principal::Principal;
use super::proven::{Name, Proof, Proven};
use crate::clock::Clock;
use crate::error::{Error, Result};

/// One issuer that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The exact text of `iss`.
    pub name: String,
    /// Where its keys are.
    pub keys: JwksSource,
}

/// Checks tokens of a few issuers for one audience. Share it behind an `Arc`.
pub struct TokenVerifier {
    issuers: HashMap<String, Jwks>,
    audience: String,
    clock: Clock,
    proven: Proven,
}

/// What is read before anything is proven, only to learn whose key to ask for.
#[derive(Deserialize)]
struct Unproven {
    iss: String,
}

impl TokenVerifier {
    /// A verifier. Keys are fetched when first needed, so that a service starts while its issuer is down.
    ///
    /// # Errors
    /// [`Error::Internal`] when no HTTP client can be made.
    pub fn new(issuers: Vec<Issuer>, audience: impl Into<String>, clock: Clock) -> Result<Self> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().map_err(Error::internal)?;
        let keys = |issuer: Issuer| (issuer.name, Jwks::new(issuer.keys, http.clone(), clock.clone()));
        let issuers = issuers.into_iter().map(keys).collect();
        Ok(Self { issuers, audience: audience.into(), clock, proven: Proven::default() })
    }

    /// The caller that `token` proves.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] saying what does not hold; [`Error::Unavailable`] when the issuer's keys were never
    /// seen and cannot be fetched.
    pub async fn verify(&self, token: &str) -> Result<Principal> {
        let refused = |detail| Error::Unauthenticated { detail };
        let name = Name::of(token);
        if let Some(proof) = self.proven.get(name)
            && let Some(keys) = self.issuers.get(&proof.issuer)
            && let Some(key) = keys.key(&proof.kid).await?
            && Arc::ptr_eq(&key, &proof.key)
        {
            return proof.claims.clone().principal(self.clock.now().as_second());
        }
        let header = decode_header(token).map_err(|_| refused("token is not a JWT"))?;
        let unproven = insecure_decode::<Unproven>(token).map_err(|_| refused("token names no issuer"))?;
        let issuer = unproven.claims.iss;
        let keys = self.issuers.get(&issuer).ok_or(refused("token's issuer is not trusted"))?;
        let kid = header.kid.ok_or(refused("token names no key"))?;
        let key = keys.key(&kid).await?.ok_or(refused("token's key is unknown"))?;

        let mut rules = Validation::new(key.algorithm);
        rules.set_issuer(&[&issuer]);
        rules.set_audience(&[&self.audience]);
        rules.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        // The times are checked by our clock, which may be a moved one.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let token = decode::<Claims>(token, &key.key, &rules).map_err(|error| refused(fault(&error)))?;
        let principal = token.claims.clone().principal(self.clock.now().as_second())?;
        self.proven.keep(name, Arc::new(Proof { issuer, kid, key, claims: token.claims }));
        Ok(principal)
    }
}

/// What is wrong, in words that repeat nothing of the token.
fn fault(error: &jsonwebtoken::errors::Error) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    #[allow(clippy::wildcard_enum_match_arm, reason = "not our enum, and every other kind is a malformed token")]
    match error.kind() {
        ErrorKind::InvalidSignature => "token's signature does not hold",
        ErrorKind::InvalidAlgorithm => "token's algorithm is not its key's",
        ErrorKind::InvalidAudience => "token is for another audience",
        ErrorKind::MissingRequiredClaim(_) => "token lacks a required claim",
        _ => "token's claims are malformed",
    }
}

impl fmt::Debug for TokenVerifier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers: Vec<_> = self.issuers.keys().collect();
        out.debug_struct("TokenVerifier").field("issuers", &issuers).field("audience", &self.audience).finish()
    }
}
