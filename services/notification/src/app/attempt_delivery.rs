//! One attempt to deliver: claim, send, record.
//!
//! ```text
//! timer fires ── sets itself again for the end of the lease, if the delivery still waits
//!    └─> claim (1 trip) ─> send ─> record (1 trip): done | another attempt | next channel | dead
//! ```
//!
//! A process that dies between sending and recording leaves the timer of the lease: the attempt is made again, with the
//! same id (`webhook-id`, Message-ID), so the other side gets it at least once and can tell that it is the same.

use std::time::Duration;

use aws_lc_rs::rand;
use jiff::{SignedDuration, Timestamp};
use steward_kit::auth::Scope;
use steward_kit::client::peer_error;
use steward_kit::pii::Pii;
use steward_kit::{Error, Result};
use steward_kit_store::{StoreResult, store_error};
use steward_proto::customer::v1 as customer;

use super::judge_message::own_changes;
use super::{App, delivery_figures};
use crate::channels::mail::contact_answer;
use crate::domain::codes::{Channel, Class, MessageState, StepCode};
use crate::domain::delivery::{Answer, Conclusion, Delivery, Tried};
use crate::domain::ids::DeliveryId;
use crate::domain::ledger::of_progress;
use crate::domain::message::{Message, Step};
use crate::domain::policy::RetryRule;
use crate::domain::webhook::Secret;
use crate::events::publish;
use crate::store::customers::load_facts;
use crate::store::deliveries::load_delivery;
use crate::store::endpoints::{load_target, note_call};
use crate::store::messages::load_message;
use crate::store::work::{claim_delivery, save_progress};

/// How often recording is tried when the message changes under it (its reader reads it, say).
const RECORD_TRIES: u32 = 10;

impl App {
    /// How long an attempt may stay unreported before it is made again.
    pub(crate) fn lease(&self) -> SignedDuration {
        let longest = self.shipped.policy.policy.retries.values().map(|rule| rule.lease_seconds).max();
        SignedDuration::from_secs(longest.unwrap_or(60))
    }

    /// Makes one attempt, if the delivery is due and nobody else makes it. Three to five trips, and the call itself.
    pub(crate) async fn attempt_delivery(&self, id: DeliveryId) -> Result<()> {
        let start_time = self.clock.now();
        let until = start_time.saturating_add(self.lease()).map_err(Error::internal)?;
        let Some(delivery) = claim_delivery(self.db.pool(), id, start_time, until).await? else { return Ok(()) };
        let mut message = load_message(self.db.pool(), &Scope::system("an attempt to deliver"), delivery.message_id).await?;
        let place = self.place(delivery.estate_id, start_time).await?;
        let waited_unread = place.rule(message.class)?.fallback_when_unread.is_some() && delivery.attempt_count == 0;
        if waited_unread && message.state == MessageState::Read {
            return self.spare(delivery, &message, start_time).await;
        }
        if waited_unread {
            let details = [("channel", Channel::Inbox.to_string())];
            message.steps.push(Step::new(start_time, StepCode::Unread, details));
        }
        let rule = *place.policy.retries.get(&delivery.channel).ok_or_else(|| Error::bug("a channel without retries was queued"))?;
        let began = std::time::Instant::now();
        let answer = match self.still_allowed(&message, delivery.channel, place.rule(message.class)?.consent).await? {
            Some(forbidden) => forbidden,
            None => self.send(&delivery, &message, &rule, start_time).await?,
        };
        let duration_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.record(delivery, message, Tried { start_time, duration_ms, answer }, &rule).await
    }

    /// The message was read in the inbox: the channel that waited for that is not needed (NT-35). If the row changed
    /// meanwhile, the lease brings the attempt back.
    async fn spare(&self, mut delivery: Delivery, message: &Message, now: Timestamp) -> Result<()> {
        delivery.spare(now);
        let effects = publish::of_spared(&delivery);
        save_progress(self.db.pool(), &delivery, message, None, None, &effects, now).await.store()?;
        Ok(())
    }

    /// Consent may have been withdrawn while the delivery waited: it holds from that instant (NT-24).
    async fn still_allowed(
        &self,
        message: &Message,
        channel: Channel,
        consent: Option<crate::domain::codes::Purpose>,
    ) -> Result<Option<Answer>> {
        let (Some(purpose), Some(customer)) = (consent, message.recipient.customer()) else { return Ok(None) };
        let facts = load_facts(self.db.pool(), customer).await?;
        let forbidden = || Answer::ForGood { code: 0, detail: "consent was withdrawn".to_owned(), address_invalid: false };
        Ok((!facts.consents.contains(&(purpose, channel))).then(forbidden))
    }

    async fn send(&self, delivery: &Delivery, message: &Message, rule: &RetryRule, now: Timestamp) -> Result<Answer> {
        let timeout = Duration::from_secs(rule.timeout_seconds);
        match delivery.channel {
            Channel::Email => {
                let sending = self.send_mail(delivery, message);
                let late = || Answer::ForNow { code: 0, detail: "no answer in time".to_owned(), retry_after: None };
                Ok(tokio::time::timeout(timeout, sending).await.unwrap_or_else(|_| late()))
            }
            Channel::Webhook => self.call_endpoint(delivery, message, timeout, now).await,
            Channel::Inbox => Err(Error::bug("the inbox needs no attempt")),
        }
    }

    async fn send_mail(&self, delivery: &Delivery, message: &Message) -> Answer {
        let never = |detail: &str| Answer::ForGood { code: 0, detail: detail.to_owned(), address_invalid: false };
        let Some(text) = message.content.texts.get(&Channel::Email) else { return never("there is no text for mail") };
        match self.resolve_address(message).await {
            Ok(Some(address)) => self.mailer.send(delivery.id, &address, text).await,
            Ok(None) => never("the customer has no e-mail address that works"),
            Err(error) => contact_answer(&error),
        }
    }

    /// Asks the customer service for the address, for this message, with our own token. Never kept.
    async fn resolve_address(&self, message: &Message) -> Result<Option<Pii<String>>> {
        let Some(id) = message.recipient.customer() else { return Ok(None) };
        let purpose = match message.class {
            Class::Service | Class::Staff => customer::ContactPurpose::Service,
            Class::Care | Class::Survey => customer::ContactPurpose::Care,
            Class::Marketing => customer::ContactPurpose::Marketing,
            Class::Emergency => customer::ContactPurpose::Emergency,
        };
        let request = customer::ResolveContactRequest {
            customer_id: id.to_string(),
            purpose: purpose.into(),
            message_id: message.id.to_string(),
            fields: vec![customer::CustomerField::Email.into()],
        };
        let refused = |status: tonic::Status| {
            let is_unknown = status.code() == tonic::Code::NotFound;
            if is_unknown { Error::not_found("customer", id) } else { peer_error("customer", status) }
        };
        let answer = self.contacts.clone().resolve_contact(request).await.map_err(refused)?;
        let email = answer.into_inner().email;
        Ok((!email.is_empty()).then(|| Pii::new(email)))
    }

    async fn call_endpoint(&self, delivery: &Delivery, message: &Message, timeout: Duration, now: Timestamp) -> Result<Answer> {
        let gone = || Answer::ForGood { code: 0, detail: "the endpoint was removed or is gone".to_owned(), address_invalid: false };
        let (Some(endpoint), Some(body)) = (delivery.webhook_endpoint_id, message.content.payload.as_deref()) else { return Ok(gone()) };
        let Some(target) = load_target(self.db.pool(), endpoint, now).await? else { return Ok(gone()) };
        let mut secrets = Vec::new();
        for sealed in [Some(&target.secret), target.old_secret.as_ref()].into_iter().flatten() {
            secrets.push(Secret::from_bytes(self.cipher.open(super::webhook_endpoints::secret_place(endpoint), sealed)?.to_vec()));
        }
        let called = self.caller.call(&target.url, &secrets, delivery.id, body, timeout, now).await;
        let is_taken = match &called.answer {
            Answer::Taken { .. } => true,
            Answer::ForNow { .. } | Answer::ForGood { .. } => false,
        };
        if is_taken || called.is_gone {
            note_call(self.db.pool(), endpoint, called.is_gone, now).await?;
        }
        Ok(called.answer)
    }

    /// Records an attempt, again while the message changes under it.
    async fn record(&self, delivery: Delivery, message: Message, tried: Tried, rule: &RetryRule) -> Result<()> {
        let (mut delivery, mut message) = (delivery, message);
        for _ in 0..RECORD_TRIES {
            let now = self.clock.now();
            let (mut after, mut told) = (delivery.clone(), message.clone());
            let conclusion = after.conclude(&mut told, tried.clone(), rule, jitter(), now);
            let next = match &conclusion {
                Conclusion::Fallback(next) => Some(next.as_ref()),
                Conclusion::Done | Conclusion::Retry(_) | Conclusion::Failed { .. } => None,
            };
            let effects = publish::of_conclusion(&after, &told, &conclusion, now);
            let ledger = own_changes(&of_progress(&told, message.state, after.channel, now));
            if save_progress(self.db.pool(), &after, &told, next, ledger, &effects, now).await.store()? {
                self.db.wake(&effects);
                delivery_figures::concluded(&after, &tried, &conclusion, now);
                return Ok(());
            }
            let scope = Scope::system("an attempt to deliver");
            delivery = load_delivery(self.db.pool(), &scope, delivery.id).await?;
            message = load_message(self.db.pool(), &scope, message.id).await?;
        }
        Err(store_error(sqlx::Error::RowNotFound))
    }
}

/// Between -1 and 1.
fn jitter() -> f64 {
    let mut bytes = [0; 2];
    if rand::fill(&mut bytes).is_err() {
        return 0.0;
    }
    f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX) * 2.0 - 1.0
}
