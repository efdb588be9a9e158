//! What an estate plans for a year (CA-29, CA-74, CA-80), and the 315 plan (CA-05).

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use steward_kit::Result;

use super::base::{Change, Document, Stored, forbids, precondition};
use super::ids::PlanItemId;

/// The plan of a year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnualPlan {
    /// Year.
    pub year: i32,
    /// It may be carried out.
    pub is_approved: bool,
    /// Items.
    pub items: Vec<Item>,
    /// Who wrote it.
    pub author_subject: String,
    /// Who approved it.
    pub approver_subject: String,
    /// Day of the owners' committee's review.
    pub review_date: Option<Date>,
}

/// An item of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its id.
    pub id: PlanItemId,
    /// Title.
    pub title: String,
    /// Club or group.
    pub club: String,
    /// Month; 0 for the whole year.
    pub month: u8,
    /// Budget in cents.
    pub budget_cents: i64,
    /// Per cent.
    pub progress_percent: u8,
    /// Who changed it last.
    pub actor_subject: String,
}

impl Document for AnnualPlan {
    type Fact = std::convert::Infallible;

    const NOUN: &'static str = "annual plan";

    fn state(&self) -> &'static str {
        if self.is_approved { "approved" } else { "draft" }
    }

    fn sort_time(&self) -> Timestamp {
        first_day(i16::try_from(self.year).unwrap_or(i16::MAX))
    }

    fn unique_key(&self) -> Option<String> {
        Some(self.year.to_string())
    }
}

fn first_day(year: i16) -> Timestamp {
    Date::new(year, 1, 1).ok().and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok()).map_or(Timestamp::MAX, |day| day.timestamp())
}

/// Adds an item or changes one.
pub fn put_item(before: &Stored<AnnualPlan>, item: Item) -> Change<AnnualPlan> {
    let mut after = before.value.clone();
    match after.items.iter_mut().find(|known| known.id == item.id) {
        Some(known) => *known = item,
        None => after.items.push(item),
    }
    Change::to(after)
}

/// Approves a plan; two pairs of eyes.
pub fn approve(before: &Stored<AnnualPlan>, actor: &str, review_date: Option<Date>) -> Result<Change<AnnualPlan>> {
    if before.value.is_approved {
        return forbids::<AnnualPlan, _>("PLAN_STATE_FORBIDS", before.id, "approved", &["PutAnnualPlanItem"]);
    }
    if before.value.author_subject == actor {
        return precondition("APPROVER_IS_AUTHOR", format!("annual plan {}", before.id), "another than its author approves a plan");
    }
    Ok(Change::to(AnnualPlan { is_approved: true, approver_subject: actor.to_owned(), review_date, ..before.value.clone() }))
}

/// The 315 plan of an estate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan315 {
    /// First day.
    pub from_date: Date,
    /// Last day.
    pub to_date: Date,
    /// Interview rounds asked for.
    pub interview_target: u32,
    /// Improvements asked for.
    pub improvement_target: u32,
    /// Proof of interview rounds.
    pub interviews: Vec<String>,
    /// Proof of improvements.
    pub improvements: Vec<String>,
}

impl Document for Plan315 {
    type Fact = std::convert::Infallible;

    const NOUN: &'static str = "315 plan";

    fn state(&self) -> &'static str {
        "running"
    }

    fn sort_time(&self) -> Timestamp {
        self.from_date.to_zoned(jiff::tz::TimeZone::UTC).map_or(Timestamp::MIN, |day| day.timestamp())
    }
}

impl Plan315 {
    /// An improvement was carried out on a day of the plan; `None` when it is not, or was counted before.
    pub fn improved(&self, reference: &str, today: Date) -> Option<Self> {
        let is_news = (self.from_date..=self.to_date).contains(&today) && !self.improvements.iter().any(|known| known == reference);
        is_news.then(|| {
            let mut after = self.clone();
            after.improvements.push(reference.to_owned());
            after
        })
    }

    /// Green only if all three are met (CA-05).
    pub fn is_green(&self, covered: i64, eligible: i64) -> bool {
        let reached = |done: &[String], target: u32| done.len() as u64 >= u64::from(target);
        eligible > 0
            && covered >= eligible
            && reached(&self.interviews, self.interview_target)
            && reached(&self.improvements, self.improvement_target)
    }
}
