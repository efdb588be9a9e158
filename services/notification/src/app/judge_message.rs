//! A message before the ledger and before the conditions of its rule: what is known is gathered, the rules decide, and what
//! follows is planned.

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use jiff::Timestamp;
use steward_kit::Result;
use steward_kit::error::Error;

use super::App;
use super::compose::Place;
use super::situations::{HouseholdNow, HouseholdQuestion};
use crate::domain::circumstances::{Audience, Circumstances, CustomerFacts, Ledger};
use crate::domain::codes::{Actor, ActorKind};
use crate::domain::ledger::{Changes, Contact, Head};
use crate::domain::message::Message;
use crate::domain::plan::{Planned, plan};
use crate::rule_condition::predicate;
use crate::store::contacts::{Standing, changes_json, load_standing};

/// How often a contact is judged anew because others counted contacts with the same people meanwhile. Each time somebody
/// else got one of at most a cap's worth of places, so this ends long before.
pub(super) const LEDGER_TRIES: u32 = 50;

/// A message that is to be judged, and what is known for that.
pub(super) struct Unjudged {
    pub(super) message: Message,
    /// What makes it single.
    pub(super) key: Vec<u8>,
    pub(super) customer: Option<CustomerFacts>,
    /// How its household stands.
    pub(super) household: HouseholdNow,
}

impl App {
    /// Judges a message with what the ledger holds, without writing. One trip, a second for a class that caps count, and one
    /// question to the customer service where its rule is for some households only, or a situation may forbid it. Where that
    /// service does not answer, nothing is decided.
    pub(super) async fn judge_message(
        &self,
        place: &Place,
        message: Message,
        customer: Option<CustomerFacts>,
        key: Vec<u8>,
        now: Timestamp,
    ) -> Result<Planned> {
        if !place.asks_others(&message) {
            return judge_alone(place, message, customer, key, now);
        }
        let household = self.household_now(place, &message, now).await?;
        let judged = self.judge_messages(place, vec![Unjudged { message, key, customer, household }], now).await?;
        judged.into_iter().next().ok_or_else(|| Error::bug("a message was judged and is gone"))
    }

    /// Judges messages of one place whose households were asked about, one after the other: what is sent counts for those that
    /// follow. One trip where caps count, none otherwise.
    pub(super) async fn judge_messages(&self, place: &Place, messages: Vec<Unjudged>, now: Timestamp) -> Result<Vec<Planned>> {
        let asking: Vec<Contact> =
            messages.iter().filter(|one| place.asks_ledger(&one.message)).map(|one| Contact::of_message(&one.message, now)).collect();
        let mut standing = Standing::default();
        if !asking.is_empty() {
            let heads: BTreeSet<Head> = asking.iter().flat_map(|contact| contact.heads().collect::<Vec<_>>()).collect();
            let keys: Vec<Vec<u8>> = asking.iter().map(contact_key).collect();
            standing = load_standing(self.db.pool(), &heads.into_iter().collect::<Vec<_>>(), &keys, (now, now)).await?;
        }
        messages.into_iter().map(|one| judge_next(place, one, &mut standing, now)).collect()
    }

    /// How the household of a message stands. One that nobody named is in no situation and meets no condition.
    async fn household_now(&self, place: &Place, message: &Message, now: Timestamp) -> Result<HouseholdNow> {
        let Some(household) = message.household_id else { return Ok(HouseholdNow::default()) };
        let only_if = message.content.only_if.as_ref().map(predicate).transpose()?;
        let asked = HouseholdQuestion { class: message.class, topic: &message.template_key, only_if: only_if.as_ref() };
        let mut found = self.ask_households(place, &asked, &[household], now).await?;
        Ok(found.remove(&household).unwrap_or_default())
    }
}

/// Judges a message with what the ledger holds, and counts it there for the next one if it is sent.
fn judge_next(place: &Place, one: Unjudged, standing: &mut Standing, now: Timestamp) -> Result<Planned> {
    let Unjudged { message, key, customer, household: HouseholdNow { situations, audience } } = one;
    let audience = message.content.only_if.is_some().then_some(audience);
    let ledger = if place.asks_ledger(&message) {
        ledger_of(place, &Contact::of_message(&message, now), message.content.uses_profile, situations, standing)
    } else {
        ledger_alone(&message)
    };
    let what = circumstances(place, &message, customer, ledger, audience)?;
    let mut planned = plan(message, &what, key, now);
    // Versions stay those that were read, whatever is counted here.
    planned.ledger.heads = seen_heads(&planned.ledger, standing);
    for (id, contact, _) in &planned.ledger.counted {
        standing.count(contact_key(contact), *id, contact);
    }
    Ok(planned)
}

/// Judges a message that no cap counts, no situation forbids and no condition holds back. No trip.
pub(super) fn judge_alone(
    place: &Place,
    message: Message,
    customer: Option<CustomerFacts>,
    key: Vec<u8>,
    now: Timestamp,
) -> Result<Planned> {
    let what = circumstances(place, &message, customer, ledger_alone(&message), None)?;
    Ok(plan(message, &what, key, now))
}

/// What the ledger need not be asked for.
fn ledger_alone(message: &Message) -> Ledger {
    Ledger {
        household: message.household_id,
        person: message.recipient.customer().map(Into::into),
        uses_profile: message.content.uses_profile,
        ..Ledger::default()
    }
}

fn circumstances(
    place: &Place,
    message: &Message,
    customer: Option<CustomerFacts>,
    ledger: Ledger,
    audience: Option<Audience>,
) -> Result<Circumstances> {
    let mut rule = place.rule(message.class)?.clone();
    // A channel without a text in the template can say nothing.
    rule.channels.retain(|channel| message.content.texts.contains_key(channel));
    Ok(Circumstances { zone: place.estate.zone()?, rule, customer, ledger, audience })
}

/// What the ledger holds of a contact.
pub(super) fn ledger_of(place: &Place, contact: &Contact, uses_profile: bool, situations: Vec<String>, standing: &Standing) -> Ledger {
    let caps = place.policy.caps_of(contact.class, &contact.subject_kind, &contact.topic);
    let contacts = |scope: &str| {
        let head = contact.heads().find(|head| head.scope == scope);
        head.map(|head| standing.contacts(head).to_vec()).unwrap_or_default()
    };
    Ledger {
        household: contact.household_id,
        person: contact.customer_id,
        uses_profile,
        already: standing.already(&contact_key(contact)),
        caps: caps.map(|(code, cap)| (code.to_owned(), cap.clone())).collect(),
        household_contacts: contacts("household"),
        person_contacts: contacts("person"),
        situations,
    }
}

/// The heads of what is counted, in the versions that were seen.
pub(super) fn seen_heads(changes: &Changes, standing: &Standing) -> Vec<(Head, i64)> {
    let mut heads: Vec<Head> = changes.counted.iter().flat_map(|(_, contact, _)| contact.heads().collect::<Vec<_>>()).collect();
    heads.sort_unstable();
    heads.dedup();
    heads.into_iter().map(|head| (head, standing.version(head))).collect()
}

/// What makes a contact single.
pub(super) fn contact_key(contact: &Contact) -> Vec<u8> {
    digest::digest(&digest::SHA256, contact.identity().as_bytes()).as_ref().to_vec()
}

/// Changes that this service makes of its own accord, for the statement that writes them.
pub(super) fn own_changes(changes: &Changes) -> Option<serde_json::Value> {
    let us = Actor { kind: ActorKind::Service, subject: "service.notification".to_owned() };
    changes_json(changes, &us, contact_key)
}

/// Too many reserve with the same people.
pub(super) fn contended() -> Error {
    Error::unavailable("contact ledger", anyhow::anyhow!("contacts with the same households are counted all the time"))
}
