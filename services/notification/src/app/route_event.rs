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
use crate::domain::routing::{Condition, Facts, RoutingRule};
use crate::events::facts::{EventFacts, Payload};
use crate::events::publish;
use crate::store::customers::load_facts;
use crate::store::endpoints::load_subscribed;
use crate::store::new_messages::insert_messages;
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
        let met = self.met(&rules, &occasion, &place, now)?;
        let keys: Vec<String> = met.iter().map(|met| met.template_key.clone()).collect();
        let templates = load_active(&mut *tx, &keys).await?;
        let mut planned = Vec::new();
        for Met { rule, template_key, because, only_if } in met {
            let Some(template) = templates.iter().find(|template| template.key == template_key) else {
                // Only approved versions send (NT-23).
                tracing::warn!(rule = rule.code, template = template_key, "a rule names a template without an active version");
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
                let mut first_step = Step::new(now, StepCode::Routed, details);
                if !because.is_empty() {
                    first_step.details.insert("because".to_owned(), because.clone());
                }
                let draft = Draft {
                    recipient,
                    template,
                    variables: &variables,
                    wanted: rule.document.channels.clone(),
                    subject_kind: rule.document.subject_kind.clone(),
                    subject_id: payload.first(&rule.document.subject_path).and_then(|id| Uuid::try_parse(&id).ok()),
                    event_id: Some(id),
                    routing_rule_id: Some(rule.id),
                    broadcast_id: None,
                    business_key: rule.document.find_key(payload).unwrap_or_else(|| id.to_string()),
                    first_step,
                    household_id: payload.first(&rule.document.household_path).and_then(|id| HouseholdId::parse(&id).ok()),
                    class: payload.first(&rule.document.class_path).and_then(|class| Class::parse(&class)),
                    uses_profile: false,
                    occur_time,
                    not_before: None,
                    only_if: only_if.clone(),
                };
                let composed = self.compose(&place, draft, customer.as_ref(), now)?;
                // Nobody is asked inside this transaction: they may not answer, and then it is tried again.
                planned.push(if place.asks_others(&composed.message) {
                    composed.queued(now)
                } else {
                    judge_alone(&place, composed.message, customer, composed.key, now)?
                });
            }
        }
        for endpoint in endpoints {
            planned.push(call(&place, &occasion, endpoint, occur_time, now)?);
        }
        self.write(tx, planned, now).await
    }

    /// The rules that an event meets.
    fn met<'a>(&self, rules: &'a [RoutingRule], occasion: &Occasion<'_>, place: &Place, now: Timestamp) -> Result<Vec<Met<'a>>> {
        let zone = place.estate.zone()?;
        let (payload, today) = (&occasion.payload, now.to_zoned(zone.clone()).date());
        let facts = EventFacts { payload, zone: &zone };
        let mut met = Vec::new();
        for rule in rules {
            let ready = self.conditions.of(rule, &payload.descriptor())?;
            let finding = ready.as_ref().and_then(|ready| Some(ready.event.as_ref()?.evaluate(&facts, today)));
            if finding.as_ref().is_some_and(|finding| !finding.holds()) {
                continue;
            }
            let reasons = finding.into_iter().flat_map(|finding| finding.reasons);
            met.push(Met {
                rule,
                template_key: rule.document.find_template(&rule.template_key, payload),
                because: reasons.map(|reason| format!("{} = {}", reason.field, reason.fact)).collect::<Vec<_>>().join(", "),
                only_if: ready.and_then(|ready| ready.household.clone()),
            });
        }
        Ok(met)
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

/// A rule whose conditions on the event hold.
struct Met<'a> {
    rule: &'a RoutingRule,
    template_key: String,
    /// What decided it, for people; empty where the rule asks nothing.
    because: String,
    /// What must hold of the household when the message is sent.
    only_if: Option<Condition>,
}

/// The message to an endpoint: the fact itself, no text, no rule that could hold it back.
fn call(place: &Place, occasion: &Occasion<'_>, endpoint: WebhookEndpointId, occur_time: Timestamp, now: Timestamp) -> Result<Planned> {
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
        broadcast_id: None,
        content: Content { payload: Some(payload), wanted: vec![Channel::Webhook], ..Content::default() },
        fact_time: Some(occur_time),
        held_until: None,
        hand_over_time: None,
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
