//! Tokens that were proven before. A caller sends the same token with each request until it expires, and to check its signature costs more
//! than all else that a request passes on its way in.
//!
//! Only the signature is not checked again. That the issuer still has the very key is asked each time, and so are the token's times: a
//! key that goes and a token that expires end what they carried at the same moment as without this.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};

use super::claims::Claims;
use super::jwks::VerifyingKey;

/// Tokens of a generation. Two of them are kept: a few megabytes at the most.
const MOST: usize = 4096;

/// What a token is known by: a digest, so that no memory of ours holds what a thief could use.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Name([u8; 32]);

/// What was proven.
pub(super) struct Proof {
    pub(super) issuer: String,
    pub(super) kid: String,
    /// The key it was proven with. A set that was fetched anew has other keys, were they the same.
    pub(super) key: Arc<VerifyingKey>,
    pub(super) claims: Claims,
}

/// The tokens that were last proven.
#[derive(Default)]
pub(super) struct Proven(RwLock<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<Name, Arc<Proof>>,
    old: HashMap<Name, Arc<Proof>>,
}

impl Name {
    pub(super) fn of(token: &str) -> Self {
        let mut name = [0; 32];
        name.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(name)
    }
}

impl Proven {
    /// What is known of a token.
    pub(super) fn get(&self, name: Name) -> Option<Arc<Proof>> {
        let generations = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(proof) = generations.young.get(&name) {
            return Some(Arc::clone(proof));
        }
        let proof = generations.old.get(&name).cloned()?;
        drop(generations);
        // Who still calls is young again.
        self.keep(name, Arc::clone(&proof));
        Some(proof)
    }

    /// Remembers a token. When a generation is full it grows old, and the one before it is forgotten.
    pub(super) fn keep(&self, name: Name, proof: Arc<Proof>) {
        let mut generations = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if generations.young.len() >= MOST {
            generations.old = mem::take(&mut generations.young);
        }
        generations.young.insert(name, proof);
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey};
    use serde_json::json;

    use super::*;

    fn proof() -> Arc<Proof> {
        let claims = serde_json::from_value(json!({"sub": "a", "kind": "staff", "exp": 1})).expect("claims");
        let key = Arc::new(VerifyingKey { algorithm: Algorithm::ES256, key: DecodingKey::from_secret(b"") });
        Arc::new(Proof { issuer: String::new(), kid: String::new(), key, claims })
    }

    #[test]
    fn who_still_calls_is_remembered_and_who_does_not_is_forgotten() {
        let proven = Proven::default();
        let (still, once) = (Name::of("still"), Name::of("once"));
        proven.keep(still, proof());
        proven.keep(once, proof());
        for number in 0..MOST * 3 {
            proven.keep(Name::of(&number.to_string()), proof());
            assert!(proven.get(still).is_some(), "{number}");
        }
        assert!(proven.get(once).is_none());
        let kept = proven.0.read().expect("no panic");
        assert!(kept.young.len() <= MOST && kept.old.len() <= MOST);
    }
}
