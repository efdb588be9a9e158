//! A service's keys, from a mounted file or a variable.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::rand;
use zeroize::Zeroizing;

/// Names a key in the header of what it sealed.
pub type KeyId = u32;

pub(super) type KeyBytes = Zeroizing<[u8; 32]>;

/// The keys of one service. Its text form is one entry per line (or separated by spaces or commas):
///
/// ```text
/// 1=<64 hex digits>      a key, opens what it sealed
/// 2=<64 hex digits>
/// current=2              the one that seals
/// index=<64 hex digits>  the blind index's own key; it never rotates, because indexes cannot be re-made without
///                        opening every value
/// ```
pub struct Keyring {
    pub(super) current: KeyId,
    pub(super) keys: BTreeMap<KeyId, KeyBytes>,
    pub(super) index: KeyBytes,
}

/// What is wrong with a keyring's text. Never repeats any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Not `name=value`, or a name that is neither a number, `current` nor `index`.
    #[error("keyring entry {0} is not `<number>=<hex>`, `current=<number>` or `index=<hex>`")]
    Entry(usize),
    /// A key that is not 64 hexadecimal digits.
    #[error("keyring entry {0} is not 64 hexadecimal digits")]
    Hex(usize),
    /// The same name twice.
    #[error("keyring entry {0} repeats a name")]
    Repeated(usize),
    /// No `current`, or one that is not there.
    #[error("keyring has no current key")]
    NoCurrent,
    /// No `index`.
    #[error("keyring has no index key")]
    NoIndex,
}

impl Keyring {
    /// Reads the text form.
    ///
    /// # Errors
    /// The first fault found, by the number of its entry.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let (mut current, mut index, mut keys) = (None, None, BTreeMap::new());
        let entries = text.split([' ', ',', '\n', '\r', '\t']).filter(|entry| !entry.is_empty());
        for (at, entry) in (1..).zip(entries) {
            let (name, value) = entry.split_once('=').ok_or(KeyringError::Entry(at))?;
            let repeated = match name {
                "current" => current.replace(value.parse().map_err(|_| KeyringError::Entry(at))?).is_some(),
                "index" => index.replace(key_bytes(value, at)?).is_some(),
                _ => {
                    let id: KeyId = name.parse().map_err(|_| KeyringError::Entry(at))?;
                    keys.insert(id, key_bytes(value, at)?).is_some()
                }
            };
            if repeated {
                return Err(KeyringError::Repeated(at));
            }
        }
        let current = current.filter(|id| keys.contains_key(id)).ok_or(KeyringError::NoCurrent)?;
        Ok(Self { current, keys, index: index.ok_or(KeyringError::NoIndex)? })
    }

    /// The text form of a fresh keyring with one key: what a launcher writes for a new installation.
    pub fn generate_text() -> Zeroizing<String> {
        let (key, index) = (random_key(), random_key());
        Zeroizing::new(format!("1={}\ncurrent=1\nindex={}\n", hex::encode(*key), hex::encode(*index)))
    }

    /// The key that seals.
    pub fn current_key_id(&self) -> KeyId {
        self.current
    }
}

fn key_bytes(text: &str, at: usize) -> Result<KeyBytes, KeyringError> {
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text, bytes.as_mut_slice()).map_err(|_| KeyringError::Hex(at))?;
    Ok(bytes)
}

/// Thirty-two bytes nobody can guess.
pub(super) fn random_key() -> KeyBytes {
    let mut bytes = Zeroizing::new([0; 32]);
    rand::fill(bytes.as_mut_slice()).expect("the system's source of randomness answers");
    bytes
}

impl fmt::Debug for Keyring {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.keys.keys().collect();
        out.debug_struct("Keyring").field("current", &self.current).field("keys", &ids).finish_non_exhaustive()
    }
}
