//! The RPCs of `ConsentService`.

use std::sync::Arc;

use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::ids::CustomerId;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::consent_service_server::ConsentService;
use tonic::{Request, Response};

use super::Answer;
use super::request::{call, language, received};
use crate::app::{App, NewConsent};
use crate::contract::{Code, required};
use crate::domain::consent::Consent;
use crate::store::consents::{ConsentKey, list_consents};

/// The service.
pub(crate) struct Consents {
    app: Arc<App>,
    pages: PageTokens,
}

impl Consents {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl ConsentService for Consents {
    async fn give_consent(&self, request: Request<pb::GiveConsentRequest>) -> Answer<pb::GiveConsentResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "GiveConsent", &request, &request.request_id)?;
        let new = new_consent(request)?;
        let answer = |consent: &Consent| pb::GiveConsentResponse { consent: Some(encode(consent)) };
        Ok(Response::new(self.app.give_consent(&call, new, answer).await?))
    }

    async fn withdraw_consent(&self, request: Request<pb::WithdrawConsentRequest>) -> Answer<pb::WithdrawConsentResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "WithdrawConsent", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let customer = bad.id::<CustomerId>("customer_id", &request.customer_id);
        let purpose = required(&mut bad, "purpose", request.purpose);
        let (customer, purpose) = bad.build(|| Some((customer?, purpose?)))?;
        let channel = Code::of_number(request.channel);
        let answer = |consents: &[Consent]| pb::WithdrawConsentResponse { consents: consents.iter().map(encode).collect() };
        Ok(Response::new(self.app.withdraw_consent(&call, customer, purpose, channel, answer).await?))
    }

    async fn record_inbound_reply(&self, request: Request<pb::RecordInboundReplyRequest>) -> Answer<pb::RecordInboundReplyResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RecordInboundReply", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let customer = bad.id::<CustomerId>("customer_id", &request.customer_id);
        let estate = bad.id("estate_id", &request.estate_id);
        let whose = bad.build(|| Some((estate?, customer?)))?;
        let answer = |is_opt_out, consents: &[Consent]| pb::RecordInboundReplyResponse {
            is_opt_out,
            consents: consents.iter().map(encode).collect(),
        };
        Ok(Response::new(self.app.record_inbound_reply(&call, whose, &request.text, answer).await?))
    }

    async fn list_consents(&self, request: Request<pb::ListConsentsRequest>) -> Answer<pb::ListConsentsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let customer = bad.id::<CustomerId>("customer_id", &request.customer_id);
        let customer = bad.build(|| customer)?;
        self.app.customer_in_scope(&access, customer).await?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListConsents", &request);
        let page = self.pages.request(&query, size, &token)?;
        let consents = list_consents(self.app.db.pool(), customer, Code::of_number(request.purpose), &page).await?;
        let page = self.pages.page(&query, page.size, consents, ConsentKey::of)?;
        let consents = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListConsentsResponse { consents, next_page_token: page.next_page_token }))
    }
}

fn new_consent(request: pb::GiveConsentRequest) -> Result<NewConsent> {
    let mut bad = Violations::of(&request);
    let customer = bad.id("customer_id", &request.customer_id);
    let purpose = required(&mut bad, "purpose", request.purpose);
    let channel = required(&mut bad, "channel", request.channel);
    let language = language(&mut bad, "language", &request.language);
    let give_time = bad.optional_timestamp("give_time", request.give_time.as_ref());
    let proof = request.proof.unwrap_or_default();
    let method = required(&mut bad, "proof.method", proof.method);
    bad.build(|| {
        Some(NewConsent {
            customer: customer?,
            purpose: purpose?,
            channel: channel?,
            text_version: request.text_version,
            language: language?,
            method: method?,
            reference: proof.reference,
            give_time,
        })
    })
}

fn encode(consent: &Consent) -> pb::Consent {
    pb::Consent {
        id: consent.id.to_string(),
        customer_id: consent.customer_id.to_string(),
        purpose: consent.purpose.number(),
        channel: consent.channel.number(),
        text_version: consent.text_version.clone(),
        language: consent.language.to_string(),
        proof: Some(pb::ConsentProof { method: consent.method.number(), reference: consent.reference.clone() }),
        actor: Some(consent.actor.wire()),
        give_time: Some(to_timestamp(consent.give_time)),
        withdraw_time: consent.withdraw_time.map(to_timestamp),
        etag: consent.row_version.to_string(),
    }
}
