//! A programme: what is done to whom, when, and what is shown for it. All of it data.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use steward_kit::calendar::{Festival, Span};
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;

use super::codes::{Actor, DriveTag, Layer, Node, OrderKind, ProgrammeState, RoundKind};
use super::ids::{PlanItemId, ProgrammeId};
use super::terms::counts_days;

/// An encoded condition. The customer service evaluates it; here it is carried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Condition(pub Vec<u8>);

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        hex::encode(condition.0)
    }
}

impl TryFrom<String> for Condition {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        hex::decode(text).map(Self)
    }
}

/// A version of a programme.
#[derive(Clone, Debug)]
pub struct Programme {
    /// Its id.
    pub id: ProgrammeId,
    /// The estate; `None` for every estate.
    pub estate_id: Option<EstateId>,
    /// Name of all versions.
    pub code: String,
    /// Version, from 1.
    pub version: i32,
    /// Where it stands.
    pub state: ProgrammeState,
    /// What it does.
    pub document: Document,
    /// The same as it was given, byte for byte.
    pub encoded: Vec<u8>,
    /// SHA-256 of that.
    pub content_hash: [u8; 32],
    /// Item of an annual plan.
    pub plan_item_id: Option<PlanItemId>,
    /// Who wrote it.
    pub author: Actor,
    /// Who published it.
    pub publisher: Option<Actor>,
    /// When it was written.
    pub create_time: Timestamp,
    /// When it was published.
    pub publish_time: Option<Timestamp>,
    /// When it ended.
    pub retire_time: Option<Timestamp>,
    /// Version of the row.
    pub row_version: i64,
}

impl Programme {
    /// The definition of a code.
    pub fn definition(&self, code: &str) -> Option<&Definition> {
        self.document.definitions.iter().find(|definition| definition.code == code)
    }

    /// Whether it holds for an estate.
    pub fn is_for(&self, estate: EstateId) -> bool {
        self.estate_id.is_none_or(|own| own == estate)
    }
}

/// What a programme does.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The touchpoints.
    pub definitions: Vec<Definition>,
    /// Households that get nothing: per cent and seed.
    pub holdout: Option<(u32, String)>,
    /// Budget in cents.
    pub budget_cents: i64,
    /// First day on which something may be due.
    pub from_date: Option<Date>,
    /// Last day.
    pub to_date: Option<Date>,
}

/// One thing that is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// Code in the programme.
    pub code: String,
    /// Layer of care.
    pub layer: Layer,
    /// Node of the journey.
    pub node: Option<Node>,
    /// What it appeals to.
    pub drive_tags: Vec<DriveTag>,
    /// What its time is counted from.
    pub anchor: Anchor,
    /// How far from it: before or after, and the span.
    pub offset: Option<(bool, Span)>,
    /// Local time of day; `None` for the care policy's.
    pub local_time: Option<Time>,
    /// For whom; `None` for everybody.
    pub audience: Option<Condition>,
    /// Who is left out.
    pub exclusions: Vec<Exclusion>,
    /// What is done.
    pub action: Action,
    /// What must be shown.
    pub proof: ProofRule,
    /// How long it may wait to be done.
    pub act_within: Option<Span>,
    /// How long it may wait to be confirmed.
    pub confirm_within: Option<Span>,
    /// Per cent of the audience at each occurrence; 0 for all.
    pub share_percent: u32,
    /// Cost in cents.
    pub cost_cents: i64,
}

/// What time is counted from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// A date among the facts.
    Fact(String),
    /// A day that a customer keeps.
    KeyDate(String),
    /// A solar day of the year: month and day.
    Solar(u32, u32),
    /// A lunar day of the year: month and day.
    Lunar(u8, u8),
    /// A festival.
    Festival(Festival),
    /// The first day of each period.
    Recurrence(Recurrence),
    /// A date of the estate.
    EstateDate(String),
}

/// Periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recurrence {
    /// From Monday.
    Week,
    /// Months.
    Month,
    /// Quarters.
    Quarter,
    /// Half years.
    HalfYear,
    /// Years.
    Year,
}

/// Who is left out, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// The reason that is kept.
    pub code: String,
    /// For whom it holds.
    pub condition: Condition,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// A message goes out.
    Message {
        /// Template.
        template_key: String,
        /// Class of purpose.
        purpose_class: String,
        /// What it is about; empty for nothing in particular.
        #[serde(default)]
        topic: String,
    },
    /// Somebody visits.
    Visit {
        /// Sort of round.
        round_kind: RoundKind,
    },
    /// Somebody does something.
    Task {
        /// Role whose task it is.
        role: String,
        /// What to do.
        instructions: String,
    },
    /// The household is asked.
    Survey {
        /// Questionnaire.
        questionnaire_code: String,
    },
    /// A work order is created.
    Order {
        /// Kind.
        order_kind: OrderKind,
        /// Category.
        category: String,
        /// What stands in it.
        description: String,
    },
}

/// What must be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofRule {
    /// A photo.
    pub photo: bool,
    /// A signature.
    pub signature: bool,
    /// A note.
    pub note: bool,
}

/// Notes what a document contradicts, each at its place.
pub fn check(document: &Document, at: &str, bad: &mut Violations) {
    let mut codes = std::collections::BTreeSet::new();
    for (position, definition) in document.definitions.iter().enumerate() {
        let place = format!("{at}.touchpoints[{position}]");
        if !codes.insert(definition.code.as_str()) {
            bad.add(format!("{place}.code"), "PROGRAMME_INVALID", "another touchpoint of the programme has this code");
        }
        if definition.audience.is_none() && definition.layer != Layer::Basic {
            // CA-11: no uniform gift to everybody.
            bad.add(format!("{place}.audience"), "AUDIENCE_TOO_WIDE", "only basic care is for everybody; say for whom this is");
        }
        if definition.offset.as_ref().is_some_and(|(_, span)| !counts_days(span)) {
            bad.add(format!("{place}.offset.span"), "PROGRAMME_INVALID", "must count days or longer; the time of day is local_time");
        }
    }
    if let (Some(from), Some(to)) = (document.from_date, document.to_date)
        && to < from
    {
        bad.add(format!("{at}.to_date"), "DATE_INVALID", "must not lie before from_date");
    }
}

/// What deserves a second look: place and code (CA-09).
pub fn warnings(document: &Document) -> Vec<(String, &'static str)> {
    let untagged = document.definitions.iter().enumerate().filter(|(_, definition)| definition.drive_tags.is_empty());
    let without_node = document.definitions.iter().enumerate().filter(|(_, definition)| definition.node.is_none());
    let tags = untagged.map(|(at, _)| (format!("touchpoints[{at}].drive_tags"), "DRIVE_TAGS_MISSING"));
    tags.chain(without_node.map(|(at, _)| (format!("touchpoints[{at}].node"), "NODE_MISSING"))).collect()
}
