//! A message that a caller asks for. The rules of its class hold as for any other.

use std::collections::BTreeMap;

use jiff::Timestamp;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::App;
use super::compose::{Draft, business_key};
use super::transact::Call;
use crate::domain::codes::{Channel, StepCode};
use crate::domain::message::{Message, Recipient, Step};
use crate::events::publish;
use crate::store::customers::{is_in_scope, load_facts};
use crate::store::messages::{insert_messages, load_by_key};

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
}

impl App {
    /// Sends a message, or answers the first one with its business key (NT-40). Three trips, four for a customer: the
    /// template, the customer's scope and facts, the message with its claim.
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
        let mut bad = Violations::new();
        template.check_given("variables", &new.variables, &mut bad);
        bad.finish()?;
        let now = self.clock.now();
        let place = self.place(estate, now).await?;
        // Without a key of the caller's own the request is the event.
        let business = if new.business_key.is_empty() {
            format!("request:{}:{}", call.key.principal, call.key.request_id)
        } else {
            format!("key:{estate}:{}", new.business_key)
        };
        let key = business_key(&business, &new.recipient, &template.key);
        let draft = Draft {
            recipient: new.recipient,
            template: &template,
            variables: &new.variables,
            wanted: new.channels,
            subject_kind: new.subject_kind,
            subject_id: new.subject_id,
            event_id: None,
            routing_rule_id: None,
            business_key: business,
            first_step: Step::new(now, StepCode::Requested, [("by", call.key.principal.clone())]),
            occur_time: now,
            not_before: new.not_before,
        };
        let planned = self.compose(&place, draft, customer, now)?;
        let response = answer(&planned.message);
        let effects = Effects { claim: call.claim(&response), ..publish::of_planned(&planned, now) };
        match insert_messages(self.db.pool(), std::slice::from_ref(&planned), Some(effects.json(now))).await {
            Ok(created) if !created.is_empty() => {
                self.db.wake(&effects);
                self.wakes.inbox();
                Ok(response)
            }
            Ok(_) => self.answer_first(call, &key, answer).await,
            Err(error) => self.failed(call, error).await,
        }
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
