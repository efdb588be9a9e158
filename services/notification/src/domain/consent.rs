//! A customer's agreement to one purpose over one channel.

use jiff::Timestamp;
use steward_kit::ids::CustomerId;

use super::codes::{Actor, Channel, ConsentMethod, Language, Purpose};
use super::ids::ConsentId;

/// A consent as recorded. Never changed but by its withdrawal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Its id.
    pub id: ConsentId,
    /// Who agreed.
    pub customer_id: CustomerId,
    /// To what.
    pub purpose: Purpose,
    /// By which channel.
    pub channel: Channel,
    /// Version of the text agreed to.
    pub text_version: String,
    /// Its language.
    pub language: Language,
    /// How it was given.
    pub method: ConsentMethod,
    /// Where the proof lies.
    pub reference: String,
    /// Who recorded it.
    pub actor: Actor,
    /// When it was given.
    pub give_time: Timestamp,
    /// When it was withdrawn.
    pub withdraw_time: Option<Timestamp>,
    /// Version of the row.
    pub row_version: i64,
}
