//! An event becomes messages: to whom rules name, and to the webhook endpoints that asked for its type.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::error::Violations;
use steward_kit::ids::{EstateId, EventId, HouseholdId};
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use steward_proto::event::v1::Event;
use uuid::Uuid;

use super::App;
use super::compose::{Draft, Place, business_key};
use super::judge_message::{judge_alone, own_changes};
use crate::domain::codes::{Channel, Class, MessageState, StepCode};
use crate::domain::delivery::Delivery;
use crate::domain::ids::{WebhookEndpointId, id_at};
use crate::domain::ledger::Changes;
use crate::domain::message::{Content, Message, Recipient, Step};
use crate::domain::plan::Planned;
use crate::domain::routing::{Facts, RoutingRule};
use crate::events::facts::Payload;
use crate::events::publish;
use crate::store::customers::load_facts;
use crate::store::endpoints::load_subscribed;
use crate::store::messages::insert_messages;
use crate::store::rules::load_matching;
use crate::store::templates::load_active;

/// What an event says of itself.
struct Occasion<'a> {
    event: &'a Event,
    id: EventId,
    payload: Payload,
}

impl App {
    /// Makes the messages of one event on `tx`, each once (NT-40), and returns what follows. Four trips, and one for each
    /// customer told.
    pub(crate) async fn route_event(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        // Facts of the whole group concern no estate, and so nobody's inbox.
        let (Some(payload), false) = (Payload::of(event)?, event.estate_id.is_empty()) else { return Ok(Effects::none()) };
        let mut bad = Violations::new();
        let (id, estate) = (bad.id::<EventId>("id", &event.id), bad.id::<EstateId>("estate_id", &event.estate_id));
        let occur_time = bad.timestamp("occur_time", event.occur_time.as_ref());
        let (id, estate, occur_time) = bad.build(|| Some((id?, estate?, occur_time?)))?;
        let occasion = Occasion { event, id, payload };

        let rules = load_matching(&mut *tx, &event.r#type, estate).await?;
        let endpoints = load_subscribed(&mut *tx, &event.r#type, estate).await?;
        if rules.is_empty() && endpoints.is_empty() {
            return Ok(Effects::none());
        }
        let place = match self.place(estate, now).await {
            // The directory is behind: the estate's own event is on its way.
            Err(Error::NotFound { .. }) => {
                return Err(Error::unavailable("estate directory", anyhow::anyhow!("estate {estate} is not known yet")));
            }
            other => other?,
        };
        let met: Vec<(&RoutingRule, String)> = rules
            .iter()
            .filter(|rule| rule.document.is_met_by(&occasion.payload))
            .map(|rule| (rule, rule.document.find_template(&rule.template_key, &occasion.payload)))
            .collect();
        let keys: Vec<String> = met.iter().map(|(_, key)| key.clone()).collect();
        let templates = load_active(&mut *tx, &keys).await?;
        let mut planned = Vec::new();
        for (rule, key) in met {
            let Some(template) = templates.iter().find(|template| template.key == key) else {
                // Only approved versions send (NT-23).
                tracing::warn!(rule = rule.code, template = key, "a rule names a template without an active version");
                continue;
            };
            let payload = &occasion.payload;
            let variables = rule.document.read_variables(payload);
            for recipient in rule.document.find_recipients(payload, &self.shipped.not_roles) {
                let customer = match recipient.customer() {
                    Some(id) => Some(load_facts(&mut *tx, id).await?),
                    None => None,
                };
                let details = [
                    ("routing_rule", rule.code.clone()),
                    ("routing_rule_id", rule.id.to_string()),
                    ("event_type", event.r#type.clone()),
                    ("event_id", id.to_string()),
                ];
                let draft = Draft {
                    recipient,
                    template,
                    variables: &variables,
                    wanted: rule.document.channels.clone(),
                    subject_kind: rule.document.subject_kind.clone(),
                    subject_id: payload.first(&rule.document.subject_path).and_then(|id| Uuid::try_parse(&id).ok()),
                    event_id: Some(id),
                    routing_rule_id: Some(rule.id),
                    business_key: rule.document.find_key(payload).unwrap_or_else(|| id.to_string()),
                    first_step: Step::new(now, StepCode::Routed, details),
                    household_id: payload.first(&rule.document.household_path).and_then(|id| HouseholdId::parse(&id).ok()),
                    class: payload.first(&rule.document.class_path).and_then(|class| Class::parse(&class)),
                    uses_profile: false,
                    occur_time,
                    not_before: None,
                };
                let composed = self.compose(&place, draft, customer.as_ref(), now)?;
                // The ledger is not asked inside this transaction: it may have to ask others, and to try again.
                planned.push(if place.asks_ledger(&composed.message) {
                    composed.queued(now)
                } else {
                    judge_alone(&place, composed.message, customer, composed.key, now)?
                });
            }
        }
        for endpoint in endpoints {
            planned.push(call(&place, &occasion, endpoint, now)?);
        }
        self.write(tx, planned, now).await
    }

    /// Writes new messages and keeps the effects of those that were.
    async fn write(&self, tx: &mut PgConnection, planned: Vec<Planned>, now: Timestamp) -> Result<Effects> {
        if planned.is_empty() {
            return Ok(Effects::none());
        }
        let mut ledger = Changes::default();
        for one in &planned {
            ledger.entries.extend(one.ledger.entries.iter().cloned());
        }
        let created = insert_messages(tx, &planned, own_changes(&ledger), None, now).await.store()?;
        let is_new = |one: &&Planned| created.contains(&one.message.id.as_uuid());
        let mut effects = Effects::none();
        for one in planned.iter().filter(is_new) {
            effects.merge(publish::of_planned(one, now));
        }
        // An event is taken in once, so its messages are new unless other facts had said the same: whoever asked is told.
        effects.events.extend(planned.iter().filter(|one| !is_new(one)).map(|one| publish::repeated(&one.message, now)));
        self.wakes.inbox();
        Ok(effects)
    }
}

/// The message to an endpoint: the fact itself, no text, no rule that could hold it back.
fn call(place: &Place, occasion: &Occasion<'_>, endpoint: WebhookEndpointId, now: Timestamp) -> Result<Planned> {
    let recipient = Recipient::Webhook(endpoint);
    let key = business_key(&occasion.id.to_string(), &recipient, "");
    let payload = occasion.payload.webhook_body(occasion.event)?;
    let details = [
        ("routing_rule", "webhook_endpoint".to_owned()),
        ("event_type", occasion.event.r#type.clone()),
        ("event_id", occasion.id.to_string()),
    ];
    let message = Message {
        id: id_at(now),
        estate_id: place.estate.id,
        recipient,
        class: Class::Service,
        template_key: String::new(),
        template_version: 0,
        language: None,
        state: MessageState::Queued,
        suppress_reason: None,
        defer_until: None,
        subject_kind: String::new(),
        subject_id: Uuid::try_parse(&occasion.event.subject).ok(),
        event_id: Some(occasion.id),
        household_id: None,
        routing_rule_id: None,
        content: Content { payload: Some(payload), wanted: vec![Channel::Webhook], ..Content::default() },
        steps: vec![
            Step::new(now, StepCode::Routed, details),
            Step::new(now, StepCode::ChannelChosen, [("channel", Channel::Webhook.to_string())]),
        ],
        row_version: 1,
        create_time: now,
        update_time: now,
    };
    let deliveries = vec![Delivery::new(&message, Channel::Webhook, now, now)];
    Ok(Planned { message, deliveries, key, ledger: Changes::default() })
}
