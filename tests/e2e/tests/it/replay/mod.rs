//! Every mutation of the suite, sent twice: the same request gets the same bytes and changes nothing more; the same request
//! id with another body is refused. The walk finds the RPCs in the descriptors and their requests in [`table`]; an RPC that
//! the table forgets fails the test by its name.

mod caller;
mod ground;
mod rows;
mod streams;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use serde_json::Value;
use steward_e2e::House;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use caller::Caller;
use ground::Ground;
use table::Entry;

/// Packages whose mutations are not walked yet, and why. The list only shrinks.
const NOT_YET: [(&str, &str); 2] = [
    ("steward.survey.v1.", "being built; its table comes with its last RPC"),
    ("steward.care.v1.", "being built; its table comes with its last RPC"),
];

/// How often the count of rows is tried again when something in the background wrote at the same time. A replay that doubles
/// an effect doubles it at each of these.
const TRIES: usize = 40;

/// Every RPC whose request carries a request id, by full name.
fn mutations() -> BTreeMap<String, MethodDescriptor> {
    let pool = steward_proto::descriptor_pool();
    pool.services()
        .filter(|service| service.full_name().starts_with("steward."))
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .filter(|method| method.input().get_field_by_name("request_id").is_some())
        .map(|method| (format!("{}/{}", method.parent_service().full_name(), method.name()), method))
        .collect()
}

/// WO-77, XC-01
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mutation_can_be_repeated_and_none_can_be_confused() -> Result<()> {
    let house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    let caller = Caller::open(&house).await?;
    let ground = Ground::laid(&caller).await.context("laying the ground")?;
    let (entries, mut wrong) = table::entries(&ground).await;
    let mutations = mutations();
    assert!(mutations.len() > 40, "the walk found only {} mutations", mutations.len());

    let named: BTreeSet<&str> = entries.iter().map(|entry| entry.rpc.as_str()).collect();
    let forgotten =
        mutations.keys().filter(|rpc| !named.contains(rpc.as_str()) && !NOT_YET.iter().any(|(package, _)| rpc.starts_with(package)));
    wrong.extend(forgotten.map(|rpc| format!("{rpc}: has no entry in tests/e2e/tests/it/replay/table")));
    for entry in &entries {
        let Some(method) = mutations.get(&entry.rpc) else {
            wrong.push(format!("{}: is no mutation of the contract", entry.rpc));
            continue;
        };
        if let Err(error) = walk(&caller, method, entry).await {
            wrong.push(format!("{}: {error:#}", entry.rpc));
        }
    }
    assert!(wrong.is_empty(), "{} of {} mutations:\n{}", wrong.len(), mutations.len(), wrong.join("\n"));
    house.close().await
}

async fn walk(caller: &Caller<'_>, method: &MethodDescriptor, entry: &Entry) -> Result<()> {
    let request = entry.request();
    let send = async |body: &Value| caller.send(method, entry.by.as_deref(), body).await;
    let first = send(&request).await?.map_err(|refused| told("the first call is refused", &refused))?;

    let mut tries = 0;
    loop {
        let before = rows::counted(caller.house()).await?;
        let again = send(&request).await?.map_err(|refused| told("the second call is refused", &refused))?;
        anyhow::ensure!(again == replayed(method, &first, entry.told_once)?, "the second answer differs from the first");
        let after = rows::counted(caller.house()).await?;
        tries += 1;
        if before == after {
            break;
        }
        anyhow::ensure!(tries < TRIES, "a repetition writes rows: {}", rows::difference(&before, &after));
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }

    let refused = match send(&entry.other(&request)).await? {
        Ok(answer) => {
            let answer = DynamicMessage::decode(method.output(), answer)?;
            anyhow::bail!("another body under the same request id is taken: {}", serde_json::to_string(&answer)?)
        }
        Err(refused) => refused,
    };
    let reason = refused.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default();
    anyhow::ensure!(
        (refused.code(), reason.as_str()) == (Code::AlreadyExists, "REQUEST_ID_REUSED"),
        "{}",
        told("another body under the same request id", &refused)
    );
    Ok(())
}

/// What a repetition is answered: the first answer, without what is told once.
fn replayed(method: &MethodDescriptor, first: &Bytes, told_once: &[&str]) -> Result<Bytes> {
    if told_once.is_empty() {
        return Ok(first.clone());
    }
    let mut answer = DynamicMessage::decode(method.output(), first.clone())?;
    for field in told_once {
        anyhow::ensure!(answer.has_field_by_name(field), "the first answer tells no {field}");
        answer.clear_field_by_name(field);
    }
    Ok(answer.encode_to_vec().into())
}

/// A refusal with everything that it says.
fn told(what: &str, refused: &Status) -> anyhow::Error {
    let details = refused.get_error_details();
    let fields = details.bad_request().map(|bad| {
        bad.field_violations.iter().map(|violation| format!("{} {}", violation.field, violation.description)).collect::<Vec<_>>()
    });
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    anyhow::anyhow!("{what}: {:?} {reason} {} {:?}", refused.code(), refused.message(), fields.unwrap_or_default())
}
