//! A caller of the JSON API, as the journeys use it.

use anyhow::{Context as _, Result};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
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

    /// One call, its answer still to be read.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        Ok(request.send().await?)
    }
}
