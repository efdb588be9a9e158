//! The RPCs of `DeliveryService`.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::delivery_service_server::DeliveryService;
use tonic::{Request, Response};

use super::Answer;
use super::request::{call, received, target};
use crate::app::App;
use crate::contract::Code;
use crate::domain::delivery::Delivery;
use crate::store::deliveries::{DeliveryFilter, DeliveryKey, list_deliveries};

/// The service.
pub(crate) struct Deliveries {
    app: Arc<App>,
    pages: PageTokens,
}

impl Deliveries {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl DeliveryService for Deliveries {
    async fn list_deliveries(&self, request: Request<pb::ListDeliveriesRequest>) -> Answer<pb::ListDeliveriesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let filter = DeliveryFilter {
            message: bad.optional_id("message_id", &request.message_id),
            estate: bad.optional_id("estate_id", &request.estate_id),
            endpoint: bad.optional_id("webhook_endpoint_id", &request.webhook_endpoint_id),
            channel: Code::of_number(request.channel),
            state: Code::of_number(request.state),
        };
        bad.finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListDeliveries", &request);
        let page = self.pages.request(&query, size, &token)?;
        let deliveries = list_deliveries(self.app.db.pool(), &access.scope, &filter, &page, self.app.clock.now()).await?;
        let page = self.pages.page(&query, page.size, deliveries, DeliveryKey::of)?;
        let deliveries = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListDeliveriesResponse { deliveries, next_page_token: page.next_page_token }))
    }

    async fn redrive_delivery(&self, request: Request<pb::RedriveDeliveryRequest>) -> Answer<pb::RedriveDeliveryResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RedriveDelivery", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "delivery_id", &request.delivery_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |delivery: &Delivery| pb::RedriveDeliveryResponse { delivery: Some(encode(delivery)) };
        Ok(Response::new(self.app.redrive_delivery(&call, target, answer).await?))
    }
}

fn encode(delivery: &Delivery) -> pb::Delivery {
    let attempts = delivery.attempts.iter().map(|attempt| pb::DeliveryAttempt {
        number: attempt.number,
        start_time: Some(to_timestamp(attempt.start_time)),
        duration_ms: attempt.duration_ms,
        outcome: attempt.outcome.number(),
        response_code: attempt.response_code,
        detail: attempt.detail.clone(),
    });
    pb::Delivery {
        id: delivery.id.to_string(),
        message_id: delivery.message_id.to_string(),
        estate_id: delivery.estate_id.to_string(),
        channel: delivery.channel.number(),
        webhook_endpoint_id: delivery.webhook_endpoint_id.map(|id| id.to_string()).unwrap_or_default(),
        state: delivery.state.number(),
        attempt_count: delivery.attempt_count,
        next_attempt_time: delivery.next_attempt_time.map(to_timestamp),
        attempts: attempts.collect(),
        etag: delivery.row_version.to_string(),
        create_time: Some(to_timestamp(delivery.create_time)),
        update_time: Some(to_timestamp(delivery.update_time)),
    }
}
