//! A message that a caller asks for. The rules of its class hold as for any other.

use std::collections::BTreeMap;

use jiff::Timestamp;
use steward_kit::error::Violations;
use steward_kit::ids::{EstateId, HouseholdId};
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::App;
use super::compose::{Draft, business_key, waiting};
use super::judge_message::{LEDGER_TRIES, contact_key, contended};
use super::transact::Call;
use crate::domain::codes::{Channel, Class, StepCode};
use crate::domain::message::{Message, Recipient, Step};
use crate::domain::plan::Planned;
use crate::domain::template::TemplateVersion;
use crate::events::publish;
use crate::store::contacts::{changes_json, is_contended};
use crate::store::customers::{is_in_scope, load_facts};
use crate::store::messages::load_by_key;
use crate::store::new_messages::insert_messages;

/// What sending past the ledger takes.
pub(super) const OVERRIDE: &str = "contact.override_emergency";

/// What to send to whom.
#[derive(Debug)]
pub(crate) struct NewMessage {
    pub(crate) estate: EstateId,
    pub(crate) recipient: Recipient,
    pub(crate) template_key: String,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) subject_kind: String,
    pub(crate) subject_id: Option<Uuid>,
    pub(crate) business_key: String,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) household: Option<HouseholdId>,
    pub(crate) uses_profile: bool,
    /// What the danger is; the template must be one for emergencies then, and may not be one without it.
    pub(crate) emergency: Option<String>,
}

impl App {
    /// Sends a message, or answers the first one with its business key (NT-40). Three trips, four for a customer, five where
    /// caps count: the template, the customer's scope and facts, the ledger, the message with its claim.
    pub(crate) async fn send_message<R: prost::Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewMessage,
        answer: impl Fn(&Message) -> R,
    ) -> Result<R> {
        let estate = call.access.scope.estate(new.estate)?.id();
        let customer = match new.recipient.customer() {
            Some(id) if is_in_scope(self.db.pool(), &call.access.scope, id).await? => Some(load_facts(self.db.pool(), id).await?),
            Some(id) => return Err(Error::not_found("customer", id)),
            None => None,
        };
        let template = match self.active_template(&new.template_key).await {
            Ok(template) => template,
            Err(refusal) => return self.unless_repeated(call, refusal).await,
        };
        may_say(call, template.class, new.emergency.is_some())?;
        let mut bad = Violations::new();
        template.check_given("variables", &new.variables, &mut bad);
        bad.finish()?;
        // Without a key of the caller's own the request is the event.
        let business = if new.business_key.is_empty() {
            format!("request:{}:{}", call.key.principal, call.key.request_id)
        } else {
            format!("key:{estate}:{}", new.business_key)
        };
        let key = business_key(&business, &new.recipient, &template.key);
        for _ in 0..LEDGER_TRIES {
            let now = self.clock.now();
            let place = self.place(estate, now).await?;
            let composed = self.compose(&place, draft(call, &new, &template, &business, now), customer.as_ref(), now)?;
            let mut planned = match composed.not_before {
                Some(until) => waiting(composed.message, until, composed.key, now),
                None => self.judge_message(&place, composed.message, customer.clone(), composed.key, now).await?,
            };
            if let Some(reason) = &new.emergency {
                note_emergency(&mut planned, call, reason);
            }
            let response = answer(&planned.message);
            let effects = Effects { claim: call.claim(&response), ..publish::of_planned(&planned, now) };
            let ledger = changes_json(&planned.ledger, &call.actor(), contact_key);
            match insert_messages(self.db.pool(), std::slice::from_ref(&planned), ledger, Some(effects.json(now)), now).await {
                Ok(created) if !created.is_empty() => {
                    self.db.wake(&effects);
                    self.wakes.inbox();
                    return Ok(response);
                }
                Ok(_) => return self.answer_first(call, &key, answer).await,
                Err(error) if is_contended(&error) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        Err(contended())
    }

    /// The message that has the business key already; the request is claimed for it.
    async fn answer_first<R: prost::Message + Default>(&self, call: &Call<'_>, key: &[u8], answer: impl Fn(&Message) -> R) -> Result<R> {
        let first = load_by_key(self.db.pool(), &call.access.scope, key).await?;
        let response = answer(&first.ok_or_else(|| Error::bug("a business key without its message"))?);
        // A repetition of the first request itself has its claim already: nothing to write then.
        match self.unless_repeated::<R>(call, Error::bug("not claimed yet")).await {
            Ok(stored) => return Ok(stored),
            Err(Error::Internal(_)) => {}
            Err(other) => return Err(other),
        }
        let claim = Effects { claim: call.claim(&response), ..Effects::none() };
        let now = self.clock.now();
        let mut connection = self.db.pool().acquire().await.store()?;
        claim.write(&self.db, &mut connection, now).await?;
        Ok(response)
    }
}

/// A template for emergencies goes out past every rule, so it takes a permission of its own; nothing else takes that way.
pub(super) fn may_say(call: &Call<'_>, class: Class, is_emergency: bool) -> Result<()> {
    match (class == Class::Emergency, is_emergency) {
        (true, true) | (false, false) => Ok(()),
        (true, false) => Err(call.access.deny(OVERRIDE)),
        (false, true) => Err(Error::invalid("template_key", "TEMPLATE_NOT_EMERGENCY", "must be a template of class emergency")),
    }
}

fn draft<'a>(call: &Call<'_>, new: &'a NewMessage, template: &'a TemplateVersion, business: &str, now: Timestamp) -> Draft<'a> {
    let by = ("by", call.key.principal.clone());
    let first_step = match &new.emergency {
        Some(reason) => Step::new(now, StepCode::Overridden, [by, ("reason", reason.clone())]),
        None => Step::new(now, StepCode::Requested, [by]),
    };
    Draft {
        recipient: new.recipient.clone(),
        template,
        variables: &new.variables,
        wanted: new.channels.clone(),
        subject_kind: new.subject_kind.clone(),
        subject_id: new.subject_id,
        event_id: None,
        routing_rule_id: None,
        broadcast_id: None,
        business_key: business.to_owned(),
        first_step,
        household_id: new.household,
        class: None,
        uses_profile: new.uses_profile,
        occur_time: now,
        not_before: new.not_before,
        only_if: None,
    }
}

/// The ledger and the audit log keep who went past the rules, and why.
fn note_emergency(planned: &mut Planned, call: &Call<'_>, reason: &str) {
    planned.ledger.override_for(reason);
    tracing::warn!(
        target: "audit",
        subject = call.access.principal.subject,
        permission = OVERRIDE,
        message = %planned.message.id,
        estate = %planned.message.estate_id,
        reason,
        "an emergency message goes past the contact ledger"
    );
}
