//! Callers with good manners: a call that broke off or met UNAVAILABLE is made again as it was, with the same request id, until it is
//! answered.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use serde_json::{Value, json};
use steward_harness::{Issuer, wire};
use steward_kit::{
    auth::{PermissionTable, Roles},
    clock::Clock,
};
use tonic::{Code, Status, transport::Channel};
use uuid::Uuid;

use crate::journal::{Journal, Written};

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(12);

/// How long a caller goes on calling.
const PATIENCE: Duration = Duration::from_secs(150);

/// How long a caller waits before calling again.
const PAUSE: Duration = Duration::from_millis(40);

/// What came of a call.
#[derive(Debug)]
pub enum Told {
    /// It was answered.
    Answer(Value),
    /// It was refused, for good.
    Refused(Status),
}

/// The callers, and what they were told.
pub struct Callers {
    gateway: Channel,
    issuer: &'static Issuer,
    clock: Clock,
    rules: PermissionTable,
    roles: Roles,
    tokens: Mutex<BTreeMap<(String, String), String>>,
    /// Everything that was acknowledged.
    pub journal: Journal,
}

/// Who calls.
#[derive(Debug, Clone)]
pub enum Who {
    /// Somebody of the staff who may make the call.
    Staff(String),
    /// The customer of this id.
    Customer(String),
}

impl Who {
    /// Somebody of the staff.
    pub fn staff(name: impl Into<String>) -> Self {
        Self::Staff(name.into())
    }

    fn name(&self) -> &str {
        match self {
            Self::Staff(name) | Self::Customer(name) => name,
        }
    }
}

/// A fresh UUID.
pub fn id() -> String {
    Uuid::now_v7().to_string()
}

impl Callers {
    /// Callers in front of a gateway.
    ///
    /// # Errors
    /// The contract or the roles do not read.
    pub fn new(gateway: Channel, issuer: &'static Issuer, clock: Clock) -> Result<Self> {
        let (rules, roles) = (PermissionTable::whole_suite()?, Roles::built_in());
        Ok(Self { gateway, issuer, clock, rules, roles, tokens: Mutex::default(), journal: Journal::default() })
    }

    /// A question, or a mutation that need not be counted; it must succeed. `rpc` without `steward.`.
    ///
    /// # Errors
    /// It is refused, or never answered.
    pub async fn ask(&self, who: &Who, rpc: &str, body: Value) -> Result<Value> {
        match self.insist(who, rpc, body).await? {
            (Told::Answer(answer), _) => Ok(answer),
            (Told::Refused(status), _) => bail!("{rpc}: {:?} {}", status.code(), status.message()),
        }
    }

    /// A mutation of a thing that is known; it is noted when it is acknowledged.
    ///
    /// # Errors
    /// It is never answered.
    pub async fn change(&self, who: &Who, rpc: &str, kind: &'static str, id: &str, body: Value) -> Result<Told> {
        let (told, written) = self.insist(who, rpc, body).await?;
        if let Some(written) = written {
            self.journal.acknowledge(Written { kind, id: id.to_owned(), ..written });
        }
        Ok(told)
    }

    /// A mutation that makes `resource`, whose id is noted when it is acknowledged. `None` if it is refused.
    ///
    /// # Errors
    /// It is never answered, or the answer has no such resource.
    pub async fn make(&self, who: &Who, rpc: &str, kind: &'static str, resource: &str, body: Value) -> Result<Option<Value>> {
        let (Told::Answer(answer), Some(written)) = self.insist(who, rpc, body).await? else { return Ok(None) };
        let made = answer.get(resource).with_context(|| format!("no {resource} in an answer of {rpc}"))?.clone();
        let id = made["id"].as_str().with_context(|| format!("a {resource} without an id"))?.to_owned();
        self.journal.acknowledge(Written { kind, id, ..written });
        Ok(Some(made))
    }

    /// Asks again what was acknowledged: the answer must be the same, byte for byte.
    ///
    /// # Errors
    /// It is never answered.
    pub async fn repeat(&self, written: &Written) -> Result<bool> {
        let method = wire::method(&written.rpc)?;
        let who = if written.rpc.ends_with("SubmitResponse") { Who::Customer(written.by.clone()) } else { Who::staff(&written.by) };
        let token = self.token(&who, &wire::path(&method))?;
        let begun = Instant::now();
        loop {
            match wire::unary(&self.gateway, &method, &token, written.body.clone()).await {
                Ok(answer) => return Ok(answer == written.answer),
                Err(status) if begun.elapsed() < PATIENCE && is_worth_another(&status) => tokio::time::sleep(PAUSE).await,
                Err(status) => {
                    self.journal.wrong(format!("{} was acknowledged, and its repetition is refused: {status}", written.rpc));
                    return Ok(false);
                }
            }
        }
    }

    async fn insist(&self, who: &Who, rpc: &str, mut body: Value) -> Result<(Told, Option<Written>)> {
        let rpc = format!("steward.{rpc}");
        let method = wire::method(&rpc)?;
        let has_id = method.input().get_field_by_json_name("requestId").is_some();
        let request_id = id();
        if has_id {
            body["requestId"] = json!(request_id);
        }
        let body = wire::encode(&method, &body)?;
        let token = self.token(who, &wire::path(&method))?;
        let begun = Instant::now();
        let mut attempts = 0;
        let mut last;
        loop {
            attempts += 1;
            let attempt = wire::unary(&self.gateway, &method, &token, body.clone());
            let outcome = tokio::time::timeout(ATTEMPT, attempt).await;
            match outcome {
                Ok(Ok(answer)) => {
                    let value = wire::decode(&method, answer.clone())?;
                    let written = has_id.then(|| self.written(rpc, who, request_id, body, answer, attempts));
                    return Ok((Told::Answer(value), written));
                }
                Ok(Err(status)) if !is_worth_another(&status) => {
                    if has_id {
                        self.journal.refuse(request_id, format!("{rpc}: {:?} {}", status.code(), status.message()));
                    }
                    return Ok((Told::Refused(status), None));
                }
                Ok(Err(status)) => {
                    if is_wrong(&status) {
                        self.journal.wrong(format!("{rpc} answered {:?} {} to attempt {attempts}", status.code(), status.message()));
                    }
                    last = status.to_string();
                }
                Err(_) => last = "no answer in time".to_owned(),
            }
            if begun.elapsed() > PATIENCE {
                bail!("{rpc} was not answered in {} s and {attempts} attempts: {last}", PATIENCE.as_secs());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn written(&self, rpc: String, who: &Who, request_id: String, body: Bytes, answer: Bytes, attempts: u32) -> Written {
        let (by, at) = (who.name().to_owned(), self.clock.now());
        Written { rpc, by, request_id, body, answer, kind: "", id: String::new(), at, attempts }
    }

    fn token(&self, who: &Who, path: &str) -> Result<String> {
        let rule = self.rules.rule(path).with_context(|| format!("{path} has no rule"))?;
        let key = (who.name().to_owned(), rule.permission.clone());
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = tokens.get(&key) {
            return Ok(token.clone());
        }
        let claims = match who {
            Who::Staff(name) => wire::claims(&self.roles, rule, name)?,
            Who::Customer(id) => steward_harness::Claims::customer(&format!("resident.{id}"), id).role("resident").every_estate(),
        };
        let token = self.issuer.mint(&claims)?;
        tokens.insert(key, token.clone());
        Ok(token)
    }
}

/// Whether the same request may find another answer.
fn is_worth_another(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Aborted => true,
        Code::Unknown | Code::Internal | Code::DataLoss => true,
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => false,
    }
}

/// Whether a server said what no server may say. A connection that broke has the same codes, but no words of a server with it.
fn is_wrong(status: &Status) -> bool {
    matches!(status.code(), Code::Unknown | Code::Internal | Code::DataLoss) && !status.metadata().is_empty()
}
