//! The scope of every RPC: whoever holds its permission for another estate, or is another customer of this one, changes nothing
//! here and learns nothing of it. The requests are those of the table, and for what only reads, whatever ids the walk has seen.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use bytes::Bytes;
use prost_reflect::{Kind, MethodDescriptor};
use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::caller::Caller;
use super::ground::Ground;
use super::rows::{Tables, difference};
use super::table::Entry;
use super::told;

/// Reads that answer any resident of the estate, by full name, and what of. The list only shrinks.
const FOR_RESIDENTS: &[(&str, &str)] = &[
    ("steward.care.v1.ActivityService/ListActivities", "what is on in the estate"),
    ("steward.care.v1.ServicePackageService/GetServicePackage", "what may be booked"),
    ("steward.care.v1.ServicePackageService/ListServicePackages", "what may be booked"),
    ("steward.customer.v1.EstateService/GetEstate", "where they live"),
    ("steward.customer.v1.UnitService/GetEstateTree", "the buildings and entrances, without who lives there"),
    ("steward.survey.v1.FeedbackService/ListAdoptedFeedback", "what became of proposals, without whose they were"),
    ("steward.survey.v1.ResultService/ListResultPages", "published results"),
];

/// Fields whose absence is refused to whoever does not reach every estate, or is a customer: the request names nothing then.
const NAMED_BY_OTHERS: [&str; 2] = ["estate_id", "reporter"];

/// Tries every mutation of the table as a stranger. Comes before the table is walked: each request would be good.
pub(super) async fn change_nothing(
    ground: &Ground<'_, '_>,
    tables: &Tables,
    mutations: &BTreeMap<String, MethodDescriptor>,
    entries: &[Entry],
    elsewhere: &str,
) -> Result<Vec<String>> {
    let (mut wrong, mut calls) = (Vec::new(), 0);
    let before = tables.settled().await?;
    for entry in entries {
        let Some(method) = mutations.get(&entry.rpc) else { continue };
        for stranger in ground.caller.strangers(method, &ground.estate, elsewhere)? {
            calls += 1;
            let who = format!("{} by a {} {}", entry.rpc, stranger.role, stranger.of);
            match ground.caller.send_as(method, stranger.claims, &entry.request()).await? {
                Ok(_) => wrong.push(format!("{who} is carried out")),
                Err(refused) if is_blind(&refused) => {}
                Err(refused) => wrong.push(format!("{who}: {}", told("is not refused as not there", &refused))),
            }
        }
    }
    let after = tables.settled().await?;
    if before != after {
        wrong.push(format!("strangers wrote rows: {}", difference(&before, &after)));
    }
    anyhow::ensure!(calls > 100, "strangers made only {calls} calls");
    Ok(wrong)
}

/// Tries every RPC that only reads, about everything that the walk has made.
pub(super) async fn see_nothing(
    caller: &Caller<'_>,
    ground: &Ground<'_, '_>,
    answers: &[(&MethodDescriptor, Bytes)],
    elsewhere: &str,
) -> Result<Vec<String>> {
    let mut seen = Seen::of(ground);
    for (method, answer) in answers {
        seen.note(&steward_harness::wire::decode(method, answer.clone())?);
    }
    let (mut wrong, mut telling) = (Vec::new(), 0);
    for (rpc, method) in super::readings() {
        let Some(body) = seen.question(&method) else { continue };
        let Ok(answer) = caller.send(&method, None, &body).await? else { continue };
        if seen.told_by(&answer).is_empty() {
            continue;
        }
        telling += 1;
        let for_residents = FOR_RESIDENTS.iter().any(|(open, _)| *open == rpc);
        let strangers = caller.strangers(&method, &ground.estate, elsewhere)?;
        for stranger in strangers.into_iter().filter(|stranger| !(for_residents && stranger.is_resident)) {
            let who = format!("{rpc} by a {} {}", stranger.role, stranger.of);
            match caller.send_as(&method, stranger.claims, &body).await? {
                Ok(answer) => {
                    let told = seen.told_by(&answer);
                    if !told.is_empty() {
                        wrong.push(format!("{who} tells of {}", told.join(", ")));
                    }
                }
                Err(refused) if is_blind(&refused) => {}
                Err(refused) => wrong.push(format!("{who}: {}", told("is not refused as not there", &refused))),
            }
        }
    }
    anyhow::ensure!(telling >= 30, "only {telling} reads had anything to tell");
    Ok(wrong)
}

/// Whether a refusal tells nothing of what is there.
fn is_blind(refused: &Status) -> bool {
    let fields = refused.get_error_details().bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    let unnamed = !fields.is_empty() && fields.iter().all(|violation| NAMED_BY_OTHERS.contains(&violation.field.as_str()));
    matches!(refused.code(), Code::NotFound | Code::PermissionDenied) || unnamed
}

/// What the walk has seen of the estate.
struct Seen {
    estate: String,
    /// The latest id for each field that may ask for one: `work_order_id`.
    by_field: BTreeMap<String, String>,
    /// Every id of the estate's own things, and what it is.
    own: BTreeMap<String, String>,
}

impl Seen {
    fn of(ground: &Ground<'_, '_>) -> Self {
        let mut seen = Self { estate: ground.estate.clone(), by_field: BTreeMap::new(), own: BTreeMap::new() };
        for (name, id) in [
            ("estate", &ground.estate),
            ("building", &ground.building),
            ("unit", &ground.unit),
            ("customer", &ground.customer),
            ("household", &ground.household),
        ] {
            seen.keep(name, id);
        }
        seen
    }

    fn keep(&mut self, name: &str, id: &str) {
        self.by_field.insert(format!("{name}_id"), id.to_owned());
        self.own.insert(id.to_owned(), name.to_owned());
    }

    /// Keeps the resources of an answer, and whether they are the estate's.
    fn note(&mut self, answer: &Value) {
        for (name, resource) in answer.as_object().into_iter().flatten() {
            let Some(id) = resource["id"].as_str() else { continue };
            let name = snake(name);
            self.by_field.entry(format!("{name}_id")).or_insert_with(|| id.to_owned());
            if resource["estateId"] == json!(self.estate) {
                self.own.insert(id.to_owned(), name);
            }
        }
    }

    /// A question of this RPC about what was seen; `None` if it asks for nothing that was.
    fn question(&self, method: &MethodDescriptor) -> Option<Value> {
        let mut body = Map::new();
        for field in method.input().fields().filter(|field| field.kind() == Kind::String) {
            let singular = if field.is_list() { field.name().trim_end_matches('s') } else { field.name() };
            let Some(id) = self.by_field.get(singular) else { continue };
            body.insert(field.json_name().to_owned(), if field.is_list() { json!([id]) } else { json!(id) });
        }
        (!body.is_empty()).then_some(Value::Object(body))
    }

    /// The estate's own things that an answer names.
    fn told_by(&self, answer: &Bytes) -> Vec<&str> {
        let text = String::from_utf8_lossy(answer);
        let told: BTreeSet<&str> = self.own.iter().filter(|(id, _)| text.contains(id.as_str())).map(|(_, name)| name.as_str()).collect();
        told.into_iter().collect()
    }
}

/// `workOrder` as fields are named in the contract.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
