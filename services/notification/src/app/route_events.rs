//! Events become messages: to whom rules name, and to the webhook endpoints that asked for their type.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::error::Violations;
use steward_kit::ids::{CustomerId, EstateId, EventId, HouseholdId};
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use steward_proto::event::v1::Event;
use uuid::Uuid;

use super::App;
use super::compose::{Draft, Place, business_key};
use super::judge_message::{judge_alone, own_changes};
use crate::domain::circumstances::CustomerFacts;
use crate::domain::codes::{Channel, Class, MessageState, StepCode};
use crate::domain::delivery::Delivery;
use crate::domain::ids::{WebhookEndpointId, id_at};
use crate::domain::ledger::Changes;
use crate::domain::message::{Content, Message, Recipient, Step};
use crate::domain::plan::Planned;
use crate::domain::routing::{Condition, Facts, RoutingRule};
use crate::domain::template::TemplateVersion;
use crate::events::facts::{EventFacts, Payload};
use crate::events::publish;
use crate::store::customers::load_all_facts;
use crate::store::endpoints::load_subscribed;
use crate::store::new_messages::insert_messages;
use crate::store::rules::load_matching;
use crate::store::templates::load_active;

/// What an event says of itself.
struct Occasion<'a> {
    event: &'a Event,
    id: EventId,
    estate: EstateId,
    occur_time: Timestamp,
    payload: Payload,
}

impl<'a> Occasion<'a> {
    /// `None` for facts of the whole group: they concern no estate, and so nobody's inbox.
    fn of(event: &'a Event) -> Result<Option<Self>> {
        let (Some(payload), false) = (Payload::of(event)?, event.estate_id.is_empty()) else { return Ok(None) };
        let mut bad = Violations::new();
        let (id, estate) = (bad.id::<EventId>("id", &event.id), bad.id::<EstateId>("estate_id", &event.estate_id));
        let occur_time = bad.timestamp("occur_time", event.occur_time.as_ref());
        let (id, estate, occur_time) = bad.build(|| Some((id?, estate?, occur_time?)))?;
        Ok(Some(Self { event, id, estate, occur_time, payload }))
    }
}

/// An event with what it meets where it happened.
struct Meeting<'a> {
    occasion: &'a Occasion<'a>,
    place: Place,
    met: Vec<Met<'a>>,
    endpoints: Vec<WebhookEndpointId>,
}

impl App {
    /// Makes the messages of events on `tx`, each once (NT-40), and returns what follows. Five trips, however many events there are.
    pub(crate) async fn route_events(&self, tx: &mut PgConnection, events: &[&Event], now: Timestamp) -> Result<Effects> {
        let occasions = events.iter().filter_map(|event| Occasion::of(event).transpose()).collect::<Result<Vec<_>>>()?;
        let types: BTreeSet<&String> = occasions.iter().map(|occasion| &occasion.event.r#type).collect();
        let types: Vec<String> = types.into_iter().cloned().collect();
        let estates: BTreeSet<Uuid> = occasions.iter().map(|occasion| occasion.estate.as_uuid()).collect();
        let estates: Vec<Uuid> = estates.into_iter().collect();
        let rules = load_matching(&mut *tx, &types, &estates).await?;
        let endpoints = load_subscribed(&mut *tx, &types, &estates).await?;
        let mut meetings = Vec::new();
        for occasion in &occasions {
            let Occasion { event, estate, .. } = occasion;
            let rules: Vec<&RoutingRule> = rules.iter().filter(|rule| rule.holds_for(&event.r#type, *estate)).collect();
            let endpoints: Vec<_> = endpoints.iter().filter(|one| one.hears(&event.r#type, *estate)).map(|one| one.id).collect();
            if rules.is_empty() && endpoints.is_empty() {
                continue;
            }
            let place = match self.place(*estate, now).await {
                // The directory is behind: the estate's own event is on its way.
                Err(Error::NotFound { .. }) => {
                    return Err(Error::unavailable("estate directory", anyhow::anyhow!("estate {estate} is not known yet")));
                }
                other => other?,
            };
            let met = self.met(rules, occasion, &place, now)?;
            meetings.push(Meeting { occasion, place, met, endpoints });
        }
        if meetings.is_empty() {
            return Ok(Effects::none());
        }
        let keys: BTreeSet<&String> = meetings.iter().flat_map(|meeting| &meeting.met).map(|met| &met.template_key).collect();
        let templates = load_active(&mut *tx, &keys.into_iter().cloned().collect::<Vec<_>>()).await?;
        let told: BTreeSet<Uuid> = meetings.iter().flat_map(|meeting| self.customers(meeting)).collect();
        let customers = load_all_facts(&mut *tx, &told.into_iter().collect::<Vec<_>>()).await?;
        let mut planned = Vec::new();
        for meeting in &meetings {
            for met in &meeting.met {
                let Some(template) = templates.iter().find(|template| template.key == met.template_key) else {
                    // Only approved versions send (NT-23).
                    tracing::warn!(rule = met.rule.code, template = met.template_key, "a rule names a template without an active version");
                    continue;
                };
                self.plan(meeting, met, template, &customers, &mut planned, now)?;
            }
            for endpoint in &meeting.endpoints {
                planned.push(call(&meeting.place, meeting.occasion, *endpoint, now)?);
            }
        }
        self.write(tx, planned, now).await
    }

    /// The customers that an event is told to.
    fn customers(&self, meeting: &Meeting<'_>) -> Vec<Uuid> {
        let of_rule = |met: &Met<'_>| met.rule.document.find_recipients(&meeting.occasion.payload, &self.shipped.not_roles);
        meeting.met.iter().flat_map(of_rule).filter_map(|recipient| recipient.customer()).map(Uuid::from).collect()
    }

    /// The messages of one event by one rule.
    fn plan(
        &self,
        meeting: &Meeting<'_>,
        met: &Met<'_>,
        template: &TemplateVersion,
        customers: &HashMap<CustomerId, CustomerFacts>,
        planned: &mut Vec<Planned>,
        now: Timestamp,
    ) -> Result<()> {
        let Meeting { occasion, place, .. } = meeting;
        let (rule, payload) = (met.rule, &occasion.payload);
        let variables = rule.document.read_variables(payload);
        for recipient in rule.document.find_recipients(payload, &self.shipped.not_roles) {
            let customer = recipient.customer().map(|id| customers.get(&id).cloned().unwrap_or_default());
            let details = [
                ("routing_rule", rule.code.clone()),
                ("routing_rule_id", rule.id.to_string()),
                ("event_type", occasion.event.r#type.clone()),
                ("event_id", occasion.id.to_string()),
            ];
            let mut first_step = Step::new(now, StepCode::Routed, details);
            if !met.because.is_empty() {
                first_step.details.insert("because".to_owned(), met.because.clone());
            }
            let draft = Draft {
                recipient,
                template,
                variables: &variables,
                wanted: rule.document.channels.clone(),
                subject_kind: rule.document.subject_kind.clone(),
                subject_id: payload.first(&rule.document.subject_path).and_then(|id| Uuid::try_parse(&id).ok()),
                event_id: Some(occasion.id),
                routing_rule_id: Some(rule.id),
                broadcast_id: None,
                business_key: rule.document.find_key(payload).unwrap_or_else(|| occasion.id.to_string()),
                first_step,
                household_id: payload.first(&rule.document.household_path).and_then(|id| HouseholdId::parse(&id).ok()),
                class: payload.first(&rule.document.class_path).and_then(|class| Class::parse(&class)),
                uses_profile: false,
                occur_time: occasion.occur_time,
                not_before: None,
                only_if: met.only_if.clone(),
            };
            let composed = self.compose(place, draft, customer.as_ref(), now)?;
            // Nobody is asked inside this transaction: they may not answer, and then it is tried again.
            planned.push(if place.asks_others(&composed.message) {
                composed.queued(now)
            } else {
                judge_alone(place, composed.message, customer, composed.key, now)?
            });
        }
        Ok(())
    }

    /// The rules that an event meets.
    fn met<'a>(&self, rules: Vec<&'a RoutingRule>, occasion: &Occasion<'_>, place: &Place, now: Timestamp) -> Result<Vec<Met<'a>>> {
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
        broadcast_id: None,
        content: Content { payload: Some(payload), wanted: vec![Channel::Webhook], ..Content::default() },
        fact_time: Some(occasion.occur_time),
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
