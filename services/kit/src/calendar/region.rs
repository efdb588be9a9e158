//! Key of a region whose authorities add to the national calendar, such as `guangxi`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A region key: lower-case letters, digits, `_` and `-`, at most 64 bytes. An id of the product fits too.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegionKey(Arc<str>);

/// The text is not a region key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a region key; use lower-case letters, digits, `_` and `-`, at most 64")]
pub struct RegionKeyError(String);

impl RegionKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RegionKey {
    type Err = RegionKeyError;

    fn from_str(text: &str) -> Result<Self, RegionKeyError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if text.is_empty() || text.len() > 64 || !text.chars().all(allowed) {
            return Err(RegionKeyError(text.to_owned()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for RegionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RegionKey {
    type Error = RegionKeyError;

    fn try_from(text: String) -> Result<Self, RegionKeyError> {
        text.parse()
    }
}

impl From<RegionKey> for String {
    fn from(key: RegionKey) -> Self {
        key.0.as_ref().to_owned()
    }
}
