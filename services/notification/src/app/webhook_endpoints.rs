//! Webhook endpoints: made, given a new secret, removed. A secret is told once and never stored in an answer.

use jiff::SignedDuration;
use prost::Message;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::App;
use super::transact::{Call, TRIES, Target};
use crate::domain::ids::WebhookEndpointId;
use crate::domain::webhook::{Secret, WebhookEndpoint};
use crate::events::facts::event_descriptor;
use crate::store::endpoints::{delete_endpoint, insert_endpoint, load_endpoint, rotate_secret};

/// What a caller registers.
#[derive(Debug)]
pub(crate) struct NewEndpoint {
    pub(crate) url: String,
    pub(crate) description: String,
    pub(crate) estates: Vec<EstateId>,
    pub(crate) event_types: Vec<String>,
}

/// Where a secret is sealed for.
pub(super) fn secret_place(endpoint: WebhookEndpointId) -> String {
    format!("notification.webhook_endpoints/{endpoint}/secret")
}

impl App {
    /// Registers an endpoint. One trip. `answer` gets the secret for the caller, and none for the claim.
    pub(crate) async fn create_webhook_endpoint<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewEndpoint,
        answer: impl Fn(&WebhookEndpoint, Option<&Secret>) -> R,
    ) -> Result<R> {
        let mut bad = Violations::new();
        if let Err(why) = self.caller.guard().url(&new.url) {
            bad.add("url", "URL_FORBIDDEN", why);
        }
        for (at, kind) in new.event_types.iter().enumerate().filter(|(_, kind)| event_descriptor(kind).is_none()) {
            bad.add(format!("event_types[{at}]"), "EVENT_TYPE_UNKNOWN", format!("no published fact has the type {kind}"));
        }
        bad.finish()?;
        for estate in &new.estates {
            self.estates.get(call.access.scope.estate(*estate)?.id()).await?;
        }
        let now = self.clock.now();
        let secret = Secret::generate()?;
        let endpoint = WebhookEndpoint {
            id: WebhookEndpointId::new(),
            url: new.url,
            description: new.description,
            estate_ids: new.estates,
            event_types: new.event_types,
            secret_hint: secret.hint(),
            old_secret_end_time: None,
            last_success_time: None,
            gone_time: None,
            row_version: 1,
            create_time: now,
            update_time: now,
        };
        let sealed = self.cipher.seal(secret_place(endpoint.id), secret.bytes());
        let effects = Effects { claim: call.claim(&answer(&endpoint, None)), ..Effects::none() };
        match insert_endpoint(self.db.pool(), &endpoint, &sealed, &effects, now).await {
            Ok(()) => Ok(answer(&endpoint, Some(&secret))),
            Err(error) => self.failed(call, error).await,
        }
    }

    /// Gives an endpoint a new secret; the present one signs too for `overlap`. Two trips.
    pub(crate) async fn rotate_webhook_endpoint_secret<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target<WebhookEndpointId>,
        overlap: SignedDuration,
        answer: impl Fn(&WebhookEndpoint, Option<&Secret>) -> R,
    ) -> Result<R> {
        let scope = &call.access.scope;
        for _ in 0..TRIES {
            let mut endpoint = load_endpoint(self.db.pool(), scope, target.id).await?;
            let before = endpoint.row_version;
            if target.is_stale(before) {
                break;
            }
            let now = self.clock.now();
            let secret = Secret::generate()?;
            endpoint.secret_hint = secret.hint();
            endpoint.old_secret_end_time = overlap.is_positive().then(|| now.saturating_add(overlap).unwrap_or(now));
            endpoint.row_version += 1;
            endpoint.update_time = now;
            let sealed = self.cipher.seal(secret_place(endpoint.id), secret.bytes());
            let effects = Effects { claim: call.claim(&answer(&endpoint, None)), ..Effects::none() };
            match rotate_secret(self.db.pool(), scope, &endpoint, before, &sealed, &effects, now).await {
                Ok(true) => return Ok(answer(&endpoint, Some(&secret))),
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "webhook endpoint" }).await
    }

    /// Removes an endpoint. Two trips. Deliveries that wait die at their next attempt.
    pub(crate) async fn delete_webhook_endpoint<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target<WebhookEndpointId>,
    ) -> Result<R> {
        let scope = &call.access.scope;
        for _ in 0..TRIES {
            let endpoint = match load_endpoint(self.db.pool(), scope, target.id).await {
                Ok(endpoint) => endpoint,
                Err(refusal) => return self.unless_repeated(call, refusal).await,
            };
            if target.is_stale(endpoint.row_version) {
                break;
            }
            let now = self.clock.now();
            let effects = Effects { claim: call.claim(&R::default()), ..Effects::none() };
            match delete_endpoint(self.db.pool(), scope, &endpoint, &effects, now).await {
                Ok(true) => return Ok(R::default()),
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "webhook endpoint" }).await
    }
}
