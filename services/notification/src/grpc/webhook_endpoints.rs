//! The RPCs of `WebhookEndpointService`.

use std::sync::Arc;

use jiff::SignedDuration;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::webhook_endpoint_service_server::WebhookEndpointService;
use tonic::{Request, Response};

use super::Answer;
use super::request::{call, received, target};
use crate::app::{App, NewEndpoint};
use crate::domain::webhook::{Secret, WebhookEndpoint};
use crate::store::endpoints::{EndpointKey, list_endpoints, load_endpoint};

/// How long an old secret signs when the caller does not say, in hours; the contract documents it.
const OVERLAP_HOURS: i32 = 24;

/// The service.
pub(crate) struct WebhookEndpoints {
    app: Arc<App>,
    pages: PageTokens,
}

impl WebhookEndpoints {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl WebhookEndpointService for WebhookEndpoints {
    async fn create_webhook_endpoint(
        &self,
        request: Request<pb::CreateWebhookEndpointRequest>,
    ) -> Answer<pb::CreateWebhookEndpointResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateWebhookEndpoint", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estates = bad.ids::<EstateId>("estate_ids", &request.estate_ids);
        bad.finish()?;
        let new = NewEndpoint { url: request.url, description: request.description, estates, event_types: request.event_types };
        let answer = |endpoint: &WebhookEndpoint, secret: Option<&Secret>| pb::CreateWebhookEndpointResponse {
            webhook_endpoint: Some(encode(endpoint)),
            secret: secret.map(Secret::text).unwrap_or_default(),
        };
        Ok(Response::new(self.app.create_webhook_endpoint(&call, new, answer).await?))
    }

    async fn get_webhook_endpoint(&self, request: Request<pb::GetWebhookEndpointRequest>) -> Answer<pb::GetWebhookEndpointResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = bad.id("webhook_endpoint_id", &request.webhook_endpoint_id);
        let endpoint = load_endpoint(self.app.db.pool(), &access.scope, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetWebhookEndpointResponse { webhook_endpoint: Some(encode(&endpoint)) }))
    }

    async fn list_webhook_endpoints(&self, request: Request<pb::ListWebhookEndpointsRequest>) -> Answer<pb::ListWebhookEndpointsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.optional_id::<EstateId>("estate_id", &request.estate_id);
        bad.finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListWebhookEndpoints", &request);
        let page = self.pages.request(&query, size, &token)?;
        let endpoints = list_endpoints(self.app.db.pool(), &access.scope, estate, &page).await?;
        let page = self.pages.page(&query, page.size, endpoints, EndpointKey::of)?;
        let webhook_endpoints = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListWebhookEndpointsResponse { webhook_endpoints, next_page_token: page.next_page_token }))
    }

    async fn delete_webhook_endpoint(
        &self,
        request: Request<pb::DeleteWebhookEndpointRequest>,
    ) -> Answer<pb::DeleteWebhookEndpointResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "DeleteWebhookEndpoint", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "webhook_endpoint_id", &request.webhook_endpoint_id, &request.etag);
        let target = bad.build(|| target)?;
        Ok(Response::new(self.app.delete_webhook_endpoint(&call, target).await?))
    }

    async fn rotate_webhook_endpoint_secret(
        &self,
        request: Request<pb::RotateWebhookEndpointSecretRequest>,
    ) -> Answer<pb::RotateWebhookEndpointSecretResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RotateWebhookEndpointSecret", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "webhook_endpoint_id", &request.webhook_endpoint_id, &request.etag);
        let target = bad.build(|| target)?;
        let overlap = SignedDuration::from_hours(i64::from(request.overlap_hours.unwrap_or(OVERLAP_HOURS)));
        let answer = |endpoint: &WebhookEndpoint, secret: Option<&Secret>| pb::RotateWebhookEndpointSecretResponse {
            webhook_endpoint: Some(encode(endpoint)),
            secret: secret.map(Secret::text).unwrap_or_default(),
        };
        Ok(Response::new(self.app.rotate_webhook_endpoint_secret(&call, target, overlap, answer).await?))
    }
}

fn encode(endpoint: &WebhookEndpoint) -> pb::WebhookEndpoint {
    pb::WebhookEndpoint {
        id: endpoint.id.to_string(),
        url: endpoint.url.clone(),
        description: endpoint.description.clone(),
        estate_ids: endpoint.estate_ids.iter().map(ToString::to_string).collect(),
        event_types: endpoint.event_types.clone(),
        secret_hint: endpoint.secret_hint.clone(),
        old_secret_end_time: endpoint.old_secret_end_time.map(to_timestamp),
        last_success_time: endpoint.last_success_time.map(to_timestamp),
        etag: endpoint.row_version.to_string(),
        create_time: Some(to_timestamp(endpoint.create_time)),
        update_time: Some(to_timestamp(endpoint.update_time)),
        gone_time: endpoint.gone_time.map(to_timestamp),
    }
}
