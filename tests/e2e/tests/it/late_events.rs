//! Events come at least once, but not at once: what they have not told yet is asked for.

use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use steward_e2e::{House, Room};
use steward_harness::Claims;

use crate::json::Json;

fn request_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// XC-26, XC-60: without Redis no event travels, and a report about a new unit is taken in all the same; one about no unit is
/// refused; and when the owner of units is down nobody is told an untruth.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_no_event_has_told_of_is_asked_for() -> Result<()> {
    let mut house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    let operations = Json::new(&house, Claims::staff("ops.lin").role("group_operations").every_estate())?;
    let created = |(status, answer): (StatusCode, Value)| {
        anyhow::ensure!(status == StatusCode::OK, "{answer}");
        Ok(answer)
    };
    let estate = json!({
        "requestId": request_id(), "groupId": request_id(), "regionId": request_id(), "name": "锦绣花园", "code": "JX-1",
        "cityCode": "330100", "timeZone": "Asia/Shanghai", "premisesType": "PREMISES_TYPE_RESIDENTIAL",
    });
    let estate = created(operations.ask(Method::POST, "/v1/estates", estate).await?)?;
    let estate = estate["estate"]["id"].as_str().context("an estate")?.to_owned();
    let report = |unit: &str| {
        json!({
            "requestId": request_id(), "channel": "CHANNEL_FRONT_DESK", "estateId": estate, "unitId": unit,
            "kind": "WORK_ORDER_KIND_REPAIR", "text": "灯不亮",
        })
    };
    // The estate itself comes by an event.
    let begun = std::time::Instant::now();
    loop {
        let (status, answer) = operations.ask(Method::POST, "/v1/reports", report("")).await?;
        if status == StatusCode::OK {
            break;
        }
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(20), "{answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    house.redis.stop();
    let building = json!({"requestId": request_id(), "code": "1"});
    let building = created(operations.ask(Method::POST, &format!("/v1/estates/{estate}/buildings"), building).await?)?;
    let building = building["building"]["id"].as_str().context("a building")?.to_owned();
    let mut units = Vec::new();
    for code in ["101", "102"] {
        let unit = json!({"requestId": request_id(), "code": code});
        let unit = created(operations.ask(Method::POST, &format!("/v1/buildings/{building}/units"), unit).await?)?;
        units.push(unit["unit"]["id"].as_str().context("a unit")?.to_owned());
    }
    let (status, taken) = operations.ask(Method::POST, "/v1/reports", report(&units[0])).await?;
    assert_eq!(status, StatusCode::OK, "{taken}");
    assert_eq!(taken["workOrder"]["unitId"], units[0]);

    let (status, refusal) = operations.ask(Method::POST, "/v1/reports", report(&request_id())).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refusal}");
    assert!(refusal.to_string().contains("UNIT_UNKNOWN"), "{refusal}");

    house.stop(Room::Customer)?;
    let begun = std::time::Instant::now();
    // A service that drains still answers what it has begun; then it is gone.
    let refusal = loop {
        let (status, answer) = operations
            .ask(
                Method::POST,
                "/v1/work-orders",
                json!({
                    "requestId": request_id(), "estateId": estate, "unitId": request_id(), "channel": "CHANNEL_FRONT_DESK",
                    "kind": "WORK_ORDER_KIND_REPAIR", "description": "灯不亮",
                }),
            )
            .await?;
        if status == StatusCode::SERVICE_UNAVAILABLE || begun.elapsed() > Duration::from_secs(20) {
            break (status, answer);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(refusal.0, StatusCode::SERVICE_UNAVAILABLE, "{}", refusal.1);
    house.close().await
}
