//! Sealing and opening.
//!
//! ```text
//! format (1 byte) | key id (4 bytes, big endian; absent under a data key) | nonce (12) | ciphertext | tag (16)
//! ```

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::keyring::{KeyBytes, random_key};
use super::{CryptoError, KeyId, Keyring};

/// AES-256-GCM-SIV under a key of the keyring.
const BY_KEYRING: u8 = 1;
/// AES-256-GCM-SIV under a person's data key.
const BY_DATA_KEY: u8 = 2;

const NONCE: usize = 12;
const KEYRING_HEADER: usize = 5;
const WRAPPED: &str = "data-key:";

/// Seals fields under a [`Keyring`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FieldCipher(Arc<Keyring>);

impl FieldCipher {
    /// A cipher over `keyring`.
    pub fn new(keyring: Arc<Keyring>) -> Self {
        Self(keyring)
    }

    /// The key that seals.
    pub fn current_key(&self) -> KeyId {
        self.0.current
    }

    /// Seals `plain` with the current key for the place `aad`, such as `customer.customers/0190…/note`.
    pub fn seal(&self, aad: impl AsRef<[u8]>, plain: impl AsRef<[u8]>) -> Vec<u8> {
        let mut header = [BY_KEYRING; KEYRING_HEADER];
        header[1..].copy_from_slice(&self.0.current.to_be_bytes());
        seal_under(&self.0.keys[&self.0.current], &header, aad.as_ref(), plain.as_ref())
    }

    /// Opens what was sealed for `aad`, by whichever key of the keyring did it.
    ///
    /// # Errors
    /// See [`CryptoError`].
    pub fn open(&self, aad: impl AsRef<[u8]>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let id = Self::key_id(sealed)?;
        let key = self.0.keys.get(&id).ok_or(CryptoError::UnknownKey(id))?;
        open_under(key, sealed, KEYRING_HEADER, aad.as_ref())
    }

    /// The value sealed anew by the current key; `None` if it already is. For the background job of a rotation.
    ///
    /// # Errors
    /// See [`CryptoError`].
    pub fn reseal(&self, aad: impl AsRef<[u8]>, sealed: &[u8]) -> Result<Option<Vec<u8>>, CryptoError> {
        if Self::key_id(sealed)? == self.0.current {
            return Ok(None);
        }
        let plain = self.open(aad.as_ref(), sealed)?;
        Ok(Some(self.seal(aad, &*plain)))
    }

    /// Which key of the keyring sealed it.
    ///
    /// # Errors
    /// [`CryptoError::Format`] for anything else.
    pub fn key_id(sealed: &[u8]) -> Result<KeyId, CryptoError> {
        match sealed {
            [BY_KEYRING, a, b, c, d, ..] => Ok(KeyId::from_be_bytes([*a, *b, *c, *d])),
            [..] => Err(CryptoError::Format),
        }
    }

    /// Wraps a person's key for storage; `owner` is the person's id.
    pub fn wrap(&self, owner: impl fmt::Display, key: &DataKey) -> Vec<u8> {
        self.seal(format!("{WRAPPED}{owner}"), key.0.as_slice())
    }

    /// Unwraps a person's key.
    ///
    /// # Errors
    /// See [`CryptoError`]; another owner's key does not unwrap.
    pub fn unwrap(&self, owner: impl fmt::Display, wrapped: &[u8]) -> Result<DataKey, CryptoError> {
        let plain = self.open(format!("{WRAPPED}{owner}"), wrapped)?;
        let mut key = Zeroizing::new([0; 32]);
        if plain.len() != key.len() {
            return Err(CryptoError::Format);
        }
        key.copy_from_slice(&plain);
        Ok(DataKey(key))
    }

    /// A wrapped key, wrapped anew by the current key; `None` if it already is. Rotating the keyring re-wraps keys and
    /// leaves every field sealed under them as it is.
    ///
    /// # Errors
    /// See [`CryptoError`].
    pub fn rewrap(&self, owner: impl fmt::Display, wrapped: &[u8]) -> Result<Option<Vec<u8>>, CryptoError> {
        self.reseal(format!("{WRAPPED}{owner}"), wrapped)
    }
}

/// One person's key. Stored only wrapped ([`FieldCipher::wrap`]); when the wrapped form is destroyed, so is everything
/// that was sealed under it.
pub struct DataKey(KeyBytes);

impl DataKey {
    /// A new person's key.
    pub fn generate() -> Self {
        Self(random_key())
    }

    /// Seals a field of the person for the place `aad`.
    pub fn seal(&self, aad: impl AsRef<[u8]>, plain: impl AsRef<[u8]>) -> Vec<u8> {
        seal_under(&self.0, &[BY_DATA_KEY], aad.as_ref(), plain.as_ref())
    }

    /// Opens a field of the person.
    ///
    /// # Errors
    /// See [`CryptoError`].
    pub fn open(&self, aad: impl AsRef<[u8]>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        match sealed {
            [BY_DATA_KEY, ..] => open_under(&self.0, sealed, 1, aad.as_ref()),
            [..] => Err(CryptoError::Format),
        }
    }

    /// A keyed hash of a `kind` of value: of one person, equal values have equal fingerprints, and when the key is destroyed
    /// nobody can tell any more what a fingerprint is of. Under a [`super::BlindIndex`] guesses could still be tried.
    pub fn fingerprint(&self, kind: &str, value: &str) -> [u8; 32] {
        // A key of its own for hashing, so that the one that seals does nothing else.
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice()), b"steward fingerprint");
        super::blind_index::keyed_hash(&hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()), kind, value)
    }

    /// Opens a field that holds text.
    ///
    /// # Errors
    /// See [`CryptoError`]; [`CryptoError::Format`] when it is not UTF-8.
    pub fn open_text(&self, aad: impl AsRef<[u8]>, sealed: &[u8]) -> Result<crate::pii::Pii<String>, CryptoError> {
        let plain = self.open(aad, sealed)?;
        let text = std::str::from_utf8(&plain).map_err(|_| CryptoError::Format)?;
        Ok(crate::pii::Pii::new(text.to_owned()))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("DataKey(***)")
    }
}

fn seal_under(key: &KeyBytes, header: &[u8], aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut text = plain.to_vec();
    let nonce = aead_key(key)
        .seal_in_place_append_tag(authenticated(header, aad), &mut text)
        .expect("AES-GCM-SIV seals any text shorter than 64 GiB");
    let mut sealed = Vec::with_capacity(header.len() + NONCE + text.len());
    sealed.extend_from_slice(header);
    sealed.extend_from_slice(nonce.as_ref());
    sealed.append(&mut text);
    sealed
}

fn open_under(key: &KeyBytes, sealed: &[u8], header: usize, aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let (header, rest) = sealed.split_at_checked(header).ok_or(CryptoError::Format)?;
    let (nonce, text) = rest.split_at_checked(NONCE).ok_or(CryptoError::Format)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CryptoError::Format)?;
    let mut text = Zeroizing::new(text.to_vec());
    let plain = aead_key(key).open_in_place(nonce, authenticated(header, aad), &mut text).map_err(|_| CryptoError::Sealed)?.len();
    text.truncate(plain);
    Ok(text)
}

fn aead_key(key: &KeyBytes) -> RandomizedNonceKey {
    RandomizedNonceKey::new(&AES_256_GCM_SIV, key.as_slice()).expect("the key has the algorithm's 32 bytes")
}

/// The header is authenticated too: a ciphertext cannot be passed off as another key's or format's.
fn authenticated(header: &[u8], aad: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([header, aad].concat())
}
