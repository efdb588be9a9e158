//! Bad input: every RPC of every service is called with garbage by somebody who may call it. It answers, well or with a refusal, and
//! never as if something had broken; and the house stands as it did before.

mod make;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use prost_reflect::MethodDescriptor;
use serde_json::{Value, json};
use steward_e2e::{House, Room, rooms_of};
use steward_harness::wire;
use steward_kit::auth::{PermissionTable, PrincipalKind, Roles};
use tonic::{Code, Status, transport::Channel};

use crate::{caller::id, chance::Chance};
use make::{Known, request};

/// Calls at once.
const AT_ONCE: usize = 8;

/// How long an answer may take; a stream is left after a moment.
const PATIENCE: Duration = Duration::from_secs(15);
const A_LOOK: Duration = Duration::from_millis(60);

/// What a walk came to.
#[derive(Debug, Default)]
pub struct Walked {
    /// Calls made.
    pub calls: u64,
    /// RPCs called, each at each room that answers it.
    pub rpcs: usize,
    /// Calls that were answered, not refused.
    pub answered: u64,
    /// What no answer may be, with what it takes to see it again.
    pub wrong: Vec<String>,
}

/// Calls every RPC `each` times.
///
/// # Errors
/// The house does not answer at all.
pub async fn walk(house: &House, seed: u64, each: usize) -> Result<Walked> {
    let walk = Arc::new(Walk::open(house, seed).await?);
    let mut asked = Vec::new();
    for (path, _) in walk.rules.iter() {
        let method = wire::method(path.trim_start_matches('/'))?;
        // The room itself, and for what is public the gateway before it, which forwards without looking inside.
        asked.extend(rooms_of(path).iter().map(|room| (*room, method.clone())));
    }
    let rpcs = asked.len();
    let calls =
        asked.into_iter().enumerate().flat_map(|(place, (room, method))| (0..each).map(move |turn| (place, turn, room, method.clone())));
    stream::iter(calls)
        .for_each_concurrent(AT_ONCE, |(place, turn, room, method)| {
            let walk = walk.clone();
            async move { walk.one(room, &method, place, turn).await }
        })
        .await;
    let wrong = std::mem::take(&mut *walk.wrong.lock().unwrap_or_else(PoisonError::into_inner));
    let (calls, answered) = (walk.calls.load(Ordering::Relaxed), walk.answered.load(Ordering::Relaxed));
    Ok(Walked { calls, rpcs, answered, wrong })
}

struct Walk {
    channels: BTreeMap<Room, Channel>,
    tokens: BTreeMap<String, String>,
    rules: PermissionTable,
    known: Known,
    seed: u64,
    calls: AtomicU64,
    answered: AtomicU64,
    wrong: Mutex<Vec<String>>,
}

impl Walk {
    async fn open(house: &House, seed: u64) -> Result<Self> {
        let (rules, roles) = (PermissionTable::whole_suite()?, Roles::built_in());
        let mut channels = BTreeMap::new();
        for room in Room::ALL {
            channels.insert(room, Channel::from_shared(house.url(room)?)?.connect().await?);
        }
        let mut tokens = BTreeMap::new();
        for (path, rule) in rules.iter() {
            // Each RPC has a caller of its own: nobody's rate is another's limit.
            let claims = match wire::claims(&roles, rule, &format!("walker.{path}")) {
                Ok(claims) => claims,
                Err(_) => of_a_customer(&roles, &rule.permission, path)?,
            };
            tokens.insert(path.to_owned(), house.token(claims)?);
        }
        let walk = Self {
            channels,
            tokens,
            rules,
            known: Known::new(),
            seed,
            calls: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            wrong: Mutex::default(),
        };
        let known = walk.ground().await?;
        Ok(Self { known, ..walk })
    }

    /// Something to name: an estate, a home, somebody in it.
    async fn ground(&self) -> Result<Known> {
        let estate = json!({
            "requestId": id(), "groupId": id(), "regionId": id(), "name": "锦绣花园", "code": "JX-1", "cityCode": "330100",
            "timeZone": "Asia/Shanghai", "premisesType": "PREMISES_TYPE_RESIDENTIAL",
        });
        let estate = self.made("customer.v1.EstateService/RegisterEstate", "estate", estate).await?;
        let building = json!({"requestId": id(), "estateId": estate, "code": "1"});
        let building = self.made("customer.v1.UnitService/CreateBuilding", "building", building).await?;
        let unit = json!({"requestId": id(), "buildingId": building, "code": "101"});
        let unit = self.made("customer.v1.UnitService/CreateUnit", "unit", unit).await?;
        let customer = json!({
            "requestId": id(), "kind": "CUSTOMER_KIND_PERSON", "homeEstateId": estate, "name": "王芳", "source": "DATA_SOURCE_STAFF",
        });
        let customer = self.made("customer.v1.CustomerService/CreateCustomer", "customer", customer).await?;
        let tenure =
            json!({"requestId": id(), "unitId": unit, "customerId": customer, "role": "TENURE_ROLE_OWNER", "fromDate": "2024-05-01"});
        let tenure = self.made("customer.v1.TenureService/CreateTenure", "tenure", tenure).await?;
        let household = self.told("customer.v1.HouseholdService/GetHousehold", json!({"unitId": unit})).await?;
        let household = household["household"]["id"].as_str().context("a household")?.to_owned();
        Ok(vec![
            ("estate_id", estate.clone()),
            ("home_estate_id", estate),
            ("building_id", building),
            ("unit_id", unit),
            ("customer_id", customer),
            ("tenure_id", tenure),
            ("household_id", household),
            ("time_zone", "Asia/Shanghai".to_owned()),
            ("plan_code", "base".to_owned()),
            ("calendar", "24x7".to_owned()),
            ("field", "household.member_count".to_owned()),
            ("field", "customer.tags".to_owned()),
        ])
    }

    async fn told(&self, rpc: &str, body: Value) -> Result<Value> {
        let method = wire::method(&format!("steward.{rpc}"))?;
        let path = wire::path(&method);
        let answer = wire::unary(&self.channels[&Room::Gateway], &method, &self.tokens[&path], wire::encode(&method, &body)?).await;
        wire::decode(&method, answer.with_context(|| format!("{rpc} with {body}"))?)
    }

    async fn made(&self, rpc: &str, resource: &str, body: Value) -> Result<String> {
        let answer = self.told(rpc, body).await?;
        Ok(answer[resource]["id"].as_str().with_context(|| format!("no {resource}"))?.to_owned())
    }

    async fn one(&self, room: Room, method: &MethodDescriptor, place: usize, turn: usize) {
        let own = (place as u64) << 32 | turn as u64;
        let mut chance = Chance::new(self.seed ^ own.rotate_left(17));
        let path = wire::path(method);
        let room = if room != Room::Gateway && self.is_public(&path) && turn % 4 == 3 { Room::Gateway } else { room };
        let bodies: Vec<Bytes> = match method.is_client_streaming() {
            true => (0..chance.below(4)).map(|_| request(&method.input(), &mut chance, &self.known)).collect(),
            false => vec![request(&method.input(), &mut chance, &self.known)],
        };
        let sent: Vec<String> = bodies.iter().map(hex).collect();
        let patience = if method.is_server_streaming() { A_LOOK } else { PATIENCE };
        let outcome = wire::call(&self.channels[&room], method, &self.tokens[&path], bodies, patience).await;
        self.calls.fetch_add(1, Ordering::Relaxed);
        match outcome {
            Ok(()) => drop(self.answered.fetch_add(1, Ordering::Relaxed)),
            Err(status) if is_refusal(&status) => {}
            Err(status) => {
                let what = format!("{path} at {room:?} answers {:?} {} to {}", status.code(), status.message(), sent.join(" and "));
                self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(what);
            }
        }
    }

    fn is_public(&self, path: &str) -> bool {
        self.rules.rule(path).is_some_and(|rule| rule.exposure == steward_kit::auth::Exposure::Unspecified)
    }
}

fn of_a_customer(roles: &Roles, permission: &str, path: &str) -> Result<steward_harness::Claims> {
    let holder = roles.iter().find(|(_, role)| role.kind == PrincipalKind::Customer && role.permissions.contains(permission));
    let (name, _) = holder.with_context(|| format!("nobody holds {permission}"))?;
    Ok(steward_harness::Claims::customer(&format!("walker.{path}"), id()).role(name).every_estate())
}

/// Whether a status is an answer to the request, and not the sound of something that broke.
fn is_refusal(status: &Status) -> bool {
    match status.code() {
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Aborted
        | Code::ResourceExhausted
        | Code::Unimplemented => true,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => false,
    }
}

/// The beginning of a request, for who wants to send it again.
fn hex(body: &Bytes) -> String {
    let shown: String = body.iter().take(600).map(|byte| format!("{byte:02x}")).collect();
    if body.len() > 600 { format!("{shown}… ({} bytes)", body.len()) } else { format!("`{shown}`") }
}
