//! A policy gets a new version (M3, WO-73). Four trips in one transaction: policies change a few times a year.

use std::sync::Arc;

use aws_lc_rs::digest;
use jiff::Timestamp;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::idempotency::RequestKey;
use steward_kit::plan::{check_document, code_of, kind_of};
use steward_kit::proto::to_timestamp;
use steward_kit::{Error, Result};
use steward_proto::plan::v1 as pb;
use steward_proto::plan::v1::PolicyKind;
use steward_proto::plan::v1::policy_document::Document;
use uuid::Uuid;

use super::edge::{Policies, encode, scope_message};
use super::rules::{Below, PolicyRules, Surroundings};
use super::{NewPolicyVersion, PolicyScope, PolicyVersion};
use crate::effects::{Claim, Effects, NewEvent};
use crate::error::{StoreResult, store_error};
use crate::estates::Estate;
use crate::idempotency::{is_replay, replay, replayed};

/// How many versions of a scope are looked through for the one in force.
const LOOK_BACK: i64 = 50;

/// A version to add, decoded.
#[derive(Debug)]
pub(super) struct New {
    pub(super) scope: PolicyScope,
    pub(super) document: Document,
    pub(super) effective_time: Option<Timestamp>,
    pub(super) plan_code: String,
    pub(super) validate_only: bool,
    pub(super) alongside: Vec<Document>,
}

impl<R: PolicyRules> Policies<R> {
    /// Checks a document against the layers below it and adds it as the newest version of its scope.
    pub(super) async fn create(&self, access: &Access, key: &RequestKey, new: New) -> Result<pb::CreatePolicyVersionResponse> {
        if let Some(first) = replay(&self.db, key).await? {
            return pb::CreatePolicyVersionResponse::decode(first).map_err(Error::internal);
        }
        self.permit(access, new.scope).await?;
        let now = self.clock.now();
        let effective_time = new.effective_time.unwrap_or(now);
        if effective_time < now {
            return Err(Error::invalid(
                "effective_time",
                "TIME_NOT_PLAUSIBLE",
                "must not be in the past: what was begun is bound to what was in force",
            ));
        }
        self.check(&new, effective_time).await?;
        let kind = kind_of(&new.document);
        let version = NewPolicyVersion {
            kind: code_of(kind).to_owned(),
            scope: new.scope,
            document: stored_form(new.document, new.plan_code.clone()).encode_to_vec().into(),
            effective_time,
            created_by: access.principal.subject.clone(),
        };
        if new.validate_only {
            let policy_version = preview(version, now)?;
            return Ok(pb::CreatePolicyVersionResponse { policy_version: Some(policy_version) });
        }
        let mut tx = self.db.begin().await?;
        let version = self.store.create_version(&mut tx, version, now).await?;
        let told = pb::PolicyVersionCreated {
            policy_version_id: version.id.to_string(),
            plan_code: new.plan_code,
            effective_time: Some(to_timestamp(effective_time)),
            kind: kind.into(),
            scope: Some(scope_message(version.scope)),
        };
        let answer = pb::CreatePolicyVersionResponse { policy_version: Some(encode(&version)?) };
        let effects = Effects {
            claim: Some(Claim::new(key, &answer)),
            events: vec![NewEvent::new(version.id, None, now, &told)],
            timers: Vec::new(),
        };
        if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
            drop(tx);
            // A twin was faster between the look for its claim and the write.
            return if is_replay(&error) { replayed(&self.db, key).await } else { Err(store_error(error)) };
        }
        tx.commit().await.store()?;
        self.db.wake(&effects);
        self.store.refresh().await?;
        Ok(answer)
    }

    /// A document binds every estate below its scope, so the caller must reach all of them.
    async fn permit(&self, access: &Access, scope: PolicyScope) -> Result<()> {
        let estates = self.estates.all().await?;
        let reaches = |inside: &dyn Fn(&Estate) -> bool| {
            let mut inside = estates.iter().filter(|estate| inside(estate)).peekable();
            inside.peek().is_some() && inside.all(|estate| access.scope.estate(estate.id).is_ok())
        };
        let permitted = access.scope.estates().is_none()
            || match scope {
                PolicyScope::Base => false,
                PolicyScope::Group(group) => reaches(&|estate| estate.group_id == group),
                PolicyScope::Region(region) => reaches(&|estate| estate.region_id == region),
                PolicyScope::Estate(estate) => return access.scope.estate(estate).map(drop),
            };
        if permitted { Ok(()) } else { Err(access.deny(&access.permission)) }
    }

    async fn check(&self, new: &New, at: Timestamp) -> Result<()> {
        let mut bad = Violations::new();
        let below = self.below(new, at).await?;
        let calendars = self.calendars.for_scopes(&self.chain(new.scope).await?).await?.calendars;
        let kind = code_of(kind_of(&new.document));
        let document = pb::PolicyDocument { document: Some(new.document.clone()) };
        check_document(&document, "document", &calendars, &mut bad)?;
        self.rules.check(&mut bad, &format!("document.{kind}"), &new.document, &Surroundings { below, calendars })?;
        bad.finish()
    }

    /// The layers that a document is laid over: those of the scopes below it, and of its own scope the kinds that it is not.
    async fn below(&self, new: &New, at: Timestamp) -> Result<Below> {
        let mut below = Below::default();
        let chain = self.chain(new.scope).await?;
        let own = kind_of(&new.document);
        for kind in self.rules.kinds() {
            let together = new.alongside.iter().find(|document| kind_of(document) == *kind && *kind != own);
            if let Some(document) = together {
                below.push(*kind, Arc::new(unsaved(new.scope, document.clone(), at)));
            }
            for scope in chain.iter().skip(usize::from(*kind == own || together.is_some())) {
                let versions = self.store.versions(code_of(*kind), *scope, None, LOOK_BACK).await?;
                let in_force = versions.into_iter().filter(|version| version.effective_time <= at);
                if let Some(version) = in_force.max_by_key(|version| (version.effective_time, version.version)) {
                    below.push(*kind, version);
                }
            }
        }
        Ok(below)
    }

    /// A scope and those below it, most specific first.
    async fn chain(&self, scope: PolicyScope) -> Result<Vec<PolicyScope>> {
        Ok(match scope {
            PolicyScope::Base => vec![PolicyScope::Base],
            PolicyScope::Group(_) => vec![scope, PolicyScope::Base],
            PolicyScope::Region(region) => {
                let estates = self.estates.all().await?;
                let group = estates.iter().find(|estate| estate.region_id == region).map(|estate| PolicyScope::Group(estate.group_id));
                [Some(scope), group, Some(PolicyScope::Base)].into_iter().flatten().collect()
            }
            PolicyScope::Estate(id) => {
                let estate = self.estates.get(id).await?;
                vec![scope, PolicyScope::Region(estate.region_id), PolicyScope::Group(estate.group_id), PolicyScope::Base]
            }
        })
    }
}

/// What is stored: the part of the message that the columns do not say.
fn stored_form(document: Document, plan_code: String) -> pb::PolicyVersion {
    let document = pb::PolicyDocument { document: Some(document) };
    let content_hash = hex::encode(digest::digest(&digest::SHA256, &document.encode_to_vec()));
    pb::PolicyVersion { plan_code, document: Some(document), content_hash, ..Default::default() }
}

/// What would be added, as its message: without id, number and time of writing.
fn preview(version: NewPolicyVersion, now: Timestamp) -> Result<pb::PolicyVersion> {
    let message = encode(&PolicyVersion::created(Uuid::nil(), 0, version, now))?;
    Ok(pb::PolicyVersion { id: String::new(), create_time: None, ..message })
}

fn unsaved(scope: PolicyScope, document: Document, effective_time: Timestamp) -> PolicyVersion {
    let kind = code_of(kind_of(&document)).to_owned();
    let document = stored_form(document, String::new()).encode_to_vec().into();
    let new = NewPolicyVersion { kind, scope, document, effective_time, created_by: String::new() };
    PolicyVersion::created(Uuid::nil(), 0, new, effective_time)
}

/// Whether a service owns a kind; the refusal names who does.
pub(super) fn owned(rules: &impl PolicyRules, kind: PolicyKind, field: &'static str) -> Result<()> {
    if rules.kinds().contains(&kind) {
        return Ok(());
    }
    let owner = steward_kit::plan::owner_of(kind);
    Err(Error::invalid(field, "POLICY_KIND_NOT_OWNED", format!("policies of kind {} are owned by {owner}", code_of(kind))))
}
