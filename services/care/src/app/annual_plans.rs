//! What an estate plans for a year, and its 315 plan.

use jiff::ToSpan;
use jiff::civil::Date;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::paging::{PageRequest, PageSize};
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::App;
use super::transact::{Call, Target};
use crate::domain::annual_plan::{self, AnnualPlan, Item, Plan315};
use crate::domain::base::{Change, Document, Stored, precondition};
use crate::domain::ids::{AnnualPlanId, Plan315Id};
use crate::store::documents::{Place, Table};
use crate::store::touchpoints::{coverage, midnight};

/// The constraint that refuses a second plan of a year.
const YEAR_TAKEN: &str = "annual_plans_key";

/// How a 315 plan stands.
#[derive(Debug)]
pub(crate) struct Standing315 {
    pub(crate) plan: Plan315,
    pub(crate) covered: i64,
    pub(crate) eligible: i64,
    pub(crate) is_over: bool,
}

/// Parts of the 315 plan that are recorded by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part315 {
    /// A round of interviews.
    Interview,
    /// An improvement.
    Improvement,
}

impl App {
    /// Creates the plan of a year (CA-29). One trip.
    pub(crate) async fn create_annual_plan<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        year: i32,
        items: Vec<Item>,
        answer: impl Fn(&Stored<AnnualPlan>) -> R,
    ) -> Result<R> {
        call.access.scope.estate(estate)?;
        let now = self.clock.now();
        let plan = AnnualPlan {
            year,
            is_approved: false,
            items,
            author_subject: call.subject().to_owned(),
            approver_subject: String::new(),
            review_date: None,
        };
        let new = Stored::new(AnnualPlanId::new(), estate, plan.clone(), now);
        self.create(call, new, Change::to(plan), Some((YEAR_TAKEN, "ANNUAL_PLAN_EXISTS")), now, answer).await
    }

    /// Adds an item or changes one. Two trips.
    pub(crate) async fn put_annual_plan_item<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        item: Item,
        answer: impl Fn(&Stored<AnnualPlan>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, _| Ok(annual_plan::put_item(row, item.clone())), answer).await
    }

    /// Approves a plan. Two trips.
    pub(crate) async fn approve_annual_plan<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        review: Option<Date>,
        answer: impl Fn(&Stored<AnnualPlan>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, _| annual_plan::approve(row, call.subject(), review), answer).await
    }

    /// One plan. One trip.
    pub(crate) async fn annual_plan(&self, access: &Access, id: Uuid) -> Result<Stored<AnnualPlan>> {
        AnnualPlan::load(&mut *self.conn().await?, &access.scope, id).await?.ok_or_else(|| Error::not_found(AnnualPlan::NOUN, id))
    }

    /// A page of an estate's plans. One trip.
    pub(crate) async fn list_annual_plans(
        &self,
        access: &Access,
        estate: EstateId,
        page: &PageRequest<Place>,
    ) -> Result<Vec<Stored<AnnualPlan>>> {
        AnnualPlan::list(&mut *self.conn().await?, access.scope.estate(estate)?, &[], page).await
    }

    /// The latest 315 plan of an estate. One trip.
    async fn latest_315(&self, access: &Access, estate: EstateId) -> Result<Option<Stored<Plan315>>> {
        let page = PageRequest { size: PageSize::of(1)?, after: None };
        Ok(Plan315::list(&mut *self.conn().await?, access.scope.estate(estate)?, &[], &page).await?.into_iter().next())
    }

    /// Starts the 315 plan of an estate (CA-05). Two trips.
    pub(crate) async fn start_plan_315<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        from_date: Date,
        answer: impl Fn(&Plan315) -> R,
    ) -> Result<R> {
        let now = self.clock.now();
        let rules = self.rules.of(estate, now).await?;
        if let Some(running) = self.latest_315(call.access, estate).await?
            && running.value.to_date >= from_date
        {
            let refusal = Error::already_exists(Plan315::NOUN, "PLAN_315_EXISTS", "the estate has a 315 plan that still runs");
            return self.unless_repeated(call, refusal).await;
        }
        let Some(terms) = &rules.terms.plan_315 else {
            let refusal = precondition("PLAN_315_UNDEFINED", format!("estate {estate}"), "the care policy defines no 315 plan");
            return self.unless_repeated(call, refusal.unwrap_or_else(|refusal| refusal)).await;
        };
        let end = rules.shift(from_date, false, &terms.window)?;
        let plan = Plan315 {
            from_date,
            to_date: end.checked_sub(1.day()).map_err(Error::internal)?,
            interview_target: terms.interviews,
            improvement_target: terms.improvements,
            interviews: Vec::new(),
            improvements: Vec::new(),
        };
        let new = Stored::new(Plan315Id::new(), estate, plan.clone(), now);
        self.create(call, new, Change::to(plan), None, now, |row| answer(&row.value)).await
    }

    /// Records a part that was carried out. Three trips.
    pub(crate) async fn record_plan_315_progress<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        part: Part315,
        reference: &str,
        answer: impl Fn(&Plan315) -> R,
    ) -> Result<R> {
        let Some(row) = self.latest_315(call.access, estate).await? else {
            return self.unless_repeated(call, Error::not_found(Plan315::NOUN, estate)).await;
        };
        let decide = |row: &Stored<Plan315>, _: &crate::domain::terms::Rules, _: jiff::Timestamp| {
            let mut after = row.value.clone();
            match part {
                Part315::Interview => after.interviews.push(reference.to_owned()),
                Part315::Improvement => after.improvements.push(reference.to_owned()),
            }
            Ok(Change::to(after))
        };
        self.change(call, Target { id: row.id, etag: None }, decide, |row| answer(&row.value)).await
    }

    /// How the 315 plan stands: coverage by F-09, and the two counters. Two trips, and one question to customer.
    pub(crate) async fn plan_315(&self, access: &Access, estate: EstateId) -> Result<Standing315> {
        let row = self.latest_315(access, estate).await?.ok_or_else(|| Error::not_found(Plan315::NOUN, estate))?;
        let plan = row.value;
        let zone = self.rules.estates.get(estate).await?.zone()?;
        let (from, to) = (midnight(plan.from_date, &zone)?, midnight(plan.to_date.tomorrow().map_err(Error::internal)?, &zone)?);
        let now = self.clock.now();
        let rules = self.rules.of(estate, now).await?;
        let today = rules.date(now);
        let layer = rules.terms.coverage_layer.unwrap_or_default();
        let (covered, held_out) = coverage(self.db.pool(), estate, &layer, from, to).await?;
        // Who is delivered today, or was when the plan ended.
        let bases = self.audience.bases(&[estate], today.min(plan.to_date)).await?;
        let eligible = bases.get(&estate.as_uuid()).map_or(0, |mean| mean.floor()) - held_out;
        Ok(Standing315 { is_over: today > plan.to_date, plan, covered, eligible })
    }
}
