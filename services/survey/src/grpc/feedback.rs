//! The RPCs of `FeedbackService`.

use std::sync::Arc;

use steward_kit::Error;
use steward_kit::error::Violations;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::feedback_service_server::FeedbackService;
use tonic::{Request, Response};

use super::request::{call, given, id, received, target};
use super::{Answer, encode};
use crate::app::App;
use crate::contract::{Code, required};
use crate::domain::codes::FeedbackState;
use crate::domain::ids::FeedbackItemId;
use crate::domain::{Decision, FeedbackItem, NewFeedback};
use crate::store::records::{RecordFilter, RecordKey, list_adopted, list_own_feedback, list_uncollated};

/// The service.
pub(crate) struct Feedback {
    app: Arc<App>,
    pages: PageTokens,
}

impl Feedback {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

/// A verb on an item.
macro_rules! verb {
    ($request:ident, $method:literal, $answer:ident, |$call:ident, $target:ident, $reply:ident| $do:expr) => {{
        let (access, $request) = received($request)?;
        let call = call(&access, $method, &$request, &$request.request_id)?;
        let mut bad = Violations::of(&$request);
        let target = target(&mut bad, "feedback_item_id", &$request.feedback_item_id, &$request.etag);
        let $target = bad.build(|| target)?;
        let $call = &call;
        let $reply = |changed: &FeedbackItem| pb::$answer { feedback_item: Some(encode::feedback(changed)) };
        Ok(Response::new($do.await?))
    }};
}

#[tonic::async_trait]
impl FeedbackService for Feedback {
    async fn submit_feedback(&self, request: Request<pb::SubmitFeedbackRequest>) -> Answer<pb::SubmitFeedbackResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "SubmitFeedback", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let source = required(&mut bad, "source", request.source);
        let customer_id = bad.optional_id("customer_id", &request.customer_id);
        let household_id = bad.optional_id("household_id", &request.household_id);
        let text = bad.text("text", &request.text);
        let receive_time = bad.optional_timestamp("receive_time", request.receive_time.as_ref());
        let new = bad.build(|| {
            Some(NewFeedback {
                estate_id: estate?,
                source: source?,
                customer_id,
                household_id,
                text: text?.into(),
                topic: request.topic_code.clone(),
                source_ref: String::new(),
                receive_time: receive_time.unwrap_or_else(|| self.app.clock.now()),
            })
        })?;
        let answer = |made: &FeedbackItem| pb::SubmitFeedbackResponse { feedback_item: Some(encode::feedback(made)) };
        Ok(Response::new(self.app.submit_feedback(&call, new, answer).await?))
    }

    async fn collate_feedback(&self, request: Request<pb::CollateFeedbackRequest>) -> Answer<pb::CollateFeedbackResponse> {
        verb!(request, "CollateFeedback", CollateFeedbackResponse, |call, target, reply| {
            self.app.collate_feedback(call, target, &request.topic_code, reply)
        })
    }

    async fn assess_feedback(&self, request: Request<pb::AssessFeedbackRequest>) -> Answer<pb::AssessFeedbackResponse> {
        verb!(request, "AssessFeedback", AssessFeedbackResponse, |call, target, reply| {
            self.app.assess_feedback(call, target, &request.owner_role, reply)
        })
    }

    async fn adopt_feedback(&self, request: Request<pb::AdoptFeedbackRequest>) -> Answer<pb::AdoptFeedbackResponse> {
        verb!(request, "AdoptFeedback", AdoptFeedbackResponse, |call, target, reply| {
            self.app.decide_feedback(call, target, Decision::Adopt, &request.reason, reply)
        })
    }

    async fn decline_feedback(&self, request: Request<pb::DeclineFeedbackRequest>) -> Answer<pb::DeclineFeedbackResponse> {
        verb!(request, "DeclineFeedback", DeclineFeedbackResponse, |call, target, reply| {
            self.app.decide_feedback(call, target, Decision::Decline, &request.reason, reply)
        })
    }

    async fn complete_feedback(&self, request: Request<pb::CompleteFeedbackRequest>) -> Answer<pb::CompleteFeedbackResponse> {
        verb!(request, "CompleteFeedback", CompleteFeedbackResponse, |call, target, reply| {
            self.app.complete_feedback(call, target, &request.public_reply, reply)
        })
    }

    async fn get_feedback(&self, request: Request<pb::GetFeedbackRequest>) -> Answer<pb::GetFeedbackResponse> {
        let (access, request) = received(request)?;
        let id: FeedbackItemId = id(&request, "feedback_item_id", &request.feedback_item_id)?;
        let item: FeedbackItem = self.app.load(&access, id).await?;
        Ok(Response::new(pb::GetFeedbackResponse { feedback_item: Some(encode::feedback(&item)) }))
    }

    async fn list_feedback(&self, request: Request<pb::ListFeedbackRequest>) -> Answer<pb::ListFeedbackResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.optional_id("estate_id", &request.estate_id);
        if given(&request.estate_id).is_none() && access.scope.own_customer().is_none() {
            bad.add("estate_id", "required", "must be given by those who are no customer");
        }
        bad.finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListFeedback", &request);
        let page = self.pages.request(&query, size, &token)?;
        let state = FeedbackState::of_number(request.state).map(FeedbackState::as_str);
        let (pool, cipher) = (self.app.db.pool(), self.app.cipher());
        let rows: Vec<FeedbackItem> = match (estate, access.scope.own_customer_id()) {
            (Some(estate), _) if request.overdue_only => {
                list_uncollated(pool, cipher, &access.scope, access.scope.estate(estate)?, &page).await?
            }
            (Some(estate), _) => self.app.list(&access, access.scope.estate(estate)?, RecordFilter { state, parent: None }, &page).await?,
            (None, Some(customer)) => list_own_feedback(pool, cipher, &access.scope, customer, state, &page).await?,
            (None, None) => return Err(Error::bug("a list of nobody's feedback").into()),
        };
        let page = self.pages.page(&query, page.size, rows, RecordKey::of)?;
        let feedback_items = page.rows.iter().map(encode::feedback).collect();
        Ok(Response::new(pb::ListFeedbackResponse { feedback_items, next_page_token: page.next_page_token }))
    }

    async fn list_adopted_feedback(&self, request: Request<pb::ListAdoptedFeedbackRequest>) -> Answer<pb::ListAdoptedFeedbackResponse> {
        let (access, mut request) = received(request)?;
        let estate = access.scope.estate(id(&request, "estate_id", &request.estate_id)?)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListAdoptedFeedback", &request);
        let page = self.pages.request(&query, size, &token)?;
        let rows = list_adopted(self.app.db.pool(), self.app.cipher(), estate, &page).await?;
        let page = self.pages.page(&query, page.size, rows, RecordKey::of)?;
        // No names and no words of customers: the bulletin is for everybody.
        let entry = |item: &FeedbackItem| pb::AdoptedFeedback {
            feedback_item_id: item.id.to_string(),
            topic_code: item.topic.clone(),
            state: item.state.number(),
            public_reply: item.public_reply.clone(),
            decide_time: item.decide_time.map(to_timestamp),
        };
        let entries = page.rows.iter().map(entry).collect();
        Ok(Response::new(pb::ListAdoptedFeedbackResponse { entries, next_page_token: page.next_page_token }))
    }

    async fn summarise_feedback(&self, request: Request<pb::SummariseFeedbackRequest>) -> Answer<pb::SummariseFeedbackResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let from = bad.date("from_date", &request.from_date);
        let to = bad.date("to_date", &request.to_date);
        let (estate, from, to) = bad.build(|| Some((estate?, from?, to?)))?;
        let counts = self.app.summarise_feedback(access.scope.estate(estate)?, from, to).await?;
        let item_count: i64 = counts.iter().map(|(_, count)| count).sum();
        let topic = |(topic_code, item_count_of): (String, i64)| pb::TopicCount {
            topic_code,
            item_count: item_count_of,
            share_millionths: item_count_of * 1_000_000 / item_count.max(1),
        };
        Ok(Response::new(pb::SummariseFeedbackResponse { topics: counts.into_iter().map(topic).collect(), item_count }))
    }
}
