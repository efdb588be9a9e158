//! Whom notices are for: the households of the segments' register, and what notification knows of their people.

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use steward_harness::Claims;
use steward_proto::notification::v1::{
    ActivateTemplateVersionRequest, Channel as Way, CreateTemplateVersionRequest, MessageClass, TemplateText,
    template_service_client::TemplateServiceClient,
};
use tonic::transport::Channel;
use uuid::Uuid;

use crate::{caller::Bearer, events::residents, segments, stage::Stage};

/// The notice.
pub(super) const TEMPLATE: &str = "bench.notice";

/// One of so many has not agreed.
const REFUSES: i32 = 10;

/// Lays households, people and their consents, before the services start; the estates.
pub(super) async fn lay(stage: &Stage) -> Result<Vec<Uuid>> {
    let now = stage.clock.now();
    segments::seed(stage.pool(), i64::from(stage.options.customers), now).await?;
    residents(stage.pool()).await?;
    sqlx::query(
        "WITH added AS (INSERT INTO notification.estates (id, group_id, region_id, name, time_zone, create_time, update_time)
              SELECT id, group_id, region_id, name, $1, '2020-01-01Z', '2020-01-01Z' FROM customer.estates ON CONFLICT DO NOTHING)
         UPDATE notification.policy_epoch SET epoch = epoch + 1",
    )
    .bind(zone_of_noon(now))
    .execute(stage.pool())
    .await
    .context("laying notification's estates")?;
    sqlx::query(
        "WITH people AS (SELECT customer_id, estate_id FROM customer.household_facts WHERE is_main), known AS (
             INSERT INTO notification.customers (id, home_estate_id, preferred_language, do_not_disturb, email_invalid, update_time)
             SELECT customer_id, estate_id, 'zh-CN', false, false, '2020-01-01Z' FROM people ON CONFLICT DO NOTHING), agreed AS (
             INSERT INTO notification.consents (id, customer_id, purpose, channel, text_version, language, proof_method, proof_reference,
                 actor_kind, actor_subject, give_time, row_version, create_time)
             SELECT md5('consent' || customer_id)::uuid, customer_id, 'marketing', 'inbox', '1', 'zh-CN', 'app', '', 'customer', 'bench',
                    '2020-01-01Z', 1, '2020-01-01Z'
               FROM people WHERE hashtext(customer_id::text) % $1 <> 0 ON CONFLICT DO NOTHING)
         INSERT INTO notification.customer_estates (estate_id, customer_id, create_time)
         SELECT estate_id, customer_id, '2020-01-01Z' FROM people ON CONFLICT DO NOTHING",
    )
    .bind(REFUSES)
    .execute(stage.pool())
    .await
    .context("laying people")?;
    sqlx::query("ANALYZE notification.customers, notification.consents, notification.customer_estates").execute(stage.pool()).await?;
    let estates = "SELECT DISTINCT estate_id FROM customer.household_facts ORDER BY estate_id";
    Ok(sqlx::query_scalar(estates).fetch_all(stage.pool()).await?)
}

/// A zone in which it is about noon: nothing is held back by quiet hours.
fn zone_of_noon(now: Timestamp) -> String {
    let behind = i64::from(now.to_zoned(jiff::tz::TimeZone::UTC).hour()) - 12;
    // In the names of these zones west is positive.
    format!("Etc/GMT{behind:+}")
}

/// Writes the notice and has somebody else approve it; once.
pub(super) async fn template(stage: &Stage, channel: Channel) -> Result<()> {
    let known = "SELECT EXISTS (SELECT FROM notification.template_versions WHERE key = $1 AND state = 'active')";
    if sqlx::query_scalar(known).bind(TEMPLATE).fetch_one(stage.pool()).await? {
        return Ok(());
    }
    let somebody = |name: &str| Bearer::new(&stage.token(&Claims::staff(name).role("group_operations").every_estate())?);
    let mut client = TemplateServiceClient::new(channel);
    let text = |language: &str, title: &str, body: &str| TemplateText {
        language: language.to_owned(),
        channel: Way::Inbox.into(),
        title: title.to_owned(),
        body: body.to_owned(),
    };
    let request = CreateTemplateVersionRequest {
        request_id: Uuid::now_v7().to_string(),
        key: TEMPLATE.to_owned(),
        message_class: MessageClass::Marketing.into(),
        texts: vec![
            text("zh-CN", "邻里市集", "本周六上午九点，小区中央花园举办邻里市集，欢迎您与家人参加。"),
            text("en", "Neighbours' market", "This Saturday at nine there is a market in the central garden. You and yours are welcome."),
        ],
        variables: Vec::new(),
    };
    let made = client.create_template_version(somebody("bench.author")?.asks(request)).await.context("writing a template")?;
    let made = made.into_inner().template_version.context("an answer without its template")?;
    let request = ActivateTemplateVersionRequest { request_id: Uuid::now_v7().to_string(), template_version_id: made.id, etag: made.etag };
    client.activate_template_version(somebody("bench.approver")?.asks(request)).await.context("approving a template")?;
    Ok(())
}
