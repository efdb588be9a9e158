//! Talks with households, what they cover, and what managers owe.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, NewEvent, TimerChange};
use steward_proto::care::v1 as pb;

use super::App;
use super::plan_timers::plan_timer;
use super::transact::Call;
use crate::domain::base::TimerKind;
use crate::domain::codes::{ContactWay, HouseholdDateKind};
use crate::domain::ids::ContactId;
use crate::domain::programme::Anchor;
use crate::store::contacts::{
    Contact, ContactKey, Reached, insert_contact, list_of_estate, list_of_household, list_officers, put_household_date, put_officer,
    reached,
};
use crate::store::programmes::load_running;
use crate::store::touchpoints::midnight;

/// A talk to record.
#[derive(Debug)]
pub(crate) struct NewContact {
    pub(crate) estate: EstateId,
    pub(crate) household: HouseholdId,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) way: ContactWay,
    pub(crate) purpose: String,
    pub(crate) is_two_way: bool,
    pub(crate) topics: Vec<String>,
    pub(crate) contact_time: Option<Timestamp>,
}

/// How much of an estate was spoken with in a month.
#[derive(Debug)]
pub(crate) struct Coverage {
    pub(crate) base: i64,
    pub(crate) target: i64,
    pub(crate) reached: Reached,
}

/// What a manager owes and did.
#[derive(Debug)]
pub(crate) struct Quota {
    pub(crate) subject: String,
    pub(crate) position: String,
    pub(crate) required: u32,
    pub(crate) done: i64,
    pub(crate) not_conforming: i64,
    pub(crate) standing: &'static str,
}

impl App {
    /// Records a talk; touchpoints that it fulfils are confirmed by the timer it sets. One trip.
    pub(crate) async fn record_contact<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewContact,
        answer: impl Fn(&Contact) -> R,
    ) -> Result<R> {
        call.access.scope.estate(new.estate)?;
        let now = self.clock.now();
        let contact_time = new.contact_time.unwrap_or(now);
        if contact_time > now {
            return Err(Error::invalid("contact_time", "TIME_NOT_PLAUSIBLE", "must not lie in the future"));
        }
        let contact = Contact {
            id: ContactId::new(),
            estate_id: new.estate,
            household_id: new.household,
            customer_id: new.customer,
            actor_subject: call.subject().to_owned(),
            way: new.way,
            purpose: new.purpose,
            is_two_way: new.is_two_way,
            topics: new.topics,
            contact_time,
            create_time: now,
        };
        let response = answer(&contact);
        let fact = pb::CareContactRecorded {
            contact_id: contact.id.to_string(),
            estate_id: contact.estate_id.to_string(),
            household_id: contact.household_id.to_string(),
            customer_id: contact.customer_id.map(|id| id.to_string()).unwrap_or_default(),
            purpose: contact.purpose.clone(),
            is_two_way: contact.is_two_way,
        };
        let settle = TimerChange::set(TimerKind::ContactSettle.as_str(), contact.id, "", contact.estate_id, now);
        let effects = Effects {
            claim: self.claim(call, &response),
            events: vec![NewEvent::new(contact.household_id, contact.estate_id, now, &fact)],
            timers: if contact.is_two_way { vec![settle] } else { Vec::new() },
        };
        match insert_contact(self.db.pool(), &contact, &effects, now).await {
            Ok(()) => {
                self.db.wake(&effects);
                Ok(response)
            }
            Err(error) => self.failed(call, error).await,
        }
    }

    /// A page of an estate's talks, or of a household's. One trip.
    pub(crate) async fn list_contacts(
        &self,
        access: &Access,
        estate: EstateId,
        household: Option<HouseholdId>,
        page: &PageRequest<ContactKey>,
    ) -> Result<Vec<Contact>> {
        let estate = access.scope.estate(estate)?;
        match household {
            Some(household) => list_of_household(self.db.pool(), estate, household, page).await,
            None => list_of_estate(self.db.pool(), estate, page).await,
        }
    }

    /// Records a day of a household; programmes that are anchored to it plan again. Two trips.
    pub(crate) async fn set_household_date<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        household: HouseholdId,
        kind: HouseholdDateKind,
        date: Date,
    ) -> Result<R> {
        let scoped = call.access.scope.estate(estate)?;
        let now = self.clock.now();
        if date > self.rules.of(estate, now).await?.date(now) {
            return Err(Error::invalid("date", "DATE_INVALID", "must not lie in the future"));
        }
        let field = format!("care.{kind}_date");
        let programmes = load_running(self.db.pool(), estate).await?;
        let anchored = programmes
            .iter()
            .filter(|programme| programme.document.definitions.iter().any(|one| one.anchor == Anchor::Fact(field.clone())));
        let response = R::default();
        let timers = anchored.map(|programme| plan_timer(programme.id, estate, now)).collect();
        let effects = Effects { claim: self.claim(call, &response), events: Vec::new(), timers };
        match put_household_date(self.db.pool(), scoped, household, kind, date, &effects, now).await {
            Ok(()) => {
                self.db.wake(&effects);
                Ok(response)
            }
            Err(error) => self.failed(call, error).await,
        }
    }

    /// How much of an estate was spoken with in the month of a day (CA-30, F-08b). One trip, and one question to customer.
    pub(crate) async fn relationship_coverage(&self, access: &Access, estate: EstateId, day: Date) -> Result<Coverage> {
        access.scope.estate(estate)?;
        let now = self.clock.now();
        let rules = self.rules.of(estate, now).await?;
        let first = day.first_of_month();
        let zone = self.rules.estates.get(estate).await?;
        let (from, to) = (midnight(first, &zone.zone()?)?, midnight(first.saturating_add(1.month()), &zone.zone()?)?);
        let reached = reached(self.db.pool(), estate, from, to, &zone.time_zone).await?;
        // Active households: handed over by the first of the month. Those who are still prospects do not count.
        let bases = self.audience.bases(&[estate], first).await?;
        let base = bases.get(&estate.as_uuid()).map_or(0, |mean| mean.floor());
        let target = rules.terms.coverage.map_or(0, |(numerator, denominator)| {
            (base * i64::from(numerator) + i64::from(denominator) - 1) / i64::from(denominator.max(1))
        });
        Ok(Coverage { base, target, reached })
    }

    /// Says what position a manager holds. One trip.
    pub(crate) async fn set_officer<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        subject: &str,
        position: &str,
    ) -> Result<R> {
        let scoped = call.access.scope.estate(estate)?;
        let now = self.clock.now();
        let rules = self.rules.of(estate, now).await?;
        if !position.is_empty() && !rules.terms.face_to_face.contains_key(position) {
            let refusal = Error::invalid("position", "POSITION_UNKNOWN", "must be a position that the care policy has");
            return self.unless_repeated(call, refusal).await;
        }
        let response = R::default();
        let effects = Effects { claim: self.claim(call, &response), ..Effects::none() };
        match put_officer(self.db.pool(), scoped, subject, position, &effects, now).await {
            Ok(()) => Ok(response),
            Err(error) => self.failed(call, error).await,
        }
    }

    /// A page of managers with the talks of a year and what is missing (CA-50 to CA-52). One trip.
    pub(crate) async fn face_to_face_quotas(
        &self,
        access: &Access,
        estate: EstateId,
        year: i16,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Quota>> {
        let scoped = access.scope.estate(estate)?;
        let now = self.clock.now();
        let rules = self.rules.of(estate, now).await?;
        let first = Date::new(year, 1, 1).map_err(Error::internal)?;
        let (from, to) = (midnight(first, &rules.zone)?, midnight(first.saturating_add(1.year()), &rules.zone)?);
        let last = first.saturating_add(1.year()).saturating_sub(1.day());
        let warn_from = match &rules.terms.warn_before {
            Some(span) => Some(midnight(rules.shift(last, true, span)?, &rules.zone)?),
            None => None,
        };
        let officers = list_officers(self.db.pool(), scoped, from, to, after, limit).await?;
        let quota = |officer: crate::store::contacts::Officer| {
            let required = rules.terms.face_to_face.get(&officer.position).copied().unwrap_or_default();
            let standing = if officer.done_count >= i64::from(required) {
                "met"
            } else if now >= to {
                "missed"
            } else if warn_from.is_some_and(|from| now >= from) {
                "warning"
            } else {
                "open"
            };
            Quota {
                subject: officer.subject,
                position: officer.position,
                required,
                done: officer.done_count,
                not_conforming: officer.not_conforming_count,
                standing,
            }
        };
        Ok(officers.into_iter().map(quota).collect())
    }
}
