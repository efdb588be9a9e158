//! The mutations of `steward.care.v1` about activities and who comes.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Entry, unseen, with};
use crate::replay::ground::{Ground, id};

const SERVICE: &str = "care.v1.ActivityService";

/// Who approves what the walk plans.
const APPROVER: &str = "approver.gu";

/// Ten places; one may register from now until it is over.
fn a_plan(ground: &Ground<'_, '_>) -> Value {
    json!({
        "family": "ACTIVITY_FAMILY_FESTIVAL", "typeCode": "handicraft", "title": "元宵灯会", "place": "社区中心", "startTime": "2026-07-31T10:00:00Z",
        "endTime": "2026-07-31T12:00:00Z", "registrationFromTime": ground.now(), "registrationToTime": "2026-07-31T12:00:00Z",
        "capacity": 10, "maxPartySize": 4,
    })
}

/// An activity after these verbs, each of them named without `Activity`.
async fn after(ground: &Ground<'_, '_>, verbs: &[&str]) -> Result<String> {
    let plan = json!({"requestId": id(), "estateId": ground.estate, "plan": a_plan(ground)});
    let activity = ground.make(&format!("{SERVICE}/CreateActivity"), "activity", plan).await?;
    for verb in verbs {
        let by = (*verb == "Approve").then_some(APPROVER);
        let body = json!({"requestId": id(), "activityId": activity});
        ground.caller.ask(&format!("steward.{SERVICE}/{verb}Activity"), by, body).await?;
    }
    Ok(activity)
}

/// An activity that has begun, by hand: waiting for it would take the whole house weeks on.
async fn begun(ground: &Ground<'_, '_>) -> Result<String> {
    let activity = after(ground, &["Approve", "Publish"]).await?;
    let db = ground.caller.house().database.superuser().await?;
    sqlx::query(
        "UPDATE care.activities SET document = jsonb_set(document, '{plan,start_time}', to_jsonb('2026-07-14T01:00:00Z'::text))
          WHERE id = $1::uuid",
    )
    .bind(&activity)
    .execute(&db)
    .await?;
    db.close().await;
    Ok(activity)
}

/// An activity and the registration of the household, as it was answered.
async fn registered(ground: &Ground<'_, '_>) -> Result<(String, Value)> {
    let activity = after(ground, &["Approve", "Publish"]).await?;
    let register = json!({"requestId": id(), "activityId": activity, "householdId": ground.household, "partySize": 2});
    let answer = ground.ask(&format!("{SERVICE}/Register"), register).await?;
    Ok((activity, answer["registration"].clone()))
}

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let of = async |rpc: &str, verbs: &[&str], body: Value, other: Value| -> Result<Entry> {
        let body = with(&body, &json!({"activityId": after(ground, verbs).await?}));
        Ok(Entry::new(&format!("{SERVICE}/{rpc}"), body, other))
    };
    let shown = ["Approve", "Publish"];
    let titled = |title: &str| json!({"plan": with(&a_plan(ground), &json!({"title": title}))});
    let moved = json!({"startTime": "2026-08-01T02:00:00Z", "endTime": "2026-08-01T04:00:00Z", "reasonCode": "weather"});
    let (_, to_cancel) = registered(ground).await?;
    let (activity, to_check_in) = registered(ground).await?;
    let code = to_check_in["checkInCode"].as_str().context("a code for the door")?;
    Ok(vec![
        Entry::new(&format!("{SERVICE}/CreateActivity"), json!({"estateId": ground.estate, "plan": a_plan(ground)}), titled("中秋游园")),
        of("UpdateActivity", &[], with(&titled("中秋游园"), &json!({"updateMask": "title"})), titled("重阳登高")).await?,
        of("ApproveActivity", &[], json!({}), unseen()).await?.by(APPROVER),
        of("PublishActivity", &shown[..1], json!({}), unseen()).await?,
        of("RescheduleActivity", &shown, moved, json!({"reasonCode": "venue"})).await?,
        of("CancelActivity", &shown, json!({"reasonCode": "weather"}), json!({"reasonCode": "venue"})).await?,
        Entry::new(&format!("{SERVICE}/CloseActivity"), json!({"activityId": begun(ground).await?}), unseen()),
        of("LinkActivityOpinion", &shown, json!({"feedbackItemId": id()}), json!({"feedbackItemId": id()})).await?,
        of("Register", &shown, json!({"householdId": ground.household, "partySize": 2}), json!({"partySize": 3})).await?,
        Entry::new(&format!("{SERVICE}/CancelRegistration"), json!({"registrationId": to_cancel["id"]}), json!({"registrationId": id()})),
        Entry::new(&format!("{SERVICE}/CheckIn"), json!({"activityId": activity, "checkInCode": code}), json!({"checkInCode": "other"})),
    ])
}
