//! One entry for each mutation of the contract, a file for each package.

mod customer;
mod gateway;
mod notification;
mod operation;
mod plan;
mod work_order;

use anyhow::Result;
use serde_json::{Map, Value};

use super::ground::{Ground, id};

/// A request that is good once, and how it differs from another good one.
pub(super) struct Entry {
    /// `steward.customer.v1.UnitService/CreateUnit`.
    pub(super) rpc: String,
    /// The subject of the caller, where it matters who it is.
    pub(super) by: Option<String>,
    body: Value,
    other: Value,
}

impl Entry {
    /// `rpc` without `steward.`; `body` without the request id; `other` are the fields of another body.
    fn new(rpc: &str, body: Value, other: Value) -> Self {
        Self { rpc: format!("steward.{rpc}"), by: None, body, other }
    }

    /// The same, called by somebody in particular.
    fn by(self, subject: &str) -> Self {
        Self { by: Some(subject.to_owned()), ..self }
    }

    /// The request, with an id of its own.
    pub(super) fn request(&self) -> Value {
        with(&self.body, &serde_json::json!({"requestId": id()}))
    }

    /// Another request under the id of `request`.
    pub(super) fn other(&self, request: &Value) -> Value {
        with(request, &self.other)
    }
}

fn with(body: &Value, fields: &Value) -> Value {
    let mut all = body.as_object().cloned().unwrap_or_else(Map::new);
    all.extend(fields.as_object().cloned().unwrap_or_default());
    Value::Object(all)
}

/// The whole table over a world.
pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let mut all = customer::entries(ground).await?;
    all.extend(work_order::entries(ground).await?);
    all.extend(notification::entries(ground).await?);
    all.extend(plan::entries(ground));
    all.extend(operation::entries(ground).await?);
    all.extend(gateway::entries(ground));
    Ok(all)
}
