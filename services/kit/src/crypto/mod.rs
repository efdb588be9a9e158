//! Encryption of single fields.
//!
//! * A [`Keyring`] holds the service's keys: the current one seals, every one of them opens. Rotation is: add a key,
//!   make it current, re-seal in the background ([`FieldCipher::reseal`]), then remove the old key.
//! * A [`FieldCipher`] seals a field under the keyring. The associated data names table, row and column, so that a
//!   ciphertext moved to another row does not open.
//! * A [`DataKey`] belongs to one person and is stored wrapped by the keyring. Personal fields are sealed under it;
//!   destroying the wrapped key makes every copy of them unreadable, but for backups that still hold the wrapped key.
//! * A [`BlindIndex`] finds equal values without decrypting any: a keyed hash of the normalised value.
//!
//! AES-256-GCM-SIV with random nonces: a repeated nonce would reveal only that two equal texts are equal. The first
//! byte of everything sealed names the format, so that another algorithm can take its place beside it.

mod blind_index;
mod cipher;
mod keyring;

pub use blind_index::BlindIndex;
pub use cipher::{DataKey, FieldCipher};
pub use keyring::{KeyId, Keyring, KeyringError};

/// A sealed value that does not open: damaged, moved to another row, or sealed by a key that is gone. Which of these
/// is not told to anyone but the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// Not something this module sealed.
    #[error("sealed value has an unknown format")]
    Format,
    /// Sealed by a key that the keyring does not hold.
    #[error("sealed value needs key {0}, which the keyring does not hold")]
    UnknownKey(KeyId),
    /// Altered, or opened in another place than it was sealed for.
    #[error("sealed value does not open here")]
    Sealed,
}

impl From<CryptoError> for crate::Error {
    fn from(error: CryptoError) -> Self {
        Self::internal(error)
    }
}

/// Makes aws-lc the process's one source of TLS. First thing in `main`: some clients ask for whatever is installed.
pub fn install_tls_provider() {
    // Refused when it is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

#[cfg(test)]
mod tests;
