//! How a wave is held: whom it asks, in which ways, until when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::codes::Mode;
use super::ids::WaveId;
use super::sampling::Sampling;

/// How a wave is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// Answers cannot be traced (SV-40).
    pub is_anonymous: bool,
    /// How answers may be given.
    pub modes: Vec<Mode>,
    /// Who is drawn.
    pub sampling: Sampling,
    /// Who may be asked; `None` for delivered households.
    pub eligibility: Option<Encoded>,
    /// Who is left out.
    pub exclusions: Vec<Exclusion>,
    /// Valid responses asked for; 0 for the policy's.
    pub min_valid: u32,
    /// What it is about.
    pub subject: Option<Subject>,
    /// The wave it is compared with.
    pub pair_wave_id: Option<WaveId>,
    /// The contact limits do not hold (SV-41).
    pub ignores_contact_limits: bool,
    /// When it shall be closed.
    pub close_due_time: Option<Timestamp>,
}

/// A message of the contract that the rules pass on and never read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded(pub Vec<u8>);

impl Serialize for Encoded {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        hex::decode(text.as_ref()).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Who is left out, under a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// The code.
    pub code: String,
    /// The predicate.
    pub predicate: Encoded,
}

/// What a special wave is about (SV-09).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Kind.
    pub kind: String,
    /// Code or id.
    pub code: String,
}
