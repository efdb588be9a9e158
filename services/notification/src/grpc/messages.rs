//! The RPCs of `MessageService`.

use std::sync::Arc;

use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::message_service_server::MessageService;
use steward_proto::notification::v1::recipient::Target as To;
use tonic::{Request, Response};
use uuid::Uuid;

use super::Answer;
use super::request::{call, language, received};
use crate::app::{App, NewMessage};
use crate::contract::{Code, all};
use crate::domain::codes::Language;
use crate::domain::message::{Message, Recipient, Step};
use crate::domain::sentences::Sentences;
use crate::store::messages::{MessageFilter, MessageKey, list_messages, load_message};

/// The service.
pub(crate) struct Messages {
    app: Arc<App>,
    pages: PageTokens,
}

impl Messages {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl MessageService for Messages {
    async fn send_message(&self, request: Request<pb::SendMessageRequest>) -> Answer<pb::SendMessageResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "SendMessage", &request, &request.request_id)?;
        let new = new_message(request)?;
        let answer = |message: &Message| pb::SendMessageResponse { message: Some(encode(message)) };
        Ok(Response::new(self.app.send_message(&call, new, answer).await?))
    }

    async fn get_message(&self, request: Request<pb::GetMessageRequest>) -> Answer<pb::GetMessageResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = bad.id("message_id", &request.message_id);
        let message = load_message(self.app.db.pool(), &access.scope, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetMessageResponse { message: Some(encode(&message)) }))
    }

    async fn list_messages(&self, request: Request<pb::ListMessagesRequest>) -> Answer<pb::ListMessagesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let filter = MessageFilter {
            estate: bad.optional_id("estate_id", &request.estate_id),
            customer: bad.optional_id("customer_id", &request.customer_id),
            subject: Uuid::try_parse(&request.subject_id).ok(),
            state: Code::of_number(request.state),
            class: Code::of_number(request.message_class),
            broadcast: bad.optional_id("broadcast_id", &request.broadcast_id),
        };
        bad.finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListMessages", &request);
        let page = self.pages.request(&query, size, &token)?;
        let messages = list_messages(self.app.db.pool(), &access.scope, &filter, &page, self.app.clock.now()).await?;
        let page = self.pages.page(&query, page.size, messages, MessageKey::of)?;
        let messages = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListMessagesResponse { messages, next_page_token: page.next_page_token }))
    }

    async fn explain_message(&self, request: Request<pb::ExplainMessageRequest>) -> Answer<pb::ExplainMessageResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = bad.id("message_id", &request.message_id);
        let language = if request.language.is_empty() { Some(Language::Zh) } else { language(&mut bad, "language", &request.language) };
        let (id, language) = bad.build(|| Some((id?, language?)))?;
        let message = load_message(self.app.db.pool(), &access.scope, id).await?;
        let steps = encode_steps(&self.app.shipped.sentences, &message.steps, language);
        Ok(Response::new(pb::ExplainMessageResponse { steps, message: Some(encode(&message)) }))
    }
}

fn new_message(request: pb::SendMessageRequest) -> Result<NewMessage> {
    let mut bad = Violations::of(&request);
    let estate = bad.id("estate_id", &request.estate_id);
    let recipient = recipient(&mut bad, request.recipient);
    let household = bad.optional_id("household_id", &request.household_id);
    let channels = all(&mut bad, "channels", &request.channels);
    let not_before = bad.optional_timestamp("not_before_time", request.not_before_time.as_ref());
    bad.build(|| {
        Some(NewMessage {
            estate: estate?,
            recipient: recipient?,
            template_key: request.template_key,
            variables: request.variables.into_iter().collect(),
            channels,
            subject_kind: request.subject_kind,
            subject_id: Uuid::try_parse(&request.subject_id).ok(),
            business_key: request.business_key,
            not_before,
            household,
            uses_profile: request.uses_profile,
            emergency: None,
        })
    })
}

/// The steps of a decision, each with its sentence.
pub(super) fn encode_steps(sentences: &Sentences, steps: &[Step], language: Language) -> Vec<pb::MessageStep> {
    let said = (1..).zip(steps).map(|(sequence, step)| pb::MessageStep {
        sequence,
        occur_time: Some(to_timestamp(step.occur_time)),
        code: step.code.number(),
        text: sentences.say(step, language),
        details: step.details.clone().into_iter().collect(),
    });
    said.collect()
}

/// Whom a message is for.
pub(super) fn recipient(bad: &mut Violations, given: Option<pb::Recipient>) -> Option<Recipient> {
    match given.and_then(|recipient| recipient.target) {
        Some(To::CustomerId(id)) => bad.id("recipient.customer_id", &id).map(Recipient::Customer),
        Some(To::StaffSubject(subject)) => Some(Recipient::Staff(subject)),
        Some(To::StaffRole(role)) => Some(Recipient::Role(role)),
        Some(To::WebhookEndpointId(_)) => {
            bad.add("recipient.webhook_endpoint_id", "RECIPIENT_FORBIDDEN", "webhooks are told events, not messages");
            None
        }
        None => bad.required("recipient", None),
    }
}

pub(super) fn encode(message: &Message) -> pb::Message {
    let target = match &message.recipient {
        Recipient::Customer(id) => To::CustomerId(id.to_string()),
        Recipient::Staff(subject) => To::StaffSubject(subject.clone()),
        Recipient::Role(role) => To::StaffRole(role.clone()),
        Recipient::Webhook(id) => To::WebhookEndpointId(id.to_string()),
    };
    let (title, body) = message.content.shown().map(|text| (text.title.clone(), text.body.clone())).unwrap_or_default();
    pb::Message {
        id: message.id.to_string(),
        estate_id: message.estate_id.to_string(),
        recipient: Some(pb::Recipient { target: Some(target) }),
        message_class: message.class.number(),
        template_key: message.template_key.clone(),
        template_version: message.template_version,
        language: message.language.map(|language| language.to_string()).unwrap_or_default(),
        state: message.state.number(),
        suppress_reason: message.suppress_reason.map_or(0, Code::number),
        defer_until_time: message.defer_until.map(to_timestamp),
        subject_kind: message.subject_kind.clone(),
        subject_id: message.subject_id.map(|id| id.to_string()).unwrap_or_default(),
        event_id: message.event_id.map(|id| id.to_string()).unwrap_or_default(),
        routing_rule_id: message.routing_rule_id.map(|id| id.to_string()).unwrap_or_default(),
        title,
        body,
        create_time: Some(to_timestamp(message.create_time)),
        update_time: Some(to_timestamp(message.update_time)),
        household_id: message.household_id.map(|id| id.to_string()).unwrap_or_default(),
        broadcast_id: message.broadcast_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}
