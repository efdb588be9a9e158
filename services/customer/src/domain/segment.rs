//! Tags and segments: saved predicates (CP-22, CP-52).

use jiff::Timestamp;
use jiff::civil::Date;
use steward_kit::error::WrongState;
use steward_kit::ids::EstateId;
use steward_kit::predicate::Compiled;
use steward_kit::{Error, Result};

use super::ids::{AudienceId, SegmentId, TagId};
use steward_kit::codes;

codes! {
    /// Whether a tag is given.
    TagState {
        /// Whoever meets the rule has it.
        Active = "active",
        /// Nobody has it.
        Retired = "retired",
    }
}

codes! {
    /// What a segment chooses.
    SegmentSubject {
        /// Households, by their main row.
        Household = "household",
        /// Members, each by themselves.
        Customer = "customer",
    }
}

/// A tag and its rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// Its id.
    pub id: TagId,
    /// Code, unique in the group.
    pub code: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// Whether it is given.
    pub state: TagState,
    /// Version of the rule.
    pub version: i32,
    /// The rule, encoded as the contract has it; opaque here.
    pub predicate: Vec<u8>,
    /// Rises with each change.
    pub row_version: i64,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

/// New names and rule of a tag.
#[derive(Debug, Clone)]
pub struct TagChange {
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// The rule, encoded.
    pub predicate: Vec<u8>,
}

impl Tag {
    /// The tag after a change; another rule is another version.
    ///
    /// # Errors
    /// It is retired.
    pub fn changed(&self, change: TagChange, now: Timestamp) -> Result<Self> {
        self.must_be_active()?;
        let version = if change.predicate == self.predicate { self.version } else { self.version + 1 };
        let (row_version, update_time) = (self.row_version + 1, now);
        let TagChange { name_zh, name_en, predicate } = change;
        Ok(Self { name_zh, name_en, predicate, version, row_version, update_time, ..self.clone() })
    }

    /// The tag when nobody has it any more.
    ///
    /// # Errors
    /// It is retired already.
    pub fn retired(&self, now: Timestamp) -> Result<Self> {
        self.must_be_active()?;
        Ok(Self { state: TagState::Retired, row_version: self.row_version + 1, update_time: now, ..self.clone() })
    }

    fn must_be_active(&self) -> Result<()> {
        match self.state {
            TagState::Active => Ok(()),
            TagState::Retired => {
                let none: [&str; 0] = [];
                Err(WrongState::new("TAG_STATE_FORBIDS", format!("tag {}", self.id), "RETIRED", none, "the tag is retired").into())
            }
        }
    }
}

/// A segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Its id.
    pub id: SegmentId,
    /// The estate; `None`: the whole group.
    pub estate_id: Option<EstateId>,
    /// Name, unique in the estate.
    pub name: String,
    /// What it chooses.
    pub subject: SegmentSubject,
    /// How it chooses, encoded as the contract has it; opaque here.
    pub definition: Vec<u8>,
    /// Rises with each change.
    pub row_version: i64,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

/// How a segment chooses, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Who belongs.
    pub predicate: Compiled,
    /// Who is left out, by code; the first that holds is the reason.
    pub exclusions: Vec<(String, Compiled)>,
}

impl Definition {
    /// Every condition, in the order in which an audience keeps what came of them.
    pub fn tests(&self) -> Vec<&steward_kit::predicate::Test> {
        let exclusions = self.exclusions.iter().flat_map(|(_, predicate)| predicate.tests());
        self.predicate.tests().into_iter().chain(exclusions).collect()
    }
}

/// A frozen audience.
#[derive(Debug, Clone, PartialEq)]
pub struct FrozenAudience {
    /// Its id.
    pub id: AudienceId,
    /// The segment.
    pub segment_id: SegmentId,
    /// The estate; `None`: the whole group.
    pub estate_id: Option<EstateId>,
    /// How the segment chose then, encoded.
    pub definition: Vec<u8>,
    /// The day that spans were counted back from.
    pub as_of_date: Date,
    /// Members.
    pub member_count: i32,
    /// Left out.
    pub excluded_count: i32,
    /// Over the sorted members.
    pub digest: Vec<u8>,
    /// When it was taken.
    pub create_time: Timestamp,
}

/// Refuses a rule of a tag that asks tags: it would depend on the order of rules.
///
/// # Errors
/// [`Error::Invalid`] at the condition.
pub fn must_not_ask_tags(rule: &Compiled) -> Result<()> {
    let asks = rule.tests().into_iter().find(|test| ["tag", "household.tag"].contains(&test.field.name.as_ref()));
    match asks {
        Some(test) => Err(Error::invalid(format!("{}.field", test.path), "TAG_ASKS_TAGS", "a tag's rule may ask anything but tags")),
        None => Ok(()),
    }
}
