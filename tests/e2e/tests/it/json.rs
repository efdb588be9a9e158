//! A caller of the JSON API, as the journeys use it.

use anyhow::{Context as _, Result};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use steward_e2e::{House, Room};
use steward_harness::Claims;

/// Somebody with a token.
pub(crate) struct Json {
    pub(crate) http: Client,
    pub(crate) base: String,
    pub(crate) token: String,
}

impl Json {
    pub(crate) fn new(house: &House, claims: Claims) -> Result<Self> {
        Ok(Self { http: Client::new(), base: house.url(Room::Gateway)?, token: house.token(claims)? })
    }

    /// One call, answered whole.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Value) -> Result<(StatusCode, Value)> {
        let answer = self.send(method, path, &body).await?;
        let status = answer.status();
        Ok((status, serde_json::from_str(&answer.text().await?).context("the answer is JSON")?))
    }

    /// One call that must succeed.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        let (status, answer) = self.ask(Method::GET, path, Value::Null).await?;
        anyhow::ensure!(status == StatusCode::OK, "{path}: {answer}");
        Ok(answer)
    }

    /// A burst pipe at a home of the sample, reported by who lives there: the customer's id, and what became of the report.
    pub(crate) async fn report_leak(&self) -> Result<(String, Value)> {
        let estates = self.get("/v1/estates?pageSize=1").await?;
        let estate = estates["estates"][0]["id"].as_str().context("an estate")?;
        let customers = self.get(&format!("/v1/estates/{estate}/customers?pageSize=1")).await?;
        let customer = customers["customers"][0]["id"].as_str().context("a customer")?;
        let tenures = self.get(&format!("/v1/tenures?customerId={customer}&pageSize=1")).await?;
        let report = json!({
            "requestId": uuid::Uuid::now_v7().to_string(), "channel": "CHANNEL_HOTLINE", "estateId": estate,
            "unitId": tenures["tenures"][0]["unitId"], "reporter": {"customerId": customer},
            "kind": "WORK_ORDER_KIND_REPAIR", "text": "水管爆漏",
        });
        let (status, taken) = self.ask(Method::POST, "/v1/reports", report).await?;
        anyhow::ensure!(status == StatusCode::OK, "{taken}");
        Ok((customer.to_owned(), taken))
    }

    /// One call, its answer still to be read.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        Ok(request.send().await?)
    }
}
