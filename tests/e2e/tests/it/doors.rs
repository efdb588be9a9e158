//! Three ways in, one stack behind them: gRPC, gRPC-Web and JSON.

use anyhow::{Context as _, Result};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use steward_e2e::House;
use steward_harness::Claims;

use crate::json::Json;

async fn open() -> Result<(House, Json)> {
    let house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    let json = Json::new(&house, Claims::staff("ops.lin").role("group_operations").every_estate())?;
    Ok((house, json))
}

fn register(request_id: &str) -> Value {
    json!({
        "requestId": request_id,
        "groupId": uuid::Uuid::now_v7().to_string(),
        "regionId": uuid::Uuid::now_v7().to_string(),
        "name": "锦绣花园", "code": "JX-1", "cityCode": "330100", "timeZone": "Asia/Shanghai",
        "premisesType": "PREMISES_TYPE_RESIDENTIAL",
    })
}

/// WO-77
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_registers_an_estate_replays_it_and_refuses_another_body() -> Result<()> {
    let (house, json) = open().await?;
    let body = register(&uuid::Uuid::now_v7().to_string());
    let (status, first) = json.ask(Method::POST, "/v1/estates", body.clone()).await?;
    assert_eq!(status, StatusCode::OK, "{first}");
    let (_, again) = json.ask(Method::POST, "/v1/estates", body.clone()).await?;
    assert_eq!(again, first, "the first answer is replayed");

    let mut other = body;
    other["name"] = json!("另一个");
    let (status, refusal) = json.ask(Method::POST, "/v1/estates", other).await?;
    assert_eq!(status, StatusCode::CONFLICT, "{refusal}");
    assert_eq!(refusal["error"]["details"][0]["reason"], "REQUEST_ID_REUSED");

    let id = first["estate"]["id"].as_str().context("an id")?;
    let (_, read) = json.ask(Method::GET, &format!("/v1/estates/{id}"), Value::Null).await?;
    assert_eq!(read["estate"]["id"], id);
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_field_is_named_at_once_and_in_the_callers_language() -> Result<()> {
    let (house, json) = open().await?;
    let (status, refusal) = json.ask(Method::POST, "/v1/estates", json!({"requestId": "x", "premisesType": 77})).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refusal}");
    let details = refusal["error"]["details"].as_array().context("details")?;
    let fields: Vec<&str> = details
        .iter()
        .flat_map(|detail| detail["fieldViolations"].as_array().into_iter().flatten())
        .filter_map(|violation| violation["field"].as_str())
        .collect();
    for field in ["request_id", "group_id", "name", "code", "premises_type"] {
        assert!(fields.contains(&field), "{field} is not among {fields:?}");
    }
    let sentence = details.iter().find(|detail| detail["locale"] == "zh-CN").context("a sentence")?;
    assert!(sentence["message"].as_str().is_some_and(|text| text.contains("有误")), "{sentence}");
    house.close().await
}

/// GR-24, XC-31
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_a_wrong_token_and_a_missing_permission_are_three_refusals() -> Result<()> {
    let (house, mut json) = open().await?;
    let anonymous = json.http.get(format!("{}/v1/estates", json.base)).send().await?;
    assert_eq!(anonymous.status(), StatusCode::UNAUTHORIZED);
    json.token = "nonsense".to_owned();
    let (status, _) = json.ask(Method::GET, "/v1/estates", Value::Null).await?;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    json.token = house.token(Claims::staff("t").role("technician").every_estate())?;
    let (status, refusal) = json.ask(Method::POST, "/v1/estates", register(&uuid::Uuid::now_v7().to_string())).await?;
    assert_eq!(status, StatusCode::FORBIDDEN, "{refusal}");
    assert_eq!(refusal["error"]["details"][0]["metadata"]["permission"], "estate.register");
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_that_are_not_there_and_internal_rpcs_are_not_found() -> Result<()> {
    let (house, json) = open().await?;
    let (status, _) = json.ask(Method::GET, "/v1/nothing", Value::Null).await?;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, refusal) = json.ask(Method::DELETE, "/v1/estates", Value::Null).await?;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{refusal}");
    let (status, document) = json.ask(Method::GET, "/openapi.json", Value::Null).await?;
    assert_eq!((status, document["openapi"].as_str()), (StatusCode::OK, Some("3.1.0")));

    let mut contacts = steward_proto::customer::v1::contact_service_client::ContactServiceClient::new(house.gateway().await?);
    let mut request = tonic::Request::new(steward_proto::customer::v1::ResolveContactRequest::default());
    let service = house.token(Claims::service("service.notification").role("service.notification").every_estate())?;
    request.metadata_mut().insert("authorization", format!("Bearer {service}").parse()?);
    let refused = contacts.resolve_contact(request).await.unwrap_err();
    assert!(matches!(refused.code(), tonic::Code::NotFound | tonic::Code::Unimplemented), "{refused:?}");
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_web_speaks_to_the_same_stack_over_http_1() -> Result<()> {
    let (house, json) = open().await?;
    // ListEstates with an empty request: flag, length, nothing.
    let answer = json
        .http
        .post(format!("{}/steward.customer.v1.EstateService/ListEstates", json.base))
        .bearer_auth(&json.token)
        .header("content-type", "application/grpc-web+proto")
        .header("x-grpc-web", "1")
        .body(vec![0_u8; 5])
        .send()
        .await?;
    assert_eq!(answer.status(), StatusCode::OK);
    let bytes = answer.bytes().await?;
    let trailers = String::from_utf8_lossy(&bytes).into_owned();
    assert!(trailers.contains("grpc-status:0"), "{trailers:?}");
    house.close().await
}

/// One principal that runs away is stopped; another is not touched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runaway_caller_is_told_to_wait_and_nobody_else_is() -> Result<()> {
    let (house, runaway) = open().await?;
    let other = Json::new(&house, Claims::staff("calm").role("group_operations").every_estate())?;
    // More at once than the burst that the gateway's defaults allow.
    let calls = (0..400).map(|_| runaway.send(Method::GET, "/v1/estates", &Value::Null));
    let answers = futures::future::try_join_all(calls).await?;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status() == StatusCode::TOO_MANY_REQUESTS).collect();
    assert!(!refused.is_empty() && refused.len() < 400, "{} of 400 were refused", refused.len());
    assert!(refused.iter().all(|answer| answer.headers().contains_key("retry-after")));
    assert_eq!(other.send(Method::GET, "/v1/estates", &Value::Null).await?.status(), StatusCode::OK);
    house.close().await
}
