//! Server streams through the JSON door: a line for each message, refusals as refusals.

use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use steward_e2e::House;
use steward_harness::{Claims, story};

use crate::json::Json;

/// The next line of a stream of lines.
async fn line(stream: &mut Response, rest: &mut String) -> Result<Value> {
    let next = async {
        loop {
            if let Some((line, after)) = rest.split_once('\n') {
                let value = serde_json::from_str(line).context("a line is JSON")?;
                *rest = after.to_owned();
                return anyhow::Ok(value);
            }
            let chunk = stream.chunk().await?.context("the stream ended")?;
            rest.push_str(std::str::from_utf8(&chunk)?);
        }
    };
    tokio::time::timeout(Duration::from_secs(20), next).await.context("no line came")?
}

/// WO-75
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_order_is_seen_line_by_line() -> Result<()> {
    let house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    Box::pin(story::load_sample(&house.stage().await?)).await?;
    let desk = Json::new(&house, Claims::staff("desk.li").role("customer_service").every_estate())?;
    let (_, taken) = desk.report_leak().await?;
    assert_eq!(taken["classification"]["urgency"], "URGENCY_L1");
    let id = taken["workOrder"]["id"].as_str().context("an order")?;

    let mut stream = desk.send(Method::GET, &format!("/v1/work-orders/{id}:watch"), &Value::Null).await?;
    assert_eq!(stream.headers()["content-type"], "application/x-ndjson");
    let mut rest = String::new();
    let first = line(&mut stream, &mut rest).await?;
    assert_eq!((&first["workOrder"]["id"], &first["workOrder"]["state"]), (&json!(id), &json!("STATE_CLASSIFIED")));
    let assign = json!({"requestId": uuid::Uuid::now_v7().to_string(), "assignee": "tech.zhou"});
    let (status, answer) = desk.ask(Method::POST, &format!("/v1/work-orders/{id}:assign"), assign).await?;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let second = line(&mut stream, &mut rest).await?;
    assert_eq!(second["workOrder"]["state"], "STATE_ASSIGNED");
    drop(stream);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_refused_is_an_ordinary_refusal() -> Result<()> {
    let house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    let desk = Json::new(&house, Claims::staff("desk.li").role("customer_service").every_estate())?;
    let path = format!("/v1/work-orders/{}:watch", uuid::Uuid::now_v7());
    let (status, refusal) = desk.ask(Method::GET, &path, Value::Null).await?;
    assert_eq!(status, StatusCode::NOT_FOUND, "{refusal}");
    assert_eq!(refusal["error"]["details"][0]["reason"], "WORK_ORDER_NOT_FOUND");
    house.close().await
}
