//! One entry for each mutation of the contract, a file for each package.

mod care;
mod care_activity;
mod care_fund;
mod care_handover;
mod care_package;
mod care_touchpoint;
mod care_visit;
mod customer;
mod customer_groups;
mod customer_profile;
mod gateway;
mod notification;
mod operation;
mod plan;
mod survey;
mod survey_answer;
mod survey_matter;
mod survey_mystery;
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
    /// Fields of the answer that a replay leaves empty, by contract.
    pub(super) told_once: &'static [&'static str],
    body: Value,
    other: Value,
}

impl Entry {
    /// `rpc` without `steward.`; `body` without the request id; `other` are the fields of another body.
    fn new(rpc: &str, body: Value, other: Value) -> Self {
        Self { rpc: format!("steward.{rpc}"), by: None, told_once: &[], body, other }
    }

    /// The same, called by somebody in particular.
    fn by(self, subject: &str) -> Self {
        Self { by: Some(subject.to_owned()), ..self }
    }

    /// The same, with fields of the answer that are told once, such as a new secret.
    fn telling_once(self, fields: &'static [&'static str]) -> Self {
        Self { told_once: fields, ..self }
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

/// A body that differs by what the caller saw of the resource.
fn unseen() -> Value {
    serde_json::json!({"etag": "999"})
}

fn with(body: &Value, fields: &Value) -> Value {
    let mut all = body.as_object().cloned().unwrap_or_else(Map::new);
    all.extend(fields.as_object().cloned().unwrap_or_default());
    Value::Object(all)
}

/// The whole table over a world, and what could not be made ready for it.
pub(super) async fn entries(ground: &Ground<'_, '_>) -> (Vec<Entry>, Vec<String>) {
    let packages: [(&str, Result<Vec<Entry>>); 13] = [
        ("customer", customer::entries(ground).await),
        ("customer, profiles", customer_profile::entries(ground).await),
        ("customer, groups", customer_groups::entries(ground).await),
        ("work_order", work_order::entries(ground).await),
        ("notification", notification::entries(ground).await),
        ("survey", survey::entries(ground).await),
        ("care", care::entries(ground).await),
        ("care, activities", care_activity::entries(ground).await),
        ("care, fund and stock", care_fund::entries(ground).await),
        ("care, packages", care_package::entries(ground).await),
        ("plan", Ok(plan::entries(ground))),
        ("operation", operation::entries(ground).await),
        ("gateway", Ok(gateway::entries(ground))),
    ];
    let (mut all, mut failed) = (Vec::new(), Vec::new());
    for (package, entries) in packages {
        match entries {
            Ok(entries) => all.extend(entries),
            Err(error) => failed.push(format!("making the requests of {package}: {error:#}")),
        }
    }
    (all, failed)
}
