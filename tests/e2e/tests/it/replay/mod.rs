//! Every mutation of the suite, sent again: twice at once, again, and again when everything has moved on. The same request gets
//! the same bytes and changes nothing more; the same request id with another body is refused. The walk finds the RPCs in the
//! descriptors and their requests in [`table`]; an RPC that the table forgets fails the test by its name.

mod caller;
mod ground;
mod rows;
mod strangers;
mod streams;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use jiff::SignedDuration;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use serde_json::Value;
use steward_e2e::House;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use caller::Caller;
use ground::Ground;
use rows::{Tables, difference};
use table::Entry;

/// Mutations that are not walked yet, by full name, and why. The list only shrinks.
const NOT_YET: &[(&str, &str)] = &[];

/// Beginnings of the names of what only reads.
const READING: [&str; 8] = ["Get", "List", "Search", "Explain", "Resolve", "Lookup", "Check", "Compute"];

/// How often the count of rows is tried again when something in the background wrote at the same time. A replay that doubles
/// an effect doubles it at each of these.
const TRIES: usize = 40;

/// How much later everything is sent once more: within the day for which an answer is kept by contract.
const LATER: SignedDuration = SignedDuration::from_hours(20);

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

/// Every RPC that only reads, asks once and answers once, by full name.
fn readings() -> BTreeMap<String, MethodDescriptor> {
    let pool = steward_proto::descriptor_pool();
    pool.services()
        .filter(|service| service.full_name().starts_with("steward."))
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .filter(|method| !method.is_server_streaming() && !method.is_client_streaming())
        .filter(|method| READING.iter().any(|verb| method.name().starts_with(verb)))
        .map(|method| (format!("{}/{}", method.parent_service().full_name(), method.name()), method))
        .collect()
}

/// WO-77, XC-01, XC-30, XC-31
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mutation_can_be_repeated_and_none_can_be_confused() -> Result<()> {
    let house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    let caller = Caller::open(&house).await?;
    let ground = Ground::laid(&caller).await.context("laying the ground")?;
    let (entries, mut wrong) = table::entries(&ground).await;
    let mutations = mutations();
    assert!(mutations.len() > 40, "the walk found only {} mutations", mutations.len());

    let named: BTreeSet<&str> = entries.iter().map(|entry| entry.rpc.as_str()).collect();
    let excused: BTreeSet<&str> = NOT_YET.iter().map(|(rpc, _)| *rpc).collect();
    let known: BTreeSet<&str> = mutations.keys().map(String::as_str).collect();
    wrong.extend(known.iter().filter(|rpc| !named.contains(**rpc) && !excused.contains(**rpc)).map(|rpc| to_add(rpc)));
    wrong.extend(
        excused
            .iter()
            .filter(|rpc| named.contains(**rpc) || !known.contains(**rpc))
            .map(|rpc| format!("{rpc}: has an entry, or is no mutation any more; take it out of NOT_YET")),
    );
    let tables = Tables::of(&house).await?;
    let elsewhere = ground.make("customer.v1.EstateService/RegisterEstate", "estate", ground.an_estate("JX-99")).await?;
    wrong.extend(strangers::change_nothing(&ground, &tables, &mutations, &entries, &elsewhere).await?);
    let mut walked = Vec::new();
    for entry in &entries {
        let Some(method) = mutations.get(&entry.rpc) else {
            wrong.push(format!("{}: is no mutation of the contract", entry.rpc));
            continue;
        };
        match walk(&caller, &tables, method, entry).await {
            Ok((request, answer)) => walked.push((method, entry, request, answer)),
            Err(error) => wrong.push(format!("{}: {error:#}", entry.rpc)),
        }
    }
    let answers: Vec<_> = walked.iter().map(|(method, _, _, answer)| (*method, answer.clone())).collect();
    wrong.extend(strangers::see_nothing(&caller, &ground, &answers, &elsewhere).await?);
    house.hand.advance(LATER);
    for (method, entry, request, answer) in walked {
        match caller.send(method, entry.by.as_deref(), &request).await? {
            Ok(again) if again == answer => {}
            Ok(_) => wrong.push(format!("{}: the answer hours later differs from the first", entry.rpc)),
            Err(refused) => wrong.push(format!("{}: {}", entry.rpc, told("the call hours later is refused", &refused))),
        }
    }
    assert!(wrong.is_empty(), "{} of {} mutations:\n{}", wrong.len(), mutations.len(), wrong.join("\n"));
    house.close().await
}

/// What somebody who added a mutation has to do.
fn to_add(rpc: &str) -> String {
    let short = rpc.trim_start_matches("steward.");
    let package = short.split('.').next().unwrap_or(short);
    format!(
        "{rpc}: has no entry. Add one to tests/e2e/tests/it/replay/table/{package}*.rs: a request that is good once, over what \
         ground.rs lays, and the fields of another body: Entry::new(\"{short}\", json!({{…}}), json!({{…}}))"
    )
}

/// Walks one mutation; its request, and what a repetition of it is answered.
async fn walk(caller: &Caller<'_>, tables: &Tables, method: &MethodDescriptor, entry: &Entry) -> Result<(Value, Bytes)> {
    let request = entry.request();
    let send = async |body: &Value| caller.send(method, entry.by.as_deref(), body).await;
    // An impatient client sends it twice at once.
    let (first, twin) = tokio::join!(send(&request), send(&request));
    let first = first?.map_err(|refused| told("the first call is refused", &refused))?;
    let twin = twin?.map_err(|refused| told("its twin is refused", &refused))?;
    let answer = replayed(method, &first, entry.told_once)?;
    anyhow::ensure!(replayed(method, &twin, entry.told_once)? == answer, "two calls at once are answered differently");
    anyhow::ensure!(entry.told_once.is_empty() || (first == answer) != (twin == answer), "{:?} is told to one of two", entry.told_once);

    let mut tries = 0;
    loop {
        let before = tables.look().await?;
        let again = send(&request).await?.map_err(|refused| told("the second call is refused", &refused))?;
        anyhow::ensure!(again == answer, "the second answer differs from the first");
        let after = tables.look().await?;
        tries += 1;
        if before == after {
            break;
        }
        anyhow::ensure!(tries < TRIES, "a repetition writes rows: {}", difference(&before, &after));
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
    Ok((request, answer))
}

/// What a repetition is answered: the first answer, without what is told once.
fn replayed(method: &MethodDescriptor, first: &Bytes, told_once: &[&str]) -> Result<Bytes> {
    if told_once.is_empty() {
        return Ok(first.clone());
    }
    let mut answer = DynamicMessage::decode(method.output(), first.clone())?;
    for field in told_once {
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
