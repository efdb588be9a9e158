//! A policy gets a new version (M3, WO-73). Four trips in one transaction: policies change a few times a year.

use aws_lc_rs::digest;
use jiff::Timestamp;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::idempotency::RequestKey;
use steward_kit::proto::to_timestamp;
use steward_kit::{Error, Result};
use steward_kit_store::estates::Estate;
use steward_kit_store::idempotency::replay;
use steward_kit_store::policy::{NewPolicyVersion, PolicyLayer, PolicyScope};
use steward_kit_store::{Claim, Effects, NewEvent, StoreResult};
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::policy_document::Document;

use super::App;
use super::policy_documents::{PolicyKind, callback, intake, sla};
use crate::domain::{Policies, Surroundings, check_callback, check_intake, check_sla};

/// How many versions of a scope are looked through for the one in force.
const LOOK_BACK: i64 = 50;

/// A version to add, decoded.
#[derive(Debug)]
pub(crate) struct NewVersion {
    pub(crate) scope: PolicyScope,
    pub(crate) document: Document,
    pub(crate) effective_time: Option<Timestamp>,
    pub(crate) plan_code: String,
}

impl App {
    /// Checks a document against the layers below it and adds it as the newest version of its scope.
    pub(crate) async fn create_policy_version<R: Message + Default>(
        &self,
        access: &Access,
        key: &RequestKey,
        new: NewVersion,
        answer: fn(&PolicyLayer) -> Result<R>,
    ) -> Result<R> {
        if let Some(first) = replay(&self.db, key).await? {
            return R::decode(first).map_err(Error::internal);
        }
        self.permit(access, new.scope).await?;
        let now = self.clock.now();
        let effective_time = new.effective_time.unwrap_or(now);
        if effective_time < now {
            return Err(Error::invalid(
                "effective_time",
                "TIME_NOT_PLAUSIBLE",
                "must not be in the past: orders are bound to what was in force",
            ));
        }
        self.check(&new, effective_time).await?;
        let kind = PolicyKind::of(&new.document);
        let document = pb::PolicyDocument { document: Some(new.document) };
        let content_hash = hex::encode(digest::digest(&digest::SHA256, &document.encode_to_vec()));
        let stored = pb::PolicyVersion { plan_code: new.plan_code.clone(), document: Some(document), content_hash, ..Default::default() };
        let version = NewPolicyVersion {
            kind: kind.as_str().to_owned(),
            scope: new.scope,
            document: stored.encode_to_vec().into(),
            effective_time,
            created_by: access.principal.subject.clone(),
        };
        let mut tx = self.db.begin().await?;
        let version = self.rules.policies.create_version(&mut tx, version, now).await?;
        let told = pb::PolicyVersionCreated {
            policy_version_id: version.id.to_string(),
            plan_code: new.plan_code,
            effective_time: Some(to_timestamp(effective_time)),
        };
        let answer = answer(&version)?;
        let effects = Effects {
            claim: Some(Claim::new(key, &answer)),
            events: vec![NewEvent::new(version.id, None, now, &told)],
            timers: Vec::new(),
        };
        if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
            drop(tx);
            return self.first_answer(key, error).await;
        }
        tx.commit().await.store()?;
        self.db.wake(&effects);
        self.rules.policies.refresh().await?;
        Ok(answer)
    }

    /// A document binds every estate below its scope, so the caller must reach all of them.
    async fn permit(&self, access: &Access, scope: PolicyScope) -> Result<()> {
        let estates = self.rules.estates.all().await?;
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

    async fn check(&self, new: &NewVersion, at: Timestamp) -> Result<()> {
        let mut bad = Violations::new();
        let below = self.below(new.scope, PolicyKind::of(&new.document), at).await?;
        let calendars = self.rules.calendars.current().await?.calendars;
        let around = Surroundings { below: &below, calendars: &calendars };
        match &new.document {
            Document::Intake(policy) => {
                if let Some(policy) = intake(&mut bad, "document.intake", policy) {
                    check_intake(&mut bad, "document.intake", &policy, around);
                }
            }
            Document::Sla(policy) => {
                if let Some(policy) = sla(&mut bad, "document.sla", policy) {
                    check_sla(&mut bad, "document.sla", &policy, around);
                }
            }
            Document::Callback(policy) => {
                if let Some(policy) = callback(&mut bad, "document.callback", policy) {
                    check_callback(&mut bad, "document.callback", &policy, around);
                }
            }
        }
        bad.finish()
    }

    /// The layers that a document of `kind` in `scope` is laid over: those of the scopes below it, and of its own scope the
    /// kinds that it is not.
    async fn below(&self, scope: PolicyScope, kind: PolicyKind, at: Timestamp) -> Result<Policies> {
        let mut policies = Policies::default();
        let chain = self.chain(scope).await?;
        for other in [PolicyKind::Intake, PolicyKind::Sla, PolicyKind::Callback] {
            for scope in chain.iter().skip(usize::from(other == kind)) {
                let versions = self.rules.policies.versions(other.as_str(), *scope, None, LOOK_BACK).await?;
                let in_force = versions.iter().filter(|version| version.effective_time <= at);
                if let Some(version) = in_force.max_by_key(|version| (version.effective_time, version.version)) {
                    self.rules.lay(&mut policies, version)?;
                }
            }
        }
        Ok(policies)
    }

    /// A scope and those below it, most specific first.
    async fn chain(&self, scope: PolicyScope) -> Result<Vec<PolicyScope>> {
        let estates = self.rules.estates.all().await?;
        Ok(match scope {
            PolicyScope::Base => vec![PolicyScope::Base],
            PolicyScope::Group(_) => vec![scope, PolicyScope::Base],
            PolicyScope::Region(region) => {
                let group = estates.iter().find(|estate| estate.region_id == region).map(|estate| PolicyScope::Group(estate.group_id));
                [Some(scope), group, Some(PolicyScope::Base)].into_iter().flatten().collect()
            }
            PolicyScope::Estate(id) => {
                let estate = self.rules.estates.get(id).await?;
                vec![scope, PolicyScope::Region(estate.region_id), PolicyScope::Group(estate.group_id), PolicyScope::Base]
            }
        })
    }
}
