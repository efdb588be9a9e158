//! The mutations of `steward.care.v1` about touchpoints.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Entry, unseen, with};
use crate::replay::ground::{Ground, id, until};

const SERVICE: &str = "care.v1.TouchpointService";

/// Somebody's task for one household, due now.
fn a_task(ground: &Ground<'_, '_>) -> Value {
    let Ground { estate, household, unit, customer, .. } = ground;
    json!({
        "estateId": estate, "householdId": household, "unitId": unit, "customerId": customer, "definitionCode": "condolence_visit",
        "layer": "CARE_LAYER_PREMIUM", "action": {"task": {"role": "steward"}}, "dueTime": ground.now(), "individualReason": "独居老人",
    })
}

/// A task after it became due, and after these verbs.
async fn after(ground: &Ground<'_, '_>, verbs: &[&str]) -> Result<String> {
    let task = with(&a_task(ground), &json!({"requestId": id()}));
    let touchpoint = ground.make(&format!("{SERVICE}/CreateTouchpoint"), "touchpoint", task).await?;
    until("a touchpoint to become due", async || {
        let answer = ground.ask(&format!("{SERVICE}/GetTouchpoint"), json!({"touchpointId": touchpoint})).await?;
        let state = answer["touchpoint"]["state"].as_str().unwrap_or_default();
        anyhow::ensure!(["TOUCHPOINT_STATE_PLANNED", "TOUCHPOINT_STATE_DUE"].contains(&state), "{answer}");
        Ok((state == "TOUCHPOINT_STATE_DUE").then_some(()))
    })
    .await?;
    for verb in verbs {
        ground.ask(&format!("{SERVICE}/{verb}"), json!({"requestId": id(), "touchpointId": touchpoint})).await?;
    }
    Ok(touchpoint)
}

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let of = async |rpc: &str, verbs: &[&str], mut body: Value, other: Value| -> Result<Entry> {
        body["touchpointId"] = json!(after(ground, verbs).await?);
        Ok(Entry::new(&format!("{SERVICE}/{rpc}"), body, other))
    };
    let done = ["ExecuteTouchpoint"];
    Ok(vec![
        Entry::new(&format!("{SERVICE}/CreateTouchpoint"), a_task(ground), json!({"individualReason": "行动不便"})),
        of("ExecuteTouchpoint", &[], json!({"note": "送了粥"}), json!({"note": "送了饭"})).await?,
        of("ConfirmTouchpoint", &done, json!({}), unseen()).await?,
        of("RecordTouchpointFeedback", &done, json!({"score": 5}), json!({"score": 4})).await?,
        of("SkipTouchpoint", &[], json!({"reasonCode": "customer_declined"}), json!({"reasonCode": "away"})).await?,
    ])
}
