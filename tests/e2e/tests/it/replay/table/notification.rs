//! The mutations of `steward.notification.v1`.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Entry, unseen};
use crate::replay::ground::{Ground, id};

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let Ground { estate, customer, .. } = ground;
    let entry = |rpc: &str, body: Value, other: Value| Entry::new(&format!("notification.v1.{rpc}"), body, other);
    let rule = ground.make("notification.v1.RoutingRuleService/CreateRoutingRule", "routingRule", rule("walk.first")).await?;
    let version = ground.make("notification.v1.TemplateService/CreateTemplateVersion", "templateVersion", template("walk.first")).await?;
    let mut alarm = template("walk.emergency");
    alarm["messageClass"] = json!("MESSAGE_CLASS_EMERGENCY");
    let alarm = ground.make("notification.v1.TemplateService/CreateTemplateVersion", "templateVersion", alarm).await?;
    ground.ask("notification.v1.TemplateService/ActivateTemplateVersion", json!({"requestId": id(), "templateVersionId": alarm})).await?;
    let endpoint =
        ground.make("notification.v1.WebhookEndpointService/CreateWebhookEndpoint", "webhookEndpoint", endpoint(ground, 1)).await?;
    let rotated =
        ground.make("notification.v1.WebhookEndpointService/CreateWebhookEndpoint", "webhookEndpoint", self::endpoint(ground, 3)).await?;
    let consent = json!({
        "requestId": id(), "customerId": customer, "purpose": "CONSENT_PURPOSE_CARE", "channel": "CHANNEL_EMAIL", "textVersion": "2026-1",
        "language": "zh-CN", "proof": {"method": "CONSENT_METHOD_APP"},
    });
    ground.ask("notification.v1.ConsentService/GiveConsent", consent.clone()).await?;
    let mut other_consent = consent;
    other_consent["purpose"] = json!("CONSENT_PURPOSE_MARKETING");
    let dead = dead_delivery(ground).await?;
    let message = ground.make("notification.v1.MessageService/SendMessage", "message", to_walker(ground)).await?;
    let mut broadcasts = Vec::new();
    for _ in 0..3 {
        broadcasts.push(ground.make("notification.v1.BroadcastService/CreateBroadcast", "broadcast", later(broadcast(ground))).await?);
    }
    let [runs, stands, ends] = &broadcasts[..] else { anyhow::bail!("three broadcasts") };
    ground.ask("notification.v1.BroadcastService/PauseBroadcast", json!({"requestId": id(), "broadcastId": stands})).await?;
    let reserve = json!({"requestId": id(), "contacts": [contact(ground, 3)]});
    let verdicts = ground.ask("notification.v1.ContactLedgerService/ReserveContacts", reserve).await?;
    let reserved = verdicts["verdicts"][0]["reservationId"].as_str().unwrap_or(&id()).to_owned();
    Ok(vec![
        entry("BroadcastService/CreateBroadcast", broadcast(ground), json!({"title": "another"})),
        entry(
            "BroadcastService/CreateEmergencyBroadcast",
            json!({"title": "gas", "estateIds": [estate], "templateKey": "walk.emergency", "reason": "gas leak"}),
            json!({"reason": "water"}),
        ),
        entry("BroadcastService/PauseBroadcast", json!({"broadcastId": runs}), unseen()),
        entry("BroadcastService/ResumeBroadcast", json!({"broadcastId": stands}), unseen()),
        entry("BroadcastService/StopBroadcast", json!({"broadcastId": ends, "reason": "wrong date"}), unseen()),
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
        entry("WebhookEndpointService/CreateWebhookEndpoint", self::endpoint(ground, 2), json!({"description": "third"}))
            .telling_once(&["secret"]),
        entry("WebhookEndpointService/RotateWebhookEndpointSecret", json!({"webhookEndpointId": rotated}), json!({"overlapHours": 3}))
            .telling_once(&["secret"]),
        entry("WebhookEndpointService/DeleteWebhookEndpoint", json!({"webhookEndpointId": endpoint}), json!({"webhookEndpointId": id()})),
        entry(
            "ConsentService/RecordInboundReply",
            json!({"customerId": customer, "estateId": estate, "text": "TD"}),
            json!({"text": "退订"}),
        ),
        entry("ContactLedgerService/ReserveContacts", json!({"contacts": [contact(ground, 1)]}), json!({"contacts": [contact(ground, 2)]})),
        entry(
            "ContactLedgerService/ReleaseContacts",
            json!({"reservationIds": [reserved], "reason": "not sent after all"}),
            json!({"reason": "sent otherwise"}),
        ),
        entry(
            "ContactLedgerService/SendEmergencyMessage",
            json!({
                "estateId": estate, "recipient": {"customerId": customer}, "templateKey": "walk.emergency", "reason": "gas leak",
            }),
            json!({"reason": "water"}),
        ),
    ])
}

fn broadcast(ground: &Ground<'_, '_>) -> Value {
    json!({
        "requestId": id(), "title": "a walk", "estateIds": [ground.estate], "templateKey": "work_order.assigned",
        "variables": {"number": "WO-2026-000001"},
    })
}

/// One that does not begin while the walk goes on.
fn later(mut broadcast: Value) -> Value {
    broadcast["startTime"] = json!("2099-01-01T00:00:00Z");
    broadcast
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

fn endpoint(ground: &Ground<'_, '_>, number: u8) -> Value {
    let url = ground.caller.house().webhooks.url(&number.to_string());
    json!({
        "requestId": id(), "url": url, "description": "a walk", "estateIds": [ground.estate],
        "eventTypes": ["steward.work_order.v1.WorkOrderCreated"],
    })
}

/// A service contact with the household, told apart by its topic.
fn contact(ground: &Ground<'_, '_>, topic: u8) -> Value {
    json!({
        "estateId": ground.estate, "householdId": ground.household, "customerId": ground.customer,
        "messageClass": "MESSAGE_CLASS_SERVICE", "channel": "CHANNEL_INBOX", "topic": format!("walk.{topic}"), "subjectKind": "walk", "subjectId": id(),
    })
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
