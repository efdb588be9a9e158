//! What a customer told of themselves (CP-05, CP-26, CP-27).

use jiff::Timestamp;
use jiff::civil::Date;
use steward_kit::ids::{CustomerId, UnitId};
use steward_kit::predicate::Catalogue;
use uuid::Uuid;

use super::ids::KeyDateId;
use super::key_date::KeyDateKind;
use steward_kit::codes;

codes! {
    /// What an attribute tells.
    AttributeKind {
        /// Who lives together.
        FamilyStructure = "family_structure",
        /// What they do.
        Occupation = "occupation",
        /// Owns a firm.
        IsCompanyOwner = "is_company_owner",
        /// Tier of needs.
        Tier = "tier",
        /// Wants no profile.
        HasOptedOutOfProfiling = "has_opted_out_of_profiling",
    }
}

impl AttributeKind {
    /// Whether keeping it needs the person's consent.
    pub fn needs_consent(self) -> bool {
        match self {
            Self::FamilyStructure | Self::Occupation | Self::IsCompanyOwner => true,
            Self::Tier | Self::HasOptedOutOfProfiling => false,
        }
    }

    /// The codes that it can have: those of its field in the catalogue.
    pub fn codes(self) -> Vec<&'static str> {
        match self {
            Self::IsCompanyOwner | Self::HasOptedOutOfProfiling => vec!["true", "false"],
            Self::FamilyStructure | Self::Occupation | Self::Tier => {
                let field = Catalogue::household().get(&format!("customer.{}", self.as_str()));
                field.map(|field| field.codes.to_vec()).unwrap_or_default()
            }
        }
    }
}

/// An attribute of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The customer.
    pub customer_id: CustomerId,
    /// What it tells.
    pub kind: AttributeKind,
    /// The code.
    pub value: String,
    /// Where it came from.
    pub source: String,
    /// The consent to keep it.
    pub consent_id: Option<Uuid>,
    /// When it was recorded.
    pub record_time: Timestamp,
}

/// A key date of a customer, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDate {
    /// Its id.
    pub id: KeyDateId,
    /// The customer.
    pub customer_id: CustomerId,
    /// What happened.
    pub kind: KeyDateKind,
    /// The unit, of days of the purchase.
    pub unit_id: Option<UnitId>,
    /// The civil date of the day itself.
    pub date: Date,
    /// Kept by the lunar calendar.
    pub is_lunar: bool,
    /// The civil date on which it is kept next; of days of the person.
    pub next_date: Option<Date>,
    /// The consent to keep it.
    pub consent_id: Option<Uuid>,
    /// Where it is known from.
    pub source: String,
    /// Rises with each change.
    pub row_version: i64,
    /// When it was recorded.
    pub create_time: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CP-05, CP-26
    #[test]
    fn every_kind_has_its_codes() {
        for word in ["family_structure", "occupation", "is_company_owner", "tier", "has_opted_out_of_profiling"] {
            let kind = AttributeKind::parse(word).expect("a kind");
            assert!(kind.codes().len() >= 2, "{word}");
        }
        assert!(AttributeKind::FamilyStructure.needs_consent() && !AttributeKind::Tier.needs_consent());
    }
}
