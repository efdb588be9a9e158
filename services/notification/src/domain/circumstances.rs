//! What is known of a contact when it is judged.

use jiff::tz::TimeZone;
use steward_kit::ids::HouseholdId;
use uuid::Uuid;

use super::caps::{Cap, Counted};
use super::codes::{Channel, Purpose};
use super::ids::ContactId;
use super::policy::ClassRule;
use super::preference::Preferences;

/// What is known of the recipient and the place.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// Zone of the estate: quiet hours are local.
    pub zone: TimeZone,
    /// The rule of the message's class.
    pub rule: ClassRule,
    /// The customer; none when the recipient is none, or is not known here (yet).
    pub customer: Option<CustomerFacts>,
    /// What the ledger holds.
    pub ledger: Ledger,
    /// How the household stands to the conditions of the rule that made the message, where it has some.
    pub audience: Option<Audience>,
}

/// Whether a household belongs to those that a rule is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// It does.
    pub is_member: bool,
    /// The conditions that decided it; none where no household is known.
    pub conditions: Vec<Held>,
}

/// One condition that was held against a household.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Name of the fact, such as `household.is_renovating`.
    pub field: String,
    /// How it was compared, such as `OPERATOR_EQUALS`.
    pub operator: String,
    /// The fact as reasons may show it; empty when it is not recorded.
    pub fact: String,
}

/// What the ledger holds of a contact and of those before it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The household, if one is named.
    pub household: Option<HouseholdId>,
    /// The customer, if one is named.
    pub person: Option<Uuid>,
    /// Whether the customer was chosen by traits (NT-44).
    pub uses_profile: bool,
    /// The contact itself, if it was counted before.
    pub already: Option<ContactId>,
    /// The caps that count it, by code.
    pub caps: Vec<(String, Cap)>,
    /// Contacts with the household.
    pub household_contacts: Vec<Counted>,
    /// Contacts with the customer.
    pub person_contacts: Vec<Counted>,
    /// Codes of the situations that hold and forbid it.
    pub situations: Vec<String>,
}

/// What is known of a customer.
#[derive(Clone, Debug, Default)]
pub struct CustomerFacts {
    /// Language of the customer's record, as it stands there.
    pub language: Option<String>,
    /// Only service and emergency messages.
    pub do_not_disturb: bool,
    /// The e-mail address is proven wrong.
    pub email_invalid: bool,
    /// What the customer wants.
    pub preferences: Option<Preferences>,
    /// Consents that hold now.
    pub consents: Vec<(Purpose, Channel)>,
    /// Purposes of consents that were withdrawn.
    pub withdrawn: Vec<Purpose>,
}
