//! Mystery visits (SV-46): a scenario is played by a trained visitor nobody knows, a checklist scored with evidence, the score
//! may be appealed against for a while, and what did not pass is looked at a second time.
//!
//! ```text
//! planned ──record──> scored ──(time to appeal over)──────────────> final
//!    │                   └─appeal─> appealed ──decide (corrected?)───┘
//!    └─cancel─> cancelled
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::Result;
use steward_kit::calendar::Span;
use steward_kit::error::{Violations, WrongState};
use steward_kit::ids::EstateId;
use steward_kit::metric::{Ratio, half_up};
use steward_kit::pii::Pii;

use super::codes::MysteryState;
use super::ids::MysteryVisitId;
use super::refusal::forbids;

/// The policy's numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MysteryTerms {
    /// Points of 100 without which a visit did not pass.
    pub pass_points: u32,
    /// How long the estate may appeal; `None` for not at all.
    pub appeal_within: Option<Span>,
    /// When the second visit is due; `None` for no second one.
    pub recheck_after: Option<Span>,
}

/// A visit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MysteryVisit {
    /// Its id.
    pub id: MysteryVisitId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Where it stands.
    pub state: MysteryState,
    /// What the visitor plays.
    pub scenario: String,
    /// The visitor, by a code.
    pub visitor_code: String,
    /// Proof of training.
    pub training_ref: String,
    /// By when it is to be made.
    pub due_time: Timestamp,
    /// What is looked at.
    pub checklist: Vec<Checked>,
    /// How it was found, in the order of the checklist.
    pub scores: Vec<Scored>,
    /// When it was made.
    pub visit_time: Option<Timestamp>,
    /// Points of 100 that it had to reach.
    pub pass_points: u32,
    /// Until when it may be appealed against.
    pub appeal_due_time: Option<Timestamp>,
    /// The appeal.
    pub appeal: Option<Appeal>,
    /// The visit that it looks at again.
    pub recheck_of: Option<MysteryVisitId>,
    /// The visit that looks at it again.
    pub recheck: Option<MysteryVisitId>,
    /// When its score became final, or it was given up.
    pub end_time: Option<Timestamp>,
    /// When it was planned.
    pub create_time: Timestamp,
    /// When it last changed.
    #[serde(skip)]
    pub update_time: Timestamp,
    /// Its version as a row.
    #[serde(skip)]
    pub row_version: i64,
}

/// An item of the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Its code.
    pub code: String,
    /// What is expected.
    pub text: String,
    /// Points that it can give.
    pub max_points: u32,
}

/// How an item was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scored {
    /// Its code.
    pub code: String,
    /// Points given.
    pub points: u32,
    /// What was seen; sealed apart from the rest.
    #[serde(skip)]
    pub note: Pii<String>,
    /// What proves it.
    pub evidence_refs: Vec<String>,
}

/// What the estate holds against a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appeal {
    /// Why; sealed apart from the rest.
    #[serde(skip)]
    pub reason: Pii<String>,
    /// Who appealed.
    pub appellant: String,
    /// When.
    pub time: Timestamp,
    /// Whether it was right, once that is decided.
    pub is_upheld: Option<bool>,
    /// Why it was decided so; sealed apart from the rest.
    #[serde(skip)]
    pub decision_reason: Pii<String>,
    /// When it was decided.
    pub decide_time: Option<Timestamp>,
}

impl MysteryVisit {
    /// A second visit like this one, due at `due`.
    pub fn again(&self, id: MysteryVisitId, due: Timestamp, now: Timestamp) -> Self {
        Self {
            id,
            state: MysteryState::Planned,
            due_time: due,
            scores: Vec::new(),
            visit_time: None,
            appeal_due_time: None,
            appeal: None,
            recheck_of: Some(self.id),
            recheck: None,
            end_time: None,
            create_time: now,
            update_time: now,
            row_version: 1,
            ..self.clone()
        }
    }

    /// What was found. Says nothing yet about a second visit.
    ///
    /// # Errors
    /// STATE_FORBIDS, SCORECARD_INVALID.
    pub fn record(&self, scores: Vec<Scored>, visit_time: Timestamp, pass_points: u32, now: Timestamp) -> Result<Self> {
        self.must_be(MysteryState::Planned, "it was made or given up")?;
        self.check(&scores, "scores", true)?;
        let place = |code: &str| self.checklist.iter().position(|item| item.code == code);
        let mut scores = scores;
        scores.sort_by_key(|score| place(&score.code));
        let visit_time = Some(visit_time);
        Ok(Self { state: MysteryState::Scored, scores, visit_time, pass_points, update_time: now, ..self.clone() })
    }

    /// The estate appeals.
    ///
    /// # Errors
    /// STATE_FORBIDS, APPEAL_TOO_LATE.
    pub fn appeal(&self, reason: Pii<String>, appellant: &str, now: Timestamp) -> Result<Self> {
        self.must_be(MysteryState::Scored, "one appeals against a score that does not stand yet")?;
        if self.appeal_due_time.is_none_or(|due| now >= due) {
            let detail = "the time to appeal is over, or the policy grants none";
            return Err(WrongState::new("APPEAL_TOO_LATE", self.subject(), self.state.as_str(), [""; 0], detail).into());
        }
        let appellant = appellant.to_owned();
        let appeal = Appeal { reason, appellant, time: now, is_upheld: None, decision_reason: Pii::default(), decide_time: None };
        Ok(Self { state: MysteryState::Appealed, appeal: Some(appeal), update_time: now, ..self.clone() })
    }

    /// An appeal is decided; one that is upheld corrects scores.
    ///
    /// # Errors
    /// STATE_FORBIDS, SCORECARD_INVALID.
    pub fn decide(&self, is_upheld: bool, reason: Pii<String>, corrections: Vec<Scored>, now: Timestamp) -> Result<Self> {
        self.must_be(MysteryState::Appealed, "there is no appeal to decide")?;
        let mut bad = Violations::new();
        if is_upheld == corrections.is_empty() {
            let detail = if is_upheld { "an appeal is upheld by correcting scores" } else { "an appeal that is rejected corrects nothing" };
            bad.add("corrections", "SCORECARD_INVALID", detail);
        }
        bad.finish()?;
        self.check(&corrections, "corrections", false)?;
        let mut decided = self.clone();
        for correction in corrections {
            if let Some(score) = decided.scores.iter_mut().find(|score| score.code == correction.code) {
                *score = correction;
            }
        }
        if let Some(appeal) = &mut decided.appeal {
            (appeal.is_upheld, appeal.decision_reason, appeal.decide_time) = (Some(is_upheld), reason, Some(now));
        }
        Ok(Self { state: MysteryState::Final, end_time: Some(now), update_time: now, ..decided })
    }

    /// The time to appeal is over; `None` when it does not matter any more.
    pub fn stand(&self, now: Timestamp) -> Option<Self> {
        let stands = self.state == MysteryState::Scored;
        stands.then(|| Self { state: MysteryState::Final, end_time: Some(now), update_time: now, ..self.clone() })
    }

    /// Gives it up.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn cancel(&self, now: Timestamp) -> Result<Self> {
        self.must_be(MysteryState::Planned, "it was made or given up")?;
        Ok(Self { state: MysteryState::Cancelled, end_time: Some(now), update_time: now, ..self.clone() })
    }

    /// Points given, and points that could be given.
    pub fn points(&self) -> (i64, i64) {
        let given = self.scores.iter().map(|score| i64::from(score.points)).sum();
        (given, self.checklist.iter().map(|item| i64::from(item.max_points)).sum())
    }

    /// Points of 100, exactly; `None` before the visit.
    fn share(&self) -> Option<Ratio> {
        let (given, whole) = self.points();
        Ratio::new(i128::from(given) * 100, whole.into()).filter(|_| !self.scores.is_empty())
    }

    /// Points of 100, to a tenth.
    pub fn score(&self) -> Option<String> {
        self.share().map(|share| half_up(share, 1))
    }

    /// Whether it reached what the policy demanded; false before the visit.
    pub fn has_passed(&self) -> bool {
        self.share().is_some_and(|share| share >= Ratio::whole(self.pass_points.into()))
    }

    /// Whether it was made: what the estate may see.
    pub fn was_made(&self) -> bool {
        match self.state {
            MysteryState::Planned | MysteryState::Cancelled => false,
            MysteryState::Scored | MysteryState::Appealed | MysteryState::Final => true,
        }
    }

    /// Notes each item that is unknown, scored twice, too high or without evidence, and if it is the `whole` card, each missing one.
    fn check(&self, scores: &[Scored], field: &str, whole: bool) -> Result<()> {
        let mut bad = Violations::new();
        let mut add = |place: String, detail: String| bad.add(place, "SCORECARD_INVALID", detail);
        for (at, score) in scores.iter().enumerate() {
            let Some(item) = self.checklist.iter().find(|item| item.code == score.code) else {
                add(format!("{field}[{at}].code"), "is no item of the checklist".to_owned());
                continue;
            };
            if scores[..at].iter().any(|other| other.code == score.code) {
                add(format!("{field}[{at}].code"), "stands twice".to_owned());
            }
            if score.points > item.max_points {
                add(format!("{field}[{at}].points"), format!("must be at most {}", item.max_points));
            }
            if score.points < item.max_points && score.evidence_refs.is_empty() {
                add(format!("{field}[{at}].evidence_refs"), "an item that lost points needs evidence".to_owned());
            }
        }
        if whole {
            for item in self.checklist.iter().filter(|item| !scores.iter().any(|score| score.code == item.code)) {
                add(field.to_owned(), format!("lacks the item {}", item.code));
            }
        }
        bad.finish()
    }

    fn subject(&self) -> String {
        format!("mystery visit {}", self.id)
    }

    fn must_be(&self, state: MysteryState, detail: &str) -> Result<()> {
        if self.state == state {
            return Ok(());
        }
        let allowed: &[&str] = match self.state {
            MysteryState::Planned => &["record", "cancel"],
            MysteryState::Scored => &["appeal"],
            MysteryState::Appealed => &["decide_appeal"],
            MysteryState::Final | MysteryState::Cancelled => &[],
        };
        Err(forbids(self.subject(), self.state.as_str(), allowed, detail))
    }
}
