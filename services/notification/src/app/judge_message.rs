//! A message before the ledger and before the conditions of its rule: what is known is gathered, the rules decide, and what
//! follows is planned.

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
        let contact = Contact::of_message(&message, now);
        let HouseholdNow { situations, audience } = self.household_now(place, &message, &contact, now).await?;
        let audience = message.content.only_if.is_some().then_some(audience);
        if !place.asks_ledger(&message) {
            let what = circumstances(place, &message, customer, ledger_alone(&message), audience)?;
            return Ok(plan(message, &what, key, now));
        }
        let heads: Vec<Head> = contact.heads().collect();
        let contact_key = contact_key(&contact);
        let standing = load_standing(self.db.pool(), &heads, std::slice::from_ref(&contact_key), (now, now)).await?;
        let ledger = ledger_of(place, &contact, message.content.uses_profile, situations, &standing);
        let what = circumstances(place, &message, customer, ledger, audience)?;
        let mut planned = plan(message, &what, key, now);
        planned.ledger.heads = seen_heads(&planned.ledger, &standing);
        Ok(planned)
    }

    /// How the household of a message stands. One that nobody named is in no situation and meets no condition.
    async fn household_now(&self, place: &Place, message: &Message, contact: &Contact, now: Timestamp) -> Result<HouseholdNow> {
        let Some(household) = contact.household_id else { return Ok(HouseholdNow::default()) };
        let only_if = message.content.only_if.as_ref().map(predicate).transpose()?;
        let asked = HouseholdQuestion { class: contact.class, topic: &contact.topic, only_if: only_if.as_ref() };
        let mut found = self.ask_households(place, &asked, &[household], now).await?;
        Ok(found.remove(&household).unwrap_or_default())
    }
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
