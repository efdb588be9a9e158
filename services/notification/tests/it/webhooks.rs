//! Signed calls to other systems.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use steward_harness::WebhookRequest;
use steward_kit::ids::WorkOrderId;
use steward_notification::domain::webhook::Secret;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::webhook_endpoint_service_client::WebhookEndpointServiceClient;

use crate::world::{World, bad_fields, eventually, request_id};

const SOON: Duration = Duration::from_secs(10);

fn endpoint(world: &World, path: &str) -> pb::CreateWebhookEndpointRequest {
    pb::CreateWebhookEndpointRequest {
        request_id: request_id(),
        url: world.hooks.url(path),
        description: "facility system".to_owned(),
        estate_ids: vec![world.estate.to_string()],
        event_types: vec!["steward.work_order.v1.WorkOrderCreated".to_owned()],
    }
}

async fn create(world: &World, request: pb::CreateWebhookEndpointRequest) -> (pb::WebhookEndpoint, String) {
    let answer =
        WebhookEndpointServiceClient::new(world.channel()).create_webhook_endpoint(world.operations().asks(request)).await.unwrap();
    let answer = answer.into_inner();
    (answer.webhook_endpoint.unwrap(), answer.secret)
}

/// Whether one of the signatures is by `secret`.
fn is_signed(call: &WebhookRequest, secret: &str) -> bool {
    let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let seconds = call.header("webhook-timestamp").parse().unwrap();
    let body = std::str::from_utf8(&call.body).unwrap();
    let expected = Secret::from_bytes(bytes).sign(call.header("webhook-id"), seconds, body);
    call.header("webhook-signature").split(' ').any(|signature| signature == expected)
}

/// NT-01: an event reaches the endpoint with a signature that its secret verifies, and holds no personal data.
#[tokio::test]
async fn an_event_is_told_by_a_signed_call() {
    let world = World::new().await;
    let (endpoint, secret) = create(&world, endpoint(&world, "/hooks")).await;
    assert!(secret.ends_with(&endpoint.secret_hint));
    let order = WorkOrderId::new();
    world.publish("work_order", vec![world.created(order)]).await;
    let call = world.hooks.wait_for(SOON, |_| true).await.unwrap();
    assert!(is_signed(&call, &secret));
    let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(body["type"], "steward.work_order.v1.WorkOrderCreated");
    assert_eq!(body["data"]["order"]["workOrderId"], order.to_string());
    assert!(!String::from_utf8_lossy(&call.body).contains("example.com"));
}

/// A failing endpoint is called again on the clock with the same id; after a rotation both secrets sign until the old one
/// ends.
#[tokio::test]
async fn a_call_is_repeated_and_secrets_overlap() {
    let world = World::new().await;
    let (made, old) = create(&world, endpoint(&world, "/hooks")).await;
    world.hooks.refuse_next(1, 503);
    world.publish("work_order", vec![world.created(WorkOrderId::new())]).await;
    eventually("the first attempt", || async {
        let pool = world.database.superuser().await.unwrap();
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM notification.deliveries WHERE channel = 'webhook' AND attempt_count = 1")
            .fetch_one(&pool)
            .await
            .unwrap();
        (count == 1).then_some(())
    })
    .await;
    let request =
        pb::RotateWebhookEndpointSecretRequest { request_id: request_id(), webhook_endpoint_id: made.id.clone(), ..Default::default() };
    let mut client = WebhookEndpointServiceClient::new(world.channel());
    let rotated = client.rotate_webhook_endpoint_secret(world.operations().asks(request.clone())).await.unwrap().into_inner();
    let replay = client.rotate_webhook_endpoint_secret(world.operations().asks(request)).await.unwrap().into_inner();
    assert_eq!((replay.secret.as_str(), replay.webhook_endpoint), ("", rotated.webhook_endpoint.clone()));
    world.advance(10);
    let call = world.hooks.wait_for(SOON, |_| true).await.unwrap();
    assert!(is_signed(&call, &old) && is_signed(&call, &rotated.secret));

    world.advance(25 * 3600);
    world.publish("work_order", vec![world.created(WorkOrderId::new())]).await;
    let id = call.header("webhook-id").to_owned();
    let later = world.hooks.wait_for(SOON, |next| next.header("webhook-id") != id).await.unwrap();
    assert!(!is_signed(&later, &old) && is_signed(&later, &rotated.secret));
}

/// 410 Gone: the delivery dies at once, and the endpoint is told nothing more.
#[tokio::test]
async fn an_endpoint_that_is_gone_is_left_alone() {
    let world = World::new().await;
    let (made, _) = create(&world, endpoint(&world, "/hooks")).await;
    world.hooks.refuse_next(1, 410);
    world.publish("work_order", vec![world.created(WorkOrderId::new())]).await;
    let mut client = WebhookEndpointServiceClient::new(world.channel());
    let get = pb::GetWebhookEndpointRequest { webhook_endpoint_id: made.id };
    let gone =
        eventually("the endpoint to be gone", || {
            let (mut client, request) = (client.clone(), world.operations().asks(get.clone()));
            async move {
                client.get_webhook_endpoint(request).await.unwrap().into_inner().webhook_endpoint.filter(|one| one.gone_time.is_some())
            }
        })
        .await;
    assert_eq!(gone.last_success_time, None);
    let bad = pb::CreateWebhookEndpointRequest {
        url: "ftp://example.com".to_owned(),
        event_types: vec!["steward.work_order.v1.Nothing".to_owned()],
        ..endpoint(&world, "/x")
    };
    let fields = bad_fields(client.create_webhook_endpoint(world.operations().asks(bad)).await);
    assert_eq!(fields, [("url".into(), "URL_FORBIDDEN".into()), ("event_types[0]".into(), "EVENT_TYPE_UNKNOWN".into())]);
}
