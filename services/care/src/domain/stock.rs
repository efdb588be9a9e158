//! Gifts and materials (CA-45, CA-83): what is kept, and what comes and goes.

use jiff::Timestamp;
use steward_kit::error::Violations;
use steward_kit::ids::{EstateId, HouseholdId};
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::base::precondition;
use super::community_codes::{StockItemKind, StockMovementKind as Kind};

/// The most of one movement: sums of a lifetime of them stay far below what a bigint holds.
const MOST: i64 = 1_000_000_000;

/// Something that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: Uuid,
    /// Its estate.
    pub estate_id: EstateId,
    /// Code.
    pub code: String,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// What it is.
    pub kind: StockItemKind,
    /// What is counted.
    pub unit_code: String,
    /// Where it runs low; 0 for nowhere.
    pub low_mark: i64,
    /// How many there are.
    pub on_hand: i64,
    /// Movements.
    pub movement_count: i64,
    /// How often it was written, movements aside.
    pub row_version: i64,
    /// When it was first kept.
    pub create_time: Timestamp,
}

/// Something that comes or goes, before the stock has said how many are left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moving {
    /// Kind.
    pub kind: Kind,
    /// How many; what a count found.
    pub quantity: i64,
    /// Who gets it, or gave it back.
    pub household_id: Option<HouseholdId>,
    /// Occasion.
    pub subject_kind: String,
    /// Which one.
    pub subject_id: Option<Uuid>,
    /// Where the recipient signed.
    pub sign_reference: String,
    /// Photos and papers.
    pub attachments: Vec<String>,
    /// Why.
    pub reason: String,
    /// The issue that is given back.
    pub returned: Option<Uuid>,
}

/// A movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Its id.
    pub id: Uuid,
    /// The item.
    pub item_id: Uuid,
    /// The estate.
    pub estate_id: EstateId,
    /// Its number for the item.
    pub number: i64,
    /// What moved.
    pub moving: Moving,
    /// How many came in; negative for those that went out.
    pub change: i64,
    /// How many there were after it.
    pub on_hand: i64,
    /// Who moved it.
    pub actor_subject: String,
    /// When.
    pub move_time: Timestamp,
}

impl Moving {
    /// One without recipient.
    pub fn new(kind: Kind, quantity: i64, reason: String) -> Result<Self> {
        if quantity > MOST {
            return Err(Error::invalid("quantity", "int64.lte", format!("must be at most {MOST}")));
        }
        Ok(Self {
            kind,
            quantity,
            household_id: None,
            subject_kind: String::new(),
            subject_id: None,
            sign_reference: String::new(),
            attachments: Vec::new(),
            reason,
            returned: None,
        })
    }

    /// How many come in; `None` for a count, where the stock says it.
    pub fn change(&self) -> Option<i64> {
        match self.kind {
            Kind::Received | Kind::Returned => Some(self.quantity),
            Kind::Issued | Kind::WrittenOff => Some(-self.quantity),
            Kind::Counted => None,
        }
    }

    /// Whether it is the issue of a gift, which stands until it is given back.
    pub fn stands(&self, item: StockItemKind) -> bool {
        self.kind == Kind::Issued && item == StockItemKind::Gift
    }

    /// A gift goes to somebody, for something, against proof (CA-83).
    pub fn check_issue(&self, item: StockItemKind) -> Result<()> {
        let mut bad = Violations::new();
        let is_gift = item == StockItemKind::Gift;
        if is_gift && self.household_id.is_none() {
            bad.add("household_id", "PROOF_INCOMPLETE", "a gift goes to a household");
        }
        if is_gift && self.subject_kind.is_empty() {
            bad.add("subject_kind", "PROOF_INCOMPLETE", "a gift has its occasion");
        }
        if (is_gift || !self.subject_kind.is_empty()) && self.subject_id.is_none() {
            bad.add("subject_id", "PROOF_INCOMPLETE", "an occasion has its id");
        }
        if is_gift && self.sign_reference.is_empty() && self.attachments.is_empty() {
            bad.add("recipient_sign_reference", "PROOF_INCOMPLETE", "a gift is signed for, or a picture shows who got it");
        }
        bad.finish()
    }
}

impl Movement {
    /// What gives an issue back, once and whole.
    pub fn given_back(&self, reason: &str) -> Result<Moving> {
        if self.moving.kind != Kind::Issued {
            return precondition("ALREADY_RETURNED", format!("stock movement {}", self.id), "only what was issued comes back");
        }
        Ok(Moving {
            kind: Kind::Returned,
            returned: Some(self.id),
            reason: reason.to_owned(),
            sign_reference: String::new(),
            attachments: Vec::new(),
            ..self.moving.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CA-83: a gift is issued to a household, for an occasion, against proof; a material needs none of it.
    #[test]
    fn a_gift_is_issued_against_proof() {
        let bare = Moving::new(Kind::Issued, 1, String::new()).expect("is one");
        assert!(bare.check_issue(StockItemKind::Material).is_ok());
        assert!(bare.check_issue(StockItemKind::Gift).is_err());
        let whole = Moving {
            household_id: Some(HouseholdId::new()),
            subject_kind: "visit".to_owned(),
            subject_id: Some(Uuid::nil()),
            sign_reference: "sign/1".to_owned(),
            ..bare
        };
        assert!(whole.check_issue(StockItemKind::Gift).is_ok());
        for part in [
            Moving { household_id: None, ..whole.clone() },
            Moving { subject_kind: String::new(), ..whole.clone() },
            Moving { subject_id: None, ..whole.clone() },
            Moving { sign_reference: String::new(), ..whole.clone() },
        ] {
            assert!(part.check_issue(StockItemKind::Gift).is_err(), "{part:?}");
        }
    }
}
