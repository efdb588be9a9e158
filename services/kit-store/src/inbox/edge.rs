//! `DeadLetterService`, as every service that consumes events serves it.

use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::idempotency::RequestKey;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_proto::operation::v1 as pb;
use steward_proto::operation::v1::dead_letter_service_server::{DeadLetterService, DeadLetterServiceServer};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::dead_letter::{DeadLetter, DeadLetterId, LetterFilter, LetterState, Settlement};
use super::settle::{DeadLetters, Order};

/// How many letters `RedriveDeadLetters` tries when the caller does not say.
const USUAL_LIMIT: i64 = 50;

/// The gRPC service over a service's dead letters.
pub fn dead_letter_service(letters: DeadLetters, pages: PageTokens) -> DeadLetterServiceServer<DeadLetterEdge> {
    DeadLetterServiceServer::new(DeadLetterEdge::new(letters, pages))
}

/// Decodes, asks, encodes.
#[derive(Clone)]
pub struct DeadLetterEdge {
    letters: DeadLetters,
    pages: PageTokens,
}

impl DeadLetterEdge {
    /// The RPCs over a service's dead letters.
    pub fn new(letters: DeadLetters, pages: PageTokens) -> Self {
        Self { letters, pages }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl DeadLetterService for DeadLetterEdge {
    async fn list_dead_letters(&self, request: Request<pb::ListDeadLettersRequest>) -> Answer<pb::ListDeadLettersResponse> {
        let (access, mut request) = received(request)?;
        Violations::of(&request).finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListDeadLetters", &request);
        let page = self.pages.request(&query, size, &token)?;
        let state = match request.state() {
            pb::DeadLetterState::Unspecified | pb::DeadLetterState::Open => LetterState::Open,
            pb::DeadLetterState::Redriven => LetterState::Redriven,
            pb::DeadLetterState::Discarded => LetterState::Discarded,
        };
        let filter = LetterFilter { consumer: named(&request.consumer), state };
        let letters = self.letters.list(&access.scope, filter, &page).await?;
        let page = self.pages.page(&query, page.size, letters, |letter| letter.id)?;
        let dead_letters = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListDeadLettersResponse { dead_letters, next_page_token: page.next_page_token }))
    }

    async fn get_dead_letter(&self, request: Request<pb::GetDeadLetterRequest>) -> Answer<pb::GetDeadLetterResponse> {
        let (access, request) = received(request)?;
        let id = letter_id(Violations::of(&request), &request.dead_letter_id)?;
        let letter = self.letters.get(&access.scope, id).await?;
        Ok(Response::new(pb::GetDeadLetterResponse { dead_letter: Some(encode(&letter)) }))
    }

    async fn redrive_dead_letter(&self, request: Request<pb::RedriveDeadLetterRequest>) -> Answer<pb::RedriveDeadLetterResponse> {
        let (access, request) = received(request)?;
        let id = letter_id(Violations::of(&request), &request.dead_letter_id)?;
        let key = RequestKey::of(&access, "RedriveDeadLetter", &request, &request.request_id)?;
        let answer = |letter: &DeadLetter| pb::RedriveDeadLetterResponse { dead_letter: Some(encode(letter)) };
        Ok(Response::new(self.letters.redrive(&Order { access: &access, key }, id, answer).await?))
    }

    async fn redrive_dead_letters(&self, request: Request<pb::RedriveDeadLettersRequest>) -> Answer<pb::RedriveDeadLettersResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let after = bad.optional_id::<DeadLetterId>("after_dead_letter_id", &request.after_dead_letter_id);
        bad.finish()?;
        let key = RequestKey::of(&access, "RedriveDeadLetters", &request, &request.request_id)?;
        let limit = if request.limit == 0 { USUAL_LIMIT } else { request.limit.into() };
        let answer = |letters: &[DeadLetter], is_last| pb::RedriveDeadLettersResponse {
            dead_letters: letters.iter().map(encode).collect(),
            is_last,
        };
        let order = Order { access: &access, key };
        let after = after.map(DeadLetterId::as_uuid);
        Ok(Response::new(self.letters.redrive_all(&order, named(&request.consumer), after, limit, answer).await?))
    }

    async fn discard_dead_letter(&self, request: Request<pb::DiscardDeadLetterRequest>) -> Answer<pb::DiscardDeadLetterResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let reason = bad.text("reason", &request.reason);
        let id = letter_id(bad, &request.dead_letter_id)?;
        let key = RequestKey::of(&access, "DiscardDeadLetter", &request, &request.request_id)?;
        let answer = |letter: &DeadLetter| pb::DiscardDeadLetterResponse { dead_letter: Some(encode(letter)) };
        let order = Order { access: &access, key };
        Ok(Response::new(self.letters.discard(&order, id, reason.unwrap_or_default(), answer).await?))
    }
}

fn received<Q>(request: Request<Q>) -> Result<(Access, Q)> {
    let access = Access::of(&request)?.clone();
    Ok((access, request.into_inner()))
}

fn letter_id(mut bad: Violations, id: &str) -> Result<Uuid> {
    let id = bad.id::<DeadLetterId>("dead_letter_id", id);
    bad.build(|| id.map(DeadLetterId::as_uuid))
}

fn named(consumer: &str) -> Option<&str> {
    Some(consumer).filter(|name| !name.is_empty())
}

fn encode(letter: &DeadLetter) -> pb::DeadLetter {
    let text = |key: &str| letter.preview[key].as_str().unwrap_or_default().to_owned();
    let number = |key: &str| letter.preview[key].as_i64().unwrap_or_default();
    let (state, discard_reason) = match letter.settled.as_ref().map(|settled| &settled.how) {
        None => (pb::DeadLetterState::Open, String::new()),
        Some(Settlement::Redriven) => (pb::DeadLetterState::Redriven, String::new()),
        Some(Settlement::Discarded { reason }) => (pb::DeadLetterState::Discarded, reason.clone()),
    };
    pb::DeadLetter {
        id: letter.id.to_string(),
        consumer: letter.consumer.clone(),
        state: state.into(),
        event_id: letter.event_id.to_string(),
        event_type: text("type"),
        subject_id: text("subject"),
        estate_id: text("estate_id"),
        sequence: number("sequence"),
        occur_time: letter.preview["occur_time"].as_str().and_then(|time| time.parse().ok()).map(to_timestamp),
        payload_bytes: number("payload_bytes").max(number("unreadable_bytes")),
        cause: letter.cause.clone(),
        attempt_count: letter.attempt_count,
        create_time: Some(to_timestamp(letter.create_time)),
        settle_time: letter.settled.as_ref().map(|settled| to_timestamp(settled.time)),
        settled_by: letter.settled.as_ref().map(|settled| settled.by.clone()).unwrap_or_default(),
        discard_reason,
    }
}
