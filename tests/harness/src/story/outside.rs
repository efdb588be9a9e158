//! What leaves the house: mail to the resident, signed calls to another system. Counted, so that a lost or doubled one fails the story.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use steward_proto::notification::v1::{CreateWebhookEndpointRequest, webhook_endpoint_service_client::WebhookEndpointServiceClient};

use super::stage::{Stage, request_id};
use crate::{
    sinks::{WebhookRequest, WebhookSink},
    tokens::Claims,
};

/// The facts that the other system asked for, in the order in which the story makes them.
const TOLD: [&str; 3] = ["WorkOrderCreated", "WorkOrderReopened", "WorkOrderClosed"];

/// The facility system of another vendor, which wants to be told.
pub(super) struct OtherSystem {
    sink: WebhookSink,
    secret: String,
}

impl OtherSystem {
    /// Registers it for an estate.
    pub(super) async fn register(stage: &Stage, estate_id: &str) -> Result<Self> {
        stage.scene("A facility system registers for signed webhooks");
        let sink = WebhookSink::start().await?;
        let operator = stage.actor("the operator", &Claims::staff("operator.ma").role("operator").every_estate())?;
        let request = CreateWebhookEndpointRequest {
            request_id: request_id(),
            url: sink.url("hooks/steward"),
            description: "facility system".to_owned(),
            estate_ids: vec![estate_id.to_owned()],
            event_types: TOLD.map(|name| format!("steward.work_order.v1.{name}")).to_vec(),
        };
        let mut endpoints = WebhookEndpointServiceClient::new(stage.gateway.clone());
        let mut answer = stage
            .await_some("the estate in the notification service", || {
                let (mut endpoints, request) = (endpoints.clone(), operator.asks(request.clone()));
                async move {
                    match endpoints.create_webhook_endpoint(request?).await {
                        Ok(answer) => Ok(Some(answer.into_inner())),
                        Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
                        Err(status) => Err(status).context("registering a webhook endpoint"),
                    }
                }
            })
            .await?;
        if answer.secret.is_empty() {
            // The answer to the first try was lost on its way, and a secret is told once: a new one is asked for.
            let id = answer.webhook_endpoint.context("the endpoint")?.id;
            let rotate = steward_proto::notification::v1::RotateWebhookEndpointSecretRequest {
                request_id: request_id(),
                webhook_endpoint_id: id,
                ..Default::default()
            };
            let rotated = endpoints.rotate_webhook_endpoint_secret(operator.asks(rotate)?).await?.into_inner();
            answer.secret = rotated.secret;
        }
        stage.tell(format!("{} registers {} for {}", operator.name(), request.url, TOLD.join(", ")));
        Ok(Self { sink, secret: answer.secret })
    }

    /// Each fact arrived, was signed, and counts once.
    pub(super) async fn check(&self, stage: &Stage) -> Result<()> {
        stage.scene("What the other system was told");
        let calls = stage
            .await_retried("every fact at the other system", || {
                let calls = self.sink.requests();
                let ids: BTreeSet<String> = calls.iter().map(|call| call.header("webhook-id").to_owned()).collect();
                async move { Ok((ids.len() >= TOLD.len()).then_some(calls)) }
            })
            .await?;
        let mut seen = BTreeSet::new();
        let mut told = Vec::new();
        for call in &calls {
            ensure!(is_signed(call, &self.secret)?, "a call is not signed with the endpoint's secret");
            let body: serde_json::Value = serde_json::from_slice(&call.body)?;
            let kind = body["type"].as_str().unwrap_or_default().rsplit('.').next().unwrap_or_default().to_owned();
            // A call that was made but not noted, because its service was killed, comes again under its id.
            if seen.insert(call.header("webhook-id").to_owned()) {
                stage.tell(format!("  {kind}, signed, id {}", call.header("webhook-id")));
                told.push(kind);
            }
        }
        told.sort();
        let mut expected = TOLD.map(str::to_owned).to_vec();
        expected.sort();
        ensure!(told == expected, "told {told:?}, expected {expected:?}");
        Ok(())
    }
}

/// The signature of Standard Webhooks: HMAC-SHA256 over id, timestamp and body.
fn is_signed(call: &WebhookRequest, secret: &str) -> Result<bool> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").context("a secret")?)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let mut signed = format!("{}.{}.", call.header("webhook-id"), call.header("webhook-timestamp")).into_bytes();
    signed.extend_from_slice(&call.body);
    let expected = format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed).as_ref()));
    Ok(call.header("webhook-signature").split(' ').any(|signature| signature == expected))
}

/// Subjects of the mails that the resident must have got; a mail that came twice under one id counts once.
pub(super) async fn check_mail(stage: &Stage, number: &str, expected: usize) -> Result<()> {
    stage.scene("The resident's mail");
    let subjects = stage
        .await_retried("the resident's mail", || {
            let mails = stage.mails();
            async move {
                let mut seen = BTreeSet::new();
                let of_order = mails?.into_iter().filter(|mail| mail.subject().contains(number));
                let once: Vec<String> = of_order.filter(|mail| seen.insert(mail.header("Message-ID"))).map(|mail| mail.subject()).collect();
                Ok((once.len() >= expected).then_some(once))
            }
        })
        .await?;
    for subject in &subjects {
        stage.tell(format!("  {subject}"));
    }
    ensure!(subjects.len() == expected, "{} mails about {number}, {expected} were expected", subjects.len());
    Ok(())
}
