//! Who comes: registered, waiting, let in, no longer coming.

use jiff::Timestamp;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::ids::HouseholdId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::is_replay;
use steward_kit_store::{Effects, constraint, store_error};
use uuid::Uuid;

use super::App;
use super::residents::{Resident, members_only};
use super::transact::{Call, TRIES, or_repeated};
use crate::contract::predicate;
use crate::domain::activity::Activity;
use crate::domain::community_codes::{ActivityState, RegistrationState};
use crate::domain::ids::RegistrationId;
use crate::domain::registration::{NOUN, Registration};
use crate::events::community;
use crate::store::registrations::{
    HOUSEHOLD_REGISTERED, check_in, give_up, list_registrations, load_registration, of_code, promote, take_place,
};

impl App {
    /// Registers a household. Two trips, however many ask at once: activity; place, registration, fact and claim in one statement. (One
    /// question to customer between them, a second for a customer who is not the main contact.) A third where it is refused, or came
    /// before.
    ///
    /// What the answer says is decided by the statement that writes the claim, so the claim holds the registration's id alone: what was
    /// decided stands in the row and never changes.
    pub(crate) async fn register<R: Message + Default>(
        &self,
        call: &Call<'_>,
        activity: Uuid,
        household: HouseholdId,
        party_size: u32,
        answer: impl Fn(&Registration) -> R + Sync,
        answered: impl Fn(&R) -> Option<Uuid> + Sync,
    ) -> Result<R> {
        for _ in 0..TRIES {
            let (row, resident) = match self.may_register(call.access, activity, household, party_size).await {
                Ok(found) => found,
                Err(refusal) => return self.registered_before(call, refusal, &answer, &answered).await,
            };
            let now = self.clock.now();
            let mut new = registration(&row, household, &resident, party_size, now)?;
            let stub = Registration { state: RegistrationState::Waiting, ..blank(&new) };
            let claim = self.claim(call, &answer(&stub));
            let confirmed =
                Effects { claim: claim.clone(), events: vec![community::confirmed(&row, &new, false, now)], timers: Vec::new() };
            let waiting = Effects { claim, events: vec![community::waitlisted(&row, &new, now)], timers: Vec::new() };
            match take_place(self.db.pool(), &row, &new, &confirmed, &waiting, now).await {
                Ok(Some(taken)) => {
                    self.db.wake(&confirmed);
                    (new.sequence, new.waiting_number) = (taken.sequence, taken.waiting_number);
                    return Ok(answer(&new.at_first()));
                }
                // Somebody changed the activity meanwhile: look again.
                Ok(None) => {}
                Err(error) if is_replay(&error) => {
                    return self.registered_before(call, store_error(error), &answer, &answered).await;
                }
                Err(error) if constraint(&error) == Some(HOUSEHOLD_REGISTERED) => {
                    let refusal = Error::already_exists(NOUN, "ALREADY_REGISTERED", "the household is registered for this activity");
                    return self.registered_before(call, refusal, &answer, &answered).await;
                }
                Err(error) => return Err(store_error(error)),
            }
        }
        self.registered_before(call, Error::Stale { resource: crate::domain::activity::NOUN }, &answer, &answered).await
    }

    /// The activity, and the household as it may take part in it.
    async fn may_register(&self, access: &Access, activity: Uuid, household: HouseholdId, party_size: u32) -> Result<(Activity, Resident)> {
        let row = self.activity(access, activity).await?;
        let now = self.clock.now();
        row.takes(party_size, now)?;
        let plan = &row.document.plan;
        let audience = plan.audience.as_ref().and_then(predicate);
        let audience = if plan.is_members_only {
            let rules = self.rules.of(row.estate_id, now).await?;
            Some(members_only(audience, &rules.terms.community.club_cards))
        } else {
            audience
        };
        let resident = self.audience.admit(&access.scope, row.estate_id, household, audience).await?;
        Ok((row, resident))
    }

    /// The registration that the request made, if it came before, as it was then; else the refusal. Two trips.
    async fn registered_before<R: Message + Default>(
        &self,
        call: &Call<'_>,
        refusal: Error,
        answer: &(impl Fn(&Registration) -> R + Sync),
        answered: &(impl Fn(&R) -> Option<Uuid> + Sync),
    ) -> Result<R> {
        let Some(id) = self.repeated::<R>(call).await?.and_then(|stored| answered(&stored)) else { return Err(refusal) };
        let found = load_registration(self.db.pool(), &call.access.scope, id).await?;
        Ok(answer(&found.ok_or(refusal)?.at_first()))
    }

    /// Cancels a registration; what it held goes to those who wait, in their order, before anybody else can ask. Six trips, in one
    /// transaction.
    pub(crate) async fn cancel_registration<R: Message + Default>(
        &self,
        call: &Call<'_>,
        id: Uuid,
        answer: impl Fn(&Registration) -> R,
    ) -> Result<R> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let Some(cancelled) = give_up(&mut tx, &call.access.scope, id, now).await? else {
            drop(tx);
            let refusal = self.registration(call.access, id).await.and_then(|found| found.forbids::<()>());
            return self.unless_repeated(call, refusal.err().unwrap_or(Error::Stale { resource: NOUN })).await;
        };
        let response = answer(&cancelled);
        let activity = cancelled.activity_id;
        let promoted = promote(&mut tx, cancelled.estate_id.as_uuid(), activity, now).await?;
        let scope = steward_kit::auth::Scope::system("facts of a registration say what it was for");
        let row = crate::store::activities::load_activity(&mut *tx, &scope, activity).await?;
        let row = row.ok_or_else(|| Error::bug("a registration without its activity"))?;
        let mut events = vec![community::cancelled(&row, &cancelled, now)];
        events.extend(promoted.iter().map(|one| community::confirmed(&row, one, true, now)));
        let effects = Effects { claim: self.claim(call, &response), events, timers: Vec::new() };
        if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
            drop(tx);
            return self.failed(call, error).await;
        }
        tx.commit().await.map_err(store_error)?;
        self.db.wake(&effects);
        Ok(response)
    }

    /// Lets a party in by its code. Three trips: activity, door, registration. Who came already is let in again, by whatever request.
    pub(crate) async fn check_in<R: Message + Default>(
        &self,
        call: &Call<'_>,
        activity: Uuid,
        code: &str,
        answer: impl Fn(&Registration) -> R,
    ) -> Result<R> {
        let row = or_repeated!(self, call, self.activity(call.access, activity).await);
        let now = self.clock.now();
        let Some(found) = of_code(self.db.pool(), &row, code).await? else {
            let refusal = Error::invalid("check_in_code", "CHECK_IN_CODE_INVALID", "must be the code of a registration of this activity");
            return self.unless_repeated(call, refusal).await;
        };
        if found.state == RegistrationState::CheckedIn {
            return Ok(answer(&found));
        }
        or_repeated!(self, call, row.expect(&[ActivityState::Published]));
        let came = Registration { state: RegistrationState::CheckedIn, check_in_time: Some(now), ..found.clone() };
        let response = answer(&came);
        let effects = Effects { claim: self.claim(call, &response), ..Effects::none() };
        match check_in(self.db.pool(), &row, code, &effects, now).await {
            Ok(Some(_)) => Ok(response),
            // It waits, was cancelled, or came in by another door just now.
            Ok(None) => match of_code(self.db.pool(), &row, code).await? {
                Some(found) if found.state == RegistrationState::CheckedIn => Ok(answer(&found)),
                Some(found) if found.state != RegistrationState::Confirmed => {
                    self.unless_repeated(call, found.forbids::<()>().err().unwrap_or(Error::Stale { resource: NOUN })).await
                }
                Some(_) | None => self.unless_repeated(call, Error::Stale { resource: NOUN }).await,
            },
            Err(error) => self.failed(call, error).await,
        }
    }

    /// One registration that the caller may see. One trip.
    pub(crate) async fn registration(&self, access: &Access, id: Uuid) -> Result<Registration> {
        load_registration(self.db.pool(), &access.scope, id).await?.ok_or_else(|| Error::not_found(NOUN, id))
    }

    /// A page of an activity's, in order of arrival. Two trips.
    pub(crate) async fn list_registrations(
        &self,
        access: &Access,
        activity: Uuid,
        states: &[String],
        page: &PageRequest<i32>,
    ) -> Result<Vec<Registration>> {
        let row = self.activity(access, activity).await?;
        list_registrations(self.db.pool(), &access.scope, &row, states, page).await
    }
}

/// A registration that the database has not placed yet.
fn registration(row: &Activity, household: HouseholdId, resident: &Resident, party_size: u32, now: Timestamp) -> Result<Registration> {
    let Resident { unit, customer } = *resident;
    Ok(Registration {
        id: RegistrationId::new().as_uuid(),
        activity_id: row.id,
        estate_id: row.estate_id,
        household_id: household,
        unit_id: unit,
        customer_id: customer,
        party_size: i32::try_from(party_size).map_err(Error::internal)?,
        state: RegistrationState::Confirmed,
        sequence: 0,
        waiting_number: None,
        // Random, not made of the time as the other ids are: nobody guesses the one beside it.
        check_in_code: Uuid::new_v4().simple().to_string(),
        register_time: now,
        confirm_time: Some(now),
        check_in_time: None,
        cancel_time: None,
    })
}

/// What the claim holds of a registration: which it is. Its code is no business of the claim.
fn blank(of: &Registration) -> Registration {
    Registration { check_in_code: String::new(), ..of.clone() }
}
