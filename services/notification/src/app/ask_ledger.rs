//! Contacts that others think of: the ledger's answer, counted or not.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use prost::Message;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId};
use steward_kit::{Error, Result};
use steward_kit_store::Effects;
use uuid::Uuid;

use super::App;
use super::compose::Place;
use super::judge_message::{LEDGER_TRIES, contact_key, contended, ledger_of, seen_heads};
use super::situations::{HouseholdNow, HouseholdQuestion};
use super::transact::Call;
use crate::domain::circumstances::{Circumstances, CustomerFacts};
use crate::domain::codes::{Class, EntryKind};
use crate::domain::ids::{ContactId, id_at};
use crate::domain::judge::{Asked, By, Decision, Judgement, judge};
use crate::domain::ledger::{Changes, Contact, Head};
use crate::store::contacts::{Standing, changes_json, is_contended, load_reserved, load_standing, write_contacts};
use crate::store::customers::load_all_facts;

/// A contact that somebody thinks of.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The contact; its time is set by whoever answers.
    pub(crate) contact: Contact,
    /// Whether the customer was chosen by traits.
    pub(crate) uses_profile: bool,
    /// When it is to be made; none means now.
    pub(crate) time: Option<Timestamp>,
}

/// The answer to a question.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) judgement: Judgement,
    /// The contact, when it counts from now on or did before.
    pub(crate) reservation: Option<ContactId>,
    /// Whether it was counted before.
    pub(crate) is_repeated: bool,
}

/// Households of one estate that are to be contacted for one thing: situations are asked for all of them at once.
type Group = (EstateId, Class, String);

/// What answering takes, but for what the ledger holds.
struct Known {
    places: HashMap<EstateId, Place>,
    customers: HashMap<CustomerId, CustomerFacts>,
    situations: HashMap<Group, HashMap<HouseholdId, HouseholdNow>>,
}

impl App {
    /// Answers without counting. Two trips, and a question to the customer service for each estate, class and topic whose
    /// policy has situations.
    pub(crate) async fn check_contacts(&self, questions: Vec<Question>) -> Result<Vec<Verdict>> {
        let now = self.clock.now();
        let questions = timed(questions, now);
        let known = self.known(&questions, now).await?;
        let mut standing = self.standing(&questions).await?;
        answer(&questions, &known, &mut standing, now).map(|(verdicts, _)| verdicts)
    }

    /// Answers and counts what is allowed. Three trips, two more for each time that others counted contacts with the same
    /// people meanwhile.
    pub(crate) async fn reserve_contacts<R: Message + Default>(
        &self,
        call: &Call<'_>,
        questions: Vec<Question>,
        response: impl Fn(&[Verdict]) -> R,
    ) -> Result<R> {
        let now = self.clock.now();
        let known = self.known(&timed(questions.clone(), now), now).await?;
        for _ in 0..LEDGER_TRIES {
            let now = self.clock.now();
            let questions = timed(questions.clone(), now);
            let mut standing = self.standing(&questions).await?;
            let seen = standing.clone();
            let (verdicts, mut changes) = answer(&questions, &known, &mut standing, now)?;
            changes.heads = seen_heads(&changes, &seen);
            let answered = response(&verdicts);
            let effects = Effects { claim: call.claim(&answered), ..Effects::none() };
            match write_contacts(self.db.pool(), changes_json(&changes, &call.actor(), contact_key), &effects, now).await {
                Ok(()) => return Ok(answered),
                Err(error) if is_contended(&error) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        Err(contended())
    }

    /// Gives reservations back that were not used, and answers which. Two trips.
    pub(crate) async fn release_contacts<R: Message + Default>(
        &self,
        call: &Call<'_>,
        ids: &[Uuid],
        reason: &str,
        response: impl Fn(&[ContactId]) -> R,
    ) -> Result<R> {
        let now = self.clock.now();
        let reserved = load_reserved(self.db.pool(), ids).await?;
        let released: Vec<ContactId> = reserved.iter().map(|(id, _)| *id).collect();
        let mut changes = Changes { released: released.clone(), ..Changes::default() };
        for (id, contact) in reserved {
            changes.note(EntryKind::Released, Some(id), contact, &[], now);
        }
        for entry in &mut changes.entries {
            reason.clone_into(&mut entry.note);
        }
        let answered = response(&released);
        let effects = Effects { claim: call.claim(&answered), ..Effects::none() };
        match write_contacts(self.db.pool(), changes_json(&changes, &call.actor(), contact_key), &effects, now).await {
            Ok(()) => Ok(answered),
            Err(error) => self.failed(call, error).await,
        }
    }

    async fn known(&self, questions: &[(Question, Timestamp)], now: Timestamp) -> Result<Known> {
        let mut places = HashMap::new();
        let mut groups: HashMap<Group, Vec<HouseholdId>> = HashMap::new();
        for (Question { contact, .. }, _) in questions {
            if let Entry::Vacant(unknown) = places.entry(contact.estate_id) {
                unknown.insert(self.place(contact.estate_id, now).await?);
            }
            groups.entry(group_of(contact)).or_default().extend(contact.household_id);
        }
        let customers: BTreeSet<Uuid> = questions.iter().filter_map(|(question, _)| question.contact.customer_id).collect();
        let customers = load_all_facts(self.db.pool(), &customers.into_iter().collect::<Vec<_>>()).await?;
        let mut situations = HashMap::new();
        for (group, households) in groups.into_iter().filter(|(_, households)| !households.is_empty()) {
            let place = places.get(&group.0).ok_or_else(|| Error::bug("an estate was not looked up"))?;
            let asked = HouseholdQuestion { class: group.1, topic: &group.2, only_if: None };
            situations.insert(group.clone(), self.ask_households(place, &asked, &households, now).await?);
        }
        Ok(Known { places, customers, situations })
    }

    async fn standing(&self, questions: &[(Question, Timestamp)]) -> Result<Standing> {
        let heads: BTreeSet<Head> = questions.iter().flat_map(|(question, _)| question.contact.heads().collect::<Vec<_>>()).collect();
        let keys: Vec<Vec<u8>> = questions.iter().map(|(question, _)| contact_key(&question.contact)).collect();
        let times = || questions.iter().map(|(_, at)| *at);
        let span = (times().min().unwrap_or(Timestamp::UNIX_EPOCH), times().max().unwrap_or(Timestamp::UNIX_EPOCH));
        load_standing(self.db.pool(), &heads.into_iter().collect::<Vec<_>>(), &keys, span).await
    }
}

fn group_of(contact: &Contact) -> Group {
    (contact.estate_id, contact.class, contact.topic.clone())
}

fn timed(questions: Vec<Question>, now: Timestamp) -> Vec<(Question, Timestamp)> {
    let at = |mut question: Question| {
        let time = question.time.unwrap_or(now).max(now);
        question.contact.time = time;
        (question, time)
    };
    questions.into_iter().map(at).collect()
}

/// Answers one after the other: what is allowed counts for those that follow. `standing` is changed by that.
fn answer(questions: &[(Question, Timestamp)], known: &Known, standing: &mut Standing, now: Timestamp) -> Result<(Vec<Verdict>, Changes)> {
    let mut changes = Changes::default();
    let mut verdicts = Vec::new();
    for (Question { contact, uses_profile, .. }, at) in questions {
        let place = known.places.get(&contact.estate_id).ok_or_else(|| Error::bug("an estate was not looked up"))?;
        let situations = known.situations.get(&group_of(contact)).zip(contact.household_id);
        let situations = situations.and_then(|(all, household)| all.get(&household)).map(|now| now.situations.clone()).unwrap_or_default();
        let what = Circumstances {
            zone: place.estate.zone()?,
            rule: place.rule(contact.class)?.clone(),
            customer: contact.customer_id.and_then(|id| known.customers.get(&CustomerId::from(id)).cloned()),
            ledger: ledger_of(place, contact, *uses_profile, situations, standing),
            audience: None,
        };
        let already = what.ledger.already;
        let judgement = judge(&Asked { class: contact.class, by: By::Other(contact.channel), at: *at }, &what, now);
        let mut reservation = None;
        match &judgement.decision {
            Decision::Send(_) => {
                let id = already.unwrap_or_else(|| id_at(now));
                if already.is_none() {
                    changes.counted.push((id, contact.clone(), EntryKind::Reserved));
                    changes.note(EntryKind::Reserved, Some(id), contact.clone(), &[], now);
                    standing.count(contact_key(contact), id, contact);
                }
                reservation = Some(id);
            }
            Decision::Defer(_) => changes.note(EntryKind::Deferred, None, contact.clone(), &judgement.reasons, now),
            Decision::Suppress(_) => changes.note(EntryKind::Refused, None, contact.clone(), &judgement.reasons, now),
        }
        verdicts.push(Verdict { judgement, reservation, is_repeated: already.is_some() });
    }
    Ok((verdicts, changes))
}
