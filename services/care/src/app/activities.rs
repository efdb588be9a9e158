//! Community activities: planned, approved, shown, moved, called off, closed.

use jiff::Timestamp;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, NewEvent, TimerChange, constraint, store_error};
use uuid::Uuid;

use super::App;
use super::transact::{Call, TRIES, Target, or_repeated};
use crate::domain::activity::{self, Activity, Change, NOUN, Plan};
use crate::domain::activity_types::{ActivityType, shipped};
use crate::domain::base::{TimerKind, precondition};
use crate::domain::community_codes::{ActivityFamily, ActivityState};
use crate::domain::ids::ActivityId;
use crate::events::community;
use crate::store::activities::{SEATS, Saving, insert_activity, link_opinion, list_activities, load_activity, save_activity};
use crate::store::documents::Place;
use crate::store::registrations::{lock_noticing, promote, take_noticed};

/// Most registrants told in one transaction.
const NOTICES: i64 = 500;

impl App {
    /// A page of the catalogue. No trip.
    pub(crate) async fn list_activity_types(
        &self,
        family: Option<ActivityFamily>,
        page: &PageRequest<(ActivityFamily, String)>,
    ) -> Result<Vec<ActivityType>> {
        let all = shipped(family).map_err(Error::internal)?.into_iter();
        let rest = all.filter(|one| page.after.as_ref().is_none_or(|(family, code)| (one.family, &one.code) > (*family, code)));
        Ok(rest.take(usize::try_from(page.size.limit()).unwrap_or_default()).collect())
    }

    /// Plans an activity. One trip, and one for the item of a plan.
    pub(crate) async fn create_activity<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        plan: Plan,
        answer: impl Fn(&Activity) -> R,
    ) -> Result<R> {
        call.access.scope.estate(estate)?;
        let now = self.clock.now();
        let mut bad = Violations::new();
        plan.check(&mut bad);
        activity::expect_ahead(&plan, now, &mut bad);
        or_repeated!(self, call, bad.finish());
        or_repeated!(self, call, self.known_club(estate, &plan, now).await);
        or_repeated!(self, call, self.known_item(Some(estate), plan.plan_item_id).await);
        let new = Activity::draft(ActivityId::new().as_uuid(), estate, plan, call.subject(), now);
        let response = answer(&new);
        let effects = Effects { claim: self.claim(call, &response), ..Effects::none() };
        match insert_activity(self.db.pool(), &new, &effects, now).await {
            Ok(()) => Ok(response),
            Err(error) => self.failed(call, error).await,
        }
    }

    /// What is for members only needs a club (CA-82).
    async fn known_club(&self, estate: EstateId, plan: &Plan, now: Timestamp) -> Result<()> {
        if plan.is_members_only && self.rules.of(estate, now).await?.terms.community.club_cards.is_empty() {
            return precondition("CLUB_UNDEFINED", format!("estate {estate}"), "the care policy names no cards of a club");
        }
        Ok(())
    }

    /// Does one verb to one activity. Two trips.
    pub(crate) async fn change_activity<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        decide: impl Fn(&Activity, Timestamp) -> Result<Change>,
        answer: impl Fn(&Activity) -> R,
    ) -> Result<R> {
        for _ in 0..TRIES {
            let before = or_repeated!(self, call, self.activity(call.access, target.id).await);
            if target.is_stale(before.row_version) {
                break;
            }
            let now = self.clock.now();
            let change = or_repeated!(self, call, decide(&before, now));
            let after = before.after(&change);
            let response = answer(&after);
            let effects = Effects { claim: self.claim(call, &response), ..follows(&after, &change, now) };
            let saving = Saving { before: &before, after: &after, fact: change.fact, gives_notice: change.gives_notice };
            match save_activity(&mut *self.conn().await?, &saving, &effects, now).await {
                Ok(true) => {
                    self.db.wake(&effects);
                    return Ok(response);
                }
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
            if target.etag.is_some() {
                break;
            }
        }
        self.unless_repeated(call, Error::Stale { resource: NOUN }).await
    }

    /// Changes a plan; more places go to those who wait. Five trips in one transaction, one before it, and one for the item of a plan.
    pub(crate) async fn update_activity<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        replan: impl Fn(&Plan) -> Plan,
        answer: impl Fn(&Activity) -> R,
    ) -> Result<R> {
        for _ in 0..TRIES {
            let before = or_repeated!(self, call, self.activity(call.access, target.id).await);
            if target.is_stale(before.row_version) {
                break;
            }
            let (now, estate, plan) = (self.clock.now(), before.estate_id, replan(&before.document.plan));
            or_repeated!(self, call, self.known_club(estate, &plan, now).await);
            if plan.plan_item_id != before.document.plan.plan_item_id {
                or_repeated!(self, call, self.known_item(Some(estate), plan.plan_item_id).await);
            }
            let change = or_repeated!(self, call, before.replan(plan, now));
            let mut after = before.after(&change);
            let saving = Saving { before: &before, after: &after, fact: None, gives_notice: false };
            let mut tx = self.db.begin().await?;
            match save_activity(&mut tx, &saving, &Effects::none(), now).await {
                Ok(true) => {}
                Ok(false) if target.etag.is_some() => break,
                Ok(false) => continue,
                Err(error) if constraint(&error) == Some(SEATS) => {
                    drop(tx);
                    let refusal = Error::invalid("plan.capacity", "ACTIVITY_INVALID", "must not be less than the places taken");
                    return self.unless_repeated(call, refusal).await;
                }
                Err(error) => return Err(store_error(error)),
            }
            let promoted = promote(&mut tx, estate.as_uuid(), after.id, now).await?;
            for one in &promoted {
                after.counts.seats += one.party_size;
                after.counts.confirmed += 1;
                after.counts.waiting -= 1;
            }
            let response = answer(&after);
            let events = promoted.iter().map(|one| community::confirmed(&after, one, true, now)).collect();
            let effects = Effects { claim: self.claim(call, &response), events, timers: Vec::new() };
            if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
                drop(tx);
                return self.failed(call, error).await;
            }
            tx.commit().await.map_err(store_error)?;
            self.db.wake(&effects);
            return Ok(response);
        }
        self.unless_repeated(call, Error::Stale { resource: NOUN }).await
    }

    /// Links an opinion (CA-73). Two trips.
    pub(crate) async fn link_activity_opinion<R: Message + Default>(&self, call: &Call<'_>, id: Uuid, item: Uuid) -> Result<R> {
        let row = or_repeated!(self, call, self.activity(call.access, id).await);
        or_repeated!(self, call, row.expect(&[ActivityState::Published, ActivityState::Closed]));
        let (now, response) = (self.clock.now(), R::default());
        let effects = Effects { claim: self.claim(call, &response), ..Effects::none() };
        match link_opinion(self.db.pool(), &row, item, &effects, now).await {
            Ok(()) => Ok(response),
            Err(error) => self.failed(call, error).await,
        }
    }

    /// An activity that the caller may see. One trip.
    pub(crate) async fn activity(&self, access: &Access, id: Uuid) -> Result<Activity> {
        load_activity(self.db.pool(), &access.scope, id).await?.ok_or_else(|| Error::not_found(NOUN, id))
    }

    /// A page of an estate's activities. One trip.
    pub(crate) async fn list_activities(
        &self,
        access: &Access,
        estate: EstateId,
        states: &[ActivityState],
        page: &PageRequest<Place>,
    ) -> Result<Vec<Activity>> {
        list_activities(self.db.pool(), &access.scope, access.scope.estate(estate)?, states, page).await
    }

    /// Tells the next of those who are registered that their activity was moved or called off, and sets the timer again while there are
    /// more. Three trips.
    pub(crate) async fn give_notice(&self, tx: &mut sqlx::PgConnection, id: Uuid, now: Timestamp) -> Result<Effects> {
        lock_noticing(&mut *tx, &[id]).await?;
        let scope = steward_kit::auth::Scope::system("a notice to registrants is due");
        let Some(row) = load_activity(&mut *tx, &scope, id).await? else { return Ok(Effects::none()) };
        let told = take_noticed(tx, &row, NOTICES, now).await?;
        let is_last = told.len() < usize::try_from(NOTICES).unwrap_or(usize::MAX);
        let events: Vec<NewEvent> = told.iter().map(|one| community::notice(&row, one, now)).collect();
        Ok(Effects { claim: None, events, timers: if is_last { Vec::new() } else { vec![notice(&row, now)] } })
    }
}

/// What follows of a verb.
fn follows(after: &Activity, change: &Change, now: Timestamp) -> Effects {
    let events = change.fact.map(|fact| community::of_activity(after, fact, now)).into_iter().collect();
    let timers = change.gives_notice.then(|| notice(after, now)).into_iter().collect();
    Effects { claim: None, events, timers }
}

fn notice(of: &Activity, now: Timestamp) -> TimerChange {
    TimerChange::set(TimerKind::ActivityNotice.as_str(), of.id, "", of.estate_id, now)
}
