//! The RPCs of `ContactLedgerService`.

use std::sync::Arc;

use jiff::Timestamp;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::ids::{CustomerId, HouseholdId};
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_kit::{Error, Result};
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::contact_ledger_service_server::ContactLedgerService;
use tonic::{Request, Response};
use uuid::Uuid;

use super::request::{call, language, received};
use super::{Answer, messages};
use crate::app::{App, NewMessage, Question, Verdict};
use crate::contract::{Code, required};
use crate::domain::codes::Language;
use crate::domain::ids::ContactId;
use crate::domain::judge::{Decision, Reason};
use crate::domain::ledger::Contact;
use crate::domain::message::Message;
use crate::store::contact_entries::{ListedEntry, list_entries};

/// The service.
pub(crate) struct ContactLedger {
    app: Arc<App>,
    pages: PageTokens,
}

impl ContactLedger {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl ContactLedgerService for ContactLedger {
    async fn check_contacts(&self, request: Request<pb::CheckContactsRequest>) -> Answer<pb::CheckContactsResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let questions = questions(&mut bad, &request.contacts);
        bad.finish()?;
        in_scope(&access, &questions)?;
        let verdicts = self.app.check_contacts(questions).await?;
        Ok(Response::new(pb::CheckContactsResponse { verdicts: verdicts.iter().map(|verdict| encode(verdict, false)).collect() }))
    }

    async fn reserve_contacts(&self, request: Request<pb::ReserveContactsRequest>) -> Answer<pb::ReserveContactsResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ReserveContacts", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let questions = questions(&mut bad, &request.contacts);
        bad.finish()?;
        in_scope(&access, &questions)?;
        let encoded = |verdicts: &[Verdict]| verdicts.iter().map(|verdict| encode(verdict, true)).collect();
        let answer = |verdicts: &[Verdict]| pb::ReserveContactsResponse { verdicts: encoded(verdicts) };
        Ok(Response::new(self.app.reserve_contacts(&call, questions, answer).await?))
    }

    async fn release_contacts(&self, request: Request<pb::ReleaseContactsRequest>) -> Answer<pb::ReleaseContactsResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ReleaseContacts", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let ids = bad.ids::<ContactId>("reservation_ids", &request.reservation_ids);
        bad.finish()?;
        let ids: Vec<Uuid> = ids.into_iter().map(Uuid::from).collect();
        let answer =
            |released: &[ContactId]| pb::ReleaseContactsResponse { reservation_ids: released.iter().map(ToString::to_string).collect() };
        Ok(Response::new(self.app.release_contacts(&call, &ids, &request.reason, answer).await?))
    }

    async fn explain_contact(&self, request: Request<pb::ExplainContactRequest>) -> Answer<pb::ExplainContactResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let language = if request.language.is_empty() { Some(Language::Zh) } else { language(&mut bad, "language", &request.language) };
        let question = question(&mut bad, "contact", &request.contact.unwrap_or_default());
        let (language, question) = bad.build(|| Some((language?, question?)))?;
        in_scope(&access, std::slice::from_ref(&question))?;
        if let Some(customer) = question.contact.customer_id {
            self.app.customer_in_scope(&access, CustomerId::from(customer)).await?;
        }
        let verdict = self.app.check_contacts(vec![question]).await?.pop().ok_or_else(|| Error::bug("a question without an answer"))?;
        let steps = messages::encode_steps(&self.app.shipped.sentences, &verdict.judgement.steps, language);
        Ok(Response::new(pb::ExplainContactResponse { verdict: Some(encode(&verdict, false)), steps }))
    }

    async fn list_contacts(&self, request: Request<pb::ListContactsRequest>) -> Answer<pb::ListContactsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let household = bad.optional_id::<HouseholdId>("household_id", &request.household_id);
        let customer = bad.optional_id::<CustomerId>("customer_id", &request.customer_id);
        somebody(&mut bad, "household_id", household.is_some() || customer.is_some());
        bad.finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListContacts", &request);
        let page = self.pages.request(&query, size, &token)?;
        let whose = (household.map(Uuid::from), customer.map(Uuid::from));
        let entries = list_entries(self.app.db.pool(), &access.scope, whose, &page, self.app.clock.now()).await?;
        let page = self.pages.page(&query, page.size, entries, ListedEntry::key)?;
        let entries = page.rows.iter().map(encode_entry).collect();
        Ok(Response::new(pb::ListContactsResponse { entries, next_page_token: page.next_page_token }))
    }

    async fn send_emergency_message(&self, request: Request<pb::SendEmergencyMessageRequest>) -> Answer<pb::SendEmergencyMessageResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "SendEmergencyMessage", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let recipient = messages::recipient(&mut bad, request.recipient);
        let new = bad.build(|| {
            Some(NewMessage {
                estate: estate?,
                recipient: recipient?,
                template_key: request.template_key,
                variables: request.variables.into_iter().collect(),
                channels: Vec::new(),
                subject_kind: request.subject_kind,
                subject_id: Uuid::try_parse(&request.subject_id).ok(),
                business_key: String::new(),
                not_before: None,
                household: None,
                uses_profile: false,
                emergency: Some(request.reason),
            })
        })?;
        let answer = |message: &Message| pb::SendEmergencyMessageResponse { message: Some(messages::encode(message)) };
        Ok(Response::new(self.app.send_message(&call, new, answer).await?))
    }
}

fn in_scope(access: &Access, questions: &[Question]) -> Result<()> {
    for question in questions {
        access.scope.estate(question.contact.estate_id)?;
    }
    Ok(())
}

fn questions(bad: &mut Violations, given: &[pb::ContactQuestion]) -> Vec<Question> {
    given.iter().enumerate().filter_map(|(at, one)| question(bad, &format!("contacts[{at}]"), one)).collect()
}

fn question(bad: &mut Violations, at: &str, given: &pb::ContactQuestion) -> Option<Question> {
    let estate = bad.id(&format!("{at}.estate_id"), &given.estate_id);
    let household = bad.optional_id::<HouseholdId>(&format!("{at}.household_id"), &given.household_id);
    let customer = bad.optional_id::<CustomerId>(&format!("{at}.customer_id"), &given.customer_id);
    let class = required(bad, &format!("{at}.message_class"), given.message_class);
    let time = bad.optional_timestamp(&format!("{at}.contact_time"), given.contact_time.as_ref());
    somebody(bad, &format!("{at}.household_id"), household.is_some() || customer.is_some());
    let contact = Contact {
        estate_id: estate?,
        household_id: household,
        customer_id: customer.map(Uuid::from),
        class: class?,
        channel: Code::of_number(given.channel),
        subject_kind: given.subject_kind.clone(),
        subject_id: Uuid::try_parse(&given.subject_id).ok(),
        topic: given.topic.clone(),
        message_id: None,
        time: Timestamp::UNIX_EPOCH,
    };
    Some(Question { contact, uses_profile: given.uses_profile, time })
}

fn somebody(bad: &mut Violations, field: &str, is_named: bool) {
    if !is_named {
        bad.add(field, "NOBODY_NAMED", "a household or a customer must be named");
    }
}

/// `is_counted`: an allowed contact has a reservation. One that was only asked about has the reservation of before, if any.
fn encode(verdict: &Verdict, is_counted: bool) -> pb::ContactVerdict {
    let reasons = &verdict.judgement.reasons;
    let (outcome, until) = match &verdict.judgement.decision {
        Decision::Send(_) => (pb::ContactOutcome::Allowed, None),
        Decision::Defer(until) => (pb::ContactOutcome::Deferred, Some(*until)),
        Decision::Suppress(_) => {
            let ends = reasons.iter().all(|reason| reason.until.is_some());
            (pb::ContactOutcome::Refused, reasons.iter().filter_map(|reason| reason.until).max().filter(|_| ends))
        }
    };
    let reason = |reason: &Reason| pb::ContactReason {
        code: reason.code.clone(),
        rule: reason.rule.clone(),
        until_time: reason.until.map(to_timestamp),
    };
    let shows = is_counted || verdict.is_repeated;
    pb::ContactVerdict {
        outcome: outcome.into(),
        reservation_id: verdict.reservation.filter(|_| shows).map(|id| id.to_string()).unwrap_or_default(),
        until_time: until.map(to_timestamp),
        reasons: reasons.iter().map(reason).collect(),
        is_repeated: verdict.is_repeated,
    }
}

fn encode_entry(listed: &ListedEntry) -> pb::ContactEntry {
    let (entry, contact) = (&listed.entry, &listed.entry.contact);
    let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    pb::ContactEntry {
        id: entry.id.to_string(),
        reservation_id: text(entry.contact_id.map(Uuid::from)),
        estate_id: contact.estate_id.to_string(),
        household_id: text(contact.household_id.map(Uuid::from)),
        customer_id: text(contact.customer_id),
        kind: entry.kind.number(),
        message_class: contact.class.number(),
        channel: contact.channel.map_or(0, Code::number),
        subject_kind: contact.subject_kind.clone(),
        subject_id: text(contact.subject_id),
        topic: contact.topic.clone(),
        message_id: text(contact.message_id.map(Uuid::from)),
        reasons: entry.reasons.clone(),
        note: entry.note.clone(),
        actor: Some(listed.actor.wire()),
        contact_time: Some(to_timestamp(contact.time)),
        create_time: Some(to_timestamp(listed.create_time)),
    }
}
