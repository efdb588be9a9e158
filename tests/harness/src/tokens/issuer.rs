//! The key pair, its public half as a JWKS, and signing.

use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use anyhow::{Context, Result};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use super::Claims;

/// Signs tokens with ES256, and tells the world its public key.
pub struct Issuer {
    key: EncodingKey,
    key_id: String,
    jwks: String,
    pkcs8: Vec<u8>,
}

impl Issuer {
    /// The issuer of this test process, with a key of its own.
    ///
    /// # Panics
    /// If the machine gives no random numbers.
    pub fn of_tests() -> &'static Self {
        static ISSUER: OnceLock<Issuer> = OnceLock::new();
        ISSUER.get_or_init(|| Self::generate().expect("a key pair"))
    }

    /// A new key pair.
    pub fn generate() -> Result<Self> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).context("making a key pair")?;
        Self::from_pkcs8(document.as_ref())
    }

    /// The key pair kept in `dir` (`issuer.pk8`, readable by its owner only), made there on the first call; the public half is kept
    /// beside it as `jwks.json`.
    pub fn kept_in(dir: &Path) -> Result<Self> {
        let file = dir.join("issuer.pk8");
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        let issuer = match fs::read(&file) {
            Ok(bytes) => Self::from_pkcs8(&bytes).with_context(|| format!("reading the key in {}", file.display()))?,
            Err(_) => Self::generate()?,
        };
        if !file.exists() {
            let mut out = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
            out.write_all(&issuer.pkcs8)?;
        }
        fs::write(Self::jwks_file(dir), &issuer.jwks).context("writing the JWKS")?;
        Ok(issuer)
    }

    /// Where [`Issuer::kept_in`] puts the public half.
    pub fn jwks_file(dir: &Path) -> PathBuf {
        dir.join("jwks.json")
    }

    /// The public half, as a JSON Web Key Set.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// The id of the key, as it stands in token headers and in the set.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Signs a token.
    pub fn mint(&self, claims: &Claims) -> Result<String> {
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &self.key).context("signing a token")
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Result<Self> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).context("a P-256 key in PKCS#8")?;
        // Uncompressed point: 0x04, x, y.
        let point = pair.public_key().as_ref();
        let (x, y) = point.get(1..65).map(|both| both.split_at(32)).context("an uncompressed point")?;
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let key_id = format!("dev-{}", &x[..8]);
        let jwks = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": key_id, "x": x, "y": y }] });
        Ok(Self { key: EncodingKey::from_ec_der(pkcs8), key_id, jwks: jwks.to_string(), pkcs8: pkcs8.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};

    fn verify(issuer: &Issuer, token: &str) -> serde_json::Value {
        let keys: JwkSet = serde_json::from_str(issuer.jwks()).unwrap();
        let key = DecodingKey::from_jwk(keys.find(issuer.key_id()).unwrap()).unwrap();
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&["steward"]);
        rules.set_issuer(&["https://dev.steward.local"]);
        jsonwebtoken::decode(token, &key, &rules).unwrap().claims
    }

    #[test]
    fn a_minted_token_verifies_against_the_published_keys() {
        let issuer = Issuer::generate().unwrap();
        let token = issuer.mint(&Claims::staff("wang").role("technician").estate("e-1")).unwrap();
        let claims = verify(&issuer, &token);
        assert_eq!(claims["sub"], "wang");
        assert_eq!(claims["kind"], "staff");
        assert_eq!(claims["roles"], json!(["technician"]));
        assert_eq!(claims["estates"], json!(["e-1"]));
    }

    #[test]
    fn the_kept_key_is_the_same_after_a_restart() {
        let dir = std::env::temp_dir().join(format!("steward-issuer-{}", uuid::Uuid::now_v7()));
        let first = Issuer::kept_in(&dir).unwrap();
        let second = Issuer::kept_in(&dir).unwrap();
        assert_eq!(first.jwks(), second.jwks());
        verify(&second, &first.mint(&Claims::service("work-order")).unwrap());
    }
}
