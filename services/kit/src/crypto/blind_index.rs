//! Finding a value among encrypted ones.

use std::sync::Arc;

use aws_lc_rs::hmac;

use super::Keyring;

/// A keyed hash of a normalised value: equal values have equal indexes, and without the key an index says nothing.
/// Normalise first ([`crate::pii::Phone`]), or one phone number has many indexes.
#[derive(Clone)]
pub struct BlindIndex(Arc<hmac::Key>);

impl BlindIndex {
    /// The index under the keyring's own index key.
    pub fn new(keyring: &Keyring) -> Self {
        Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, keyring.index.as_slice())))
    }

    /// The index of `normalised` as a `kind` of value (`phone`, `id_number`, `email`). Kinds do not mix: the same text
    /// as another kind has another index.
    pub fn of(&self, kind: &str, normalised: &str) -> [u8; 32] {
        keyed_hash(&self.0, kind, normalised)
    }
}

pub(super) fn keyed_hash(key: &hmac::Key, kind: &str, value: &str) -> [u8; 32] {
    let mut hash = hmac::Context::with_key(key);
    // The length keeps ("ab", "c") and ("a", "bc") apart.
    hash.update(&(kind.len() as u64).to_be_bytes());
    hash.update(kind.as_bytes());
    hash.update(value.as_bytes());
    let mut index = [0; 32];
    index.copy_from_slice(hash.sign().as_ref());
    index
}

impl std::fmt::Debug for BlindIndex {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("BlindIndex(***)")
    }
}
