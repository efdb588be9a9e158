//! One page of a broadcast: whom it reaches, and what becomes of each.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use steward_kit::client::peer_error;
use steward_kit::error::Violations;
use steward_kit::ids::{CustomerId, HouseholdId};
use steward_kit::{Error, Result};
use steward_proto::common::v1::Predicate;
use steward_proto::customer::v1 as customer;
use uuid::Uuid;

use super::App;
use super::compose::{Draft, Place, Written, business_key};
use super::judge_message::Unjudged;
use super::run_broadcast::Run;
use super::situations::{HouseholdNow, HouseholdQuestion, exclusions_of};
use crate::domain::broadcast::{Broadcast, EstateProgress};
use crate::domain::circumstances::CustomerFacts;
use crate::domain::codes::StepCode;
use crate::domain::ledger::Changes;
use crate::domain::message::{Recipient, Step};
use crate::domain::plan::Planned;
use crate::rule_condition::predicate;
use crate::store::customers::load_all_facts;
use crate::store::new_messages::taken_keys;

/// Most households of a page.
const PAGE: i32 = 1000;

/// Most exclusions of one question.
const EXCLUSIONS: usize = 20;

/// A household that is to be told.
#[derive(Clone, Debug)]
struct Member {
    household: HouseholdId,
    customer: CustomerId,
    /// Codes of situations that forbid it.
    situations: Vec<String>,
}

/// The households of a page, sorted out.
pub(super) struct Told {
    /// The estate with this page.
    pub(super) listed: EstateProgress,
    /// Whom a message is made for; each person once.
    members: Vec<Member>,
    facts: HashMap<CustomerId, CustomerFacts>,
}

/// Why the customer service leaves a household out.
enum Reason {
    /// The caller's exclusion, by its code: it is counted.
    Exclusion(String),
    /// A situation of the policy, by its code: its message is made, and suppressed.
    Situation(String),
}

/// Households as the customer service lists them.
struct Listing {
    households: Vec<(HouseholdId, Option<CustomerId>, Vec<String>)>,
    excluded: Vec<String>,
    next: String,
}

impl App {
    /// Lists the households of a page and sorts them out: each is told, left out, without contact, or told through another.
    pub(super) async fn list_page(&self, run: &Run, place: &Place) -> Result<Told> {
        let broadcast = &run.broadcast;
        let listing = self.list_households(run, place).await?;
        let people: BTreeSet<Uuid> = listing.households.iter().filter_map(|(_, customer, _)| customer.map(Uuid::from)).collect();
        let people: Vec<Uuid> = people.into_iter().collect();
        let facts = load_all_facts(self.db.pool(), &people).await?;
        // Before the first message nobody was told.
        let keys: Vec<Vec<u8>> = people.iter().filter(|_| broadcast.message_count > 0).map(|id| key_of(broadcast, (*id).into())).collect();
        let taken = if keys.is_empty() { HashSet::new() } else { taken_keys(self.db.pool(), &keys).await? };
        let mut listed = EstateProgress { is_done: listing.next.is_empty(), page_token: listing.next, ..run.listed.clone() };
        let mut members = Vec::new();
        let mut seen = HashSet::new();
        for code in listing.excluded {
            listed.household_count += 1;
            listed.exclude(&code);
        }
        for (household, customer, situations) in listing.households {
            listed.household_count += 1;
            match customer {
                None => listed.without_contact_count += 1,
                Some(customer) if taken.contains(&key_of(broadcast, customer)) || !seen.insert(customer) => listed.told_already_count += 1,
                Some(customer) => {
                    listed.message_count += 1;
                    members.push(Member { household, customer, situations });
                }
            }
        }
        Ok(Told { listed, members, facts })
    }

    /// Asks for the households of a page. Situations of the policy ride along as exclusions: the same question tells who is in one.
    /// Where both are too many, a question of its own is asked. Exclusions go by their place: a situation may be called as the
    /// caller's exclusion is.
    async fn list_households(&self, run: &Run, place: &Place) -> Result<Listing> {
        let (broadcast, document) = (&run.broadcast, &run.broadcast.document);
        let topic = &broadcast.template_key;
        let mut reasons = Vec::new();
        for exclusion in &document.exclusions {
            reasons.push((Reason::Exclusion(exclusion.code.clone()), predicate(&exclusion.when)?));
        }
        let situations = exclusions_of(place, broadcast.class, topic);
        let rides_along = reasons.len() + situations.len() <= EXCLUSIONS;
        if rides_along {
            reasons.extend(situations.into_iter().filter_map(|one| Some((Reason::Situation(one.code), one.predicate?))));
        }
        let exclusion = |(at, (_, predicate)): (usize, &(Reason, Predicate))| customer::AudienceExclusion {
            code: at.to_string(),
            predicate: Some(predicate.clone()),
        };
        let request = customer::ListAudienceMembersRequest {
            estate_id: run.listed.estate_id.to_string(),
            predicate: document.audience.as_ref().map(predicate).transpose()?,
            exclusions: reasons.iter().enumerate().map(exclusion).collect(),
            // Predicates and situations speak of today, however long a broadcast was paused.
            as_of_date: String::new(),
            page_size: PAGE,
            page_token: run.listed.page_token.clone(),
            fact_fields: Vec::new(),
        };
        let answer = self.members.clone().list_audience_members(request).await.map_err(|status| peer_error("customer", status))?;
        let mut listing = read(answer.into_inner(), &reasons)?;
        if !rides_along {
            let households: Vec<HouseholdId> = listing.households.iter().map(|(household, ..)| *household).collect();
            let asked = HouseholdQuestion { class: broadcast.class, topic, only_if: None };
            let mut found = self.ask_households(place, &asked, &households, self.clock.now()).await?;
            for (household, _, situations) in &mut listing.households {
                *situations = found.remove(household).map(|now| now.situations).unwrap_or_default();
            }
        }
        Ok(listing)
    }

    /// Writes and judges the messages of a page, and what the ledger is told of them.
    pub(super) async fn judge_page(&self, run: &Run, place: &Place, told: &Told, now: Timestamp) -> Result<(Vec<Planned>, Changes)> {
        let mut written = Written::new();
        let mut messages = Vec::with_capacity(told.members.len());
        for member in &told.members {
            let customer = Some(told.facts.get(&member.customer).cloned().unwrap_or_default());
            let composed = self.compose_one_of(place, draft(run, member, now), customer.as_ref(), &mut written, now)?;
            let household = HouseholdNow { situations: member.situations.clone(), ..HouseholdNow::default() };
            messages.push(Unjudged { message: composed.message, key: composed.key, customer, household });
        }
        let mut planned = self.judge_messages(place, messages, now).await?;
        let ledger = Changes::of_all(planned.iter_mut().map(|one| std::mem::take(&mut one.ledger)));
        Ok((planned, ledger))
    }
}

/// What all messages of a broadcast have in common as their event (NT-40).
fn business_of(broadcast: &Broadcast) -> String {
    format!("broadcast:{}", broadcast.id)
}

fn key_of(broadcast: &Broadcast, customer: CustomerId) -> Vec<u8> {
    business_key(&business_of(broadcast), &Recipient::Customer(customer), &broadcast.template_key)
}

fn draft<'a>(run: &'a Run, member: &Member, now: Timestamp) -> Draft<'a> {
    let Run { broadcast, template, .. } = run;
    let by = ("by", broadcast.creator().map(|creator| creator.subject).unwrap_or_default());
    let of = ("broadcast_id", broadcast.id.to_string());
    let first_step = match &broadcast.document.emergency_reason {
        Some(reason) => Step::new(now, StepCode::Overridden, [by, of, ("reason", reason.clone())]),
        None => Step::new(now, StepCode::Requested, [by, of]),
    };
    Draft {
        recipient: Recipient::Customer(member.customer),
        template,
        variables: &broadcast.document.variables,
        wanted: broadcast.document.channels.clone(),
        subject_kind: broadcast.subject_kind.clone(),
        subject_id: broadcast.subject_id,
        event_id: None,
        routing_rule_id: None,
        broadcast_id: Some(broadcast.id),
        business_key: business_of(broadcast),
        first_step,
        household_id: Some(member.household),
        class: None,
        uses_profile: broadcast.document.uses_profile,
        occur_time: broadcast.start_time,
        not_before: None,
        only_if: None,
    }
}

fn read(answer: customer::ListAudienceMembersResponse, reasons: &[(Reason, Predicate)]) -> Result<Listing> {
    let mut bad = Violations::new();
    let mut households = Vec::with_capacity(answer.members.len());
    let mut excluded = Vec::new();
    let mut household = |id: &str, contact: &str, situations: Vec<String>| {
        let household = bad.id("members.household_id", id);
        let contact = bad.optional_id("members.customer_id", contact);
        households.extend(household.map(|household| (household, contact, situations)));
    };
    for member in &answer.members {
        household(&member.household_id, &member.customer_id, Vec::new());
    }
    for left_out in answer.excluded {
        match left_out.code.parse().ok().and_then(|at: usize| reasons.get(at)) {
            Some((Reason::Situation(code), _)) => household(&left_out.household_id, &left_out.customer_id, vec![code.clone()]),
            Some((Reason::Exclusion(code), _)) => excluded.push(code.clone()),
            None => return Err(Error::bug("customer left a household out for a reason that it was not given")),
        }
    }
    bad.finish().map_err(|error| Error::bug(format_args!("customer listed a household that cannot be read: {error:?}")))?;
    Ok(Listing { households, excluded, next: answer.next_page_token })
}
