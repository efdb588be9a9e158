//! The mutations of `steward.notification.v1`.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::Entry;
use crate::replay::ground::{Ground, id};

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let Ground { estate, customer, .. } = ground;
    let entry = |rpc: &str, body: Value, other: Value| Entry::new(&format!("notification.v1.{rpc}"), body, other);
    let rule = ground.make("notification.v1.RoutingRuleService/CreateRoutingRule", "routingRule", rule("walk.first")).await?;
    let version = ground.make("notification.v1.TemplateService/CreateTemplateVersion", "templateVersion", template("walk.first")).await?;
    let endpoint =
        ground.make("notification.v1.WebhookEndpointService/CreateWebhookEndpoint", "webhookEndpoint", endpoint(ground, 1)?).await?;
    let consent = json!({
        "requestId": id(), "customerId": customer, "purpose": "CONSENT_PURPOSE_CARE", "channel": "CHANNEL_EMAIL", "textVersion": "2026-1",
        "language": "zh-CN", "proof": {"method": "CONSENT_METHOD_APP"},
    });
    ground.ask("notification.v1.ConsentService/GiveConsent", consent.clone()).await?;
    let mut other_consent = consent;
    other_consent["purpose"] = json!("CONSENT_PURPOSE_MARKETING");
    let dead = dead_delivery(ground).await?;
    let message = ground.make("notification.v1.MessageService/SendMessage", "message", to_walker(ground)).await?;
    Ok(vec![
        entry("MessageService/SendMessage", ground.a_message(), json!({"variables": {"number": "WO-2026-000002"}})),
        entry("ConsentService/GiveConsent", other_consent, json!({"textVersion": "2026-2"})),
        entry(
            "ConsentService/WithdrawConsent",
            json!({"customerId": customer, "purpose": "CONSENT_PURPOSE_CARE", "channel": "CHANNEL_EMAIL"}),
            json!({"channel": "CHANNEL_INBOX"}),
        ),
        entry("DeliveryService/RedriveDelivery", json!({"deliveryId": dead}), json!({"etag": "999"})),
        entry("InboxService/MarkInboxItemsRead", json!({"messageIds": [message]}), json!({"messageIds": [id()]})),
        entry(
            "PreferenceService/UpdatePreferences",
            json!({"customerId": customer, "updateMask": "language", "language": "en"}),
            json!({"language": "zh-CN"}),
        ),
        entry("RoutingRuleService/CreateRoutingRule", self::rule("walk.second"), json!({"code": "walk.third"})),
        entry("RoutingRuleService/DeleteRoutingRule", json!({"routingRuleId": rule}), json!({"routingRuleId": id()})),
        entry("TemplateService/CreateTemplateVersion", template("walk.second"), json!({"key": "walk.third"})),
        entry("TemplateService/ActivateTemplateVersion", json!({"templateVersionId": version}), json!({"etag": "999"})),
        entry("WebhookEndpointService/CreateWebhookEndpoint", self::endpoint(ground, 2)?, json!({"description": "third"})),
        entry("WebhookEndpointService/DeleteWebhookEndpoint", json!({"webhookEndpointId": endpoint}), json!({"webhookEndpointId": id()})),
    ]
    .into_iter()
    .chain(if estate.is_empty() { None } else { None::<Entry> })
    .collect())
}

fn rule(code: &str) -> Value {
    json!({
        "requestId": id(), "code": code, "eventType": "steward.work_order.v1.WorkOrderCreated",
        "recipients": [{"kind": "RULE_RECIPIENT_KIND_ROLE", "value": "estate_manager"}], "templateKey": "work_order.assigned",
        "variables": {"number": "order.number"},
    })
}

fn template(key: &str) -> Value {
    let text = |language: &str| json!({"language": language, "channel": "CHANNEL_INBOX", "title": "t", "body": "b"});
    json!({"requestId": id(), "key": key, "messageClass": "MESSAGE_CLASS_SERVICE", "texts": [text("zh-CN"), text("en")]})
}

fn endpoint(ground: &Ground<'_, '_>, number: u8) -> Result<Value> {
    let url = format!("{}/{number}", ground.caller.house().webhooks.url());
    Ok(json!({
        "requestId": id(), "url": url, "description": "a walk", "estateIds": [ground.estate],
        "eventTypes": ["steward.work_order.v1.WorkOrderCreated"],
    }))
}

fn to_walker(ground: &Ground<'_, '_>) -> Value {
    let mut message = ground.a_message();
    message["recipient"] = json!({"staffSubject": "walker"});
    message
}

/// A delivery that was given up, made so by hand: waiting for it would take the hours of every retry.
async fn dead_delivery(ground: &Ground<'_, '_>) -> Result<String> {
    let message = ground.make("notification.v1.MessageService/SendMessage", "message", ground.a_message()).await?;
    let db = ground.caller.house().database.superuser().await?;
    let begun = std::time::Instant::now();
    let delivery: uuid::Uuid = loop {
        let dead = sqlx::query_scalar(
            "UPDATE notification.deliveries SET state = 'dead', next_attempt_time = NULL, claim_until = NULL
              WHERE message_id = $1::uuid RETURNING id",
        );
        if let Some(delivery) = dead.bind(&message).fetch_optional(&db).await? {
            break delivery;
        }
        anyhow::ensure!(begun.elapsed().as_secs() < 20, "no delivery of {message}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    db.close().await;
    Some(delivery.to_string()).context("a delivery")
}
