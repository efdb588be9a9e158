//! `steward.plan.v1.PolicyService`, the same in every service: decode, ask, encode. A service mounts it in three lines:
//!
//! ```ignore
//! Server::new(..)
//!     .add_service(policy_service(db.clone(), clock.clone(), pages.clone(), MyRules))
//! ```
//!
//! with a [`PolicyRules`] that names the kinds it owns and refuses what contradicts itself. Replays, who may write what,
//! the layers below, the hash, the event and the claim are here, and in `create.rs`.

use steward_kit::auth::Access;
use steward_kit::clock::Clock;
use steward_kit::error::Violations;
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::EstateId;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::plan::{code_of, kind_of};
use steward_kit::proto::to_timestamp;
use steward_kit::{Error, Result};
use steward_proto::plan::v1 as pb;
use steward_proto::plan::v1::policy_service_server::{PolicyService, PolicyServiceServer};
use steward_proto::plan::v1::{PolicyKind, PolicyScopeLevel};
use tonic::{Request, Response, Status};

use super::create::{New, owned};
use super::rules::{PolicyRules, stored};
use super::{PolicyScope, PolicyStore, PolicyVersion};
use crate::calendars::CalendarStore;
use crate::db::Db;
use crate::estates::EstateDirectory;

/// The policies of one service, as it serves them.
#[derive(Debug)]
pub struct Policies<R> {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) store: PolicyStore,
    pub(super) estates: EstateDirectory,
    pub(super) calendars: CalendarStore,
    pub(super) rules: R,
    pages: PageTokens,
}

/// The service over `db`, for the kinds that `rules` owns.
pub fn policy_service<R: PolicyRules>(db: Db, clock: Clock, pages: PageTokens, rules: R) -> PolicyServiceServer<Policies<R>> {
    PolicyServiceServer::new(Policies {
        store: PolicyStore::new(db.clone()),
        estates: EstateDirectory::new(db.clone()),
        calendars: CalendarStore::new(db.clone()),
        db,
        clock,
        rules,
        pages,
    })
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl<R: PolicyRules> PolicyService for Policies<R> {
    async fn create_policy_version(&self, request: Request<pb::CreatePolicyVersionRequest>) -> Answer<pb::CreatePolicyVersionResponse> {
        let (access, request) = received(request)?;
        let key = key_of(&access, &request)?;
        let new = new_version(request)?;
        owned(&self.rules, kind_of(&new.document), "document")?;
        Ok(Response::new(self.create(&access, &key, new).await?))
    }

    async fn list_policy_versions(&self, request: Request<pb::ListPolicyVersionsRequest>) -> Answer<pb::ListPolicyVersionsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let kind = kind(&mut bad, request.kind);
        let scope = scope(&mut bad, "level", request.level, "scope_id", &request.scope_id);
        let (kind, scope) = bad.build(|| Some((kind?, scope?)))?;
        owned(&self.rules, kind, "kind")?;
        if let PolicyScope::Estate(estate) = scope {
            access.scope.estate(estate)?;
        }
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListPolicyVersions", &request);
        let page = self.pages.request(&query, size, &token)?;
        let versions = self.store.versions(code_of(kind), scope, page.after, page.size.limit()).await?;
        let page = self.pages.page(&query, page.size, versions, |version| version.version)?;
        let policy_versions = page.rows.iter().map(|version| encode(version)).collect::<Result<_>>()?;
        Ok(Response::new(pb::ListPolicyVersionsResponse { policy_versions, next_page_token: page.next_page_token }))
    }

    async fn resolve_policy(&self, request: Request<pb::ResolvePolicyRequest>) -> Answer<pb::ResolvePolicyResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id::<EstateId>("estate_id", &request.estate_id);
        let kind = kind(&mut bad, request.kind);
        let (estate, kind) = bad.build(|| Some((estate?, kind?)))?;
        owned(&self.rules, kind, "kind")?;
        access.scope.estate(estate)?;
        let resolved = self.store.resolve(code_of(kind), estate, self.clock.now()).await?;
        let layers = resolved.layers.iter().map(|version| encode(version)).collect::<Result<_>>()?;
        Ok(Response::new(pb::ResolvePolicyResponse { layers }))
    }
}

fn received<Q>(request: Request<Q>) -> Result<(Access, Q)> {
    let access = Access::of(&request)?.clone();
    Ok((access, request.into_inner()))
}

/// A validation has the key of what it validates, so that it is answered by the version that was added since.
fn key_of(access: &Access, request: &pb::CreatePolicyVersionRequest) -> Result<RequestKey> {
    let meant = pb::CreatePolicyVersionRequest { validate_only: false, alongside: Vec::new(), ..request.clone() };
    RequestKey::of(access, "CreatePolicyVersion", &meant, &meant.request_id)
}

fn new_version(request: pb::CreatePolicyVersionRequest) -> Result<New> {
    let mut bad = Violations::of(&request);
    let at = request.scope.unwrap_or_default();
    let scope = scope(&mut bad, "scope.level", at.level, "scope.id", &at.id);
    let effective_time = bad.optional_timestamp("effective_time", request.effective_time.as_ref());
    let document = request.document.and_then(|document| document.document);
    if !request.validate_only && !request.alongside.is_empty() {
        bad.add("alongside", "validate_only", "is for validations: documents are added one by one");
    }
    let alongside = request.alongside.into_iter().filter_map(|document| document.document).collect();
    let (plan_code, validate_only) = (request.plan_code, request.validate_only);
    bad.build(|| Some(New { scope: scope?, document: document?, effective_time, plan_code, validate_only, alongside }))
}

fn kind(bad: &mut Violations, number: i32) -> Option<PolicyKind> {
    let kind = PolicyKind::try_from(number).ok().filter(|kind| *kind != PolicyKind::Unspecified);
    refuse_unknown(bad, "kind", kind.is_none());
    kind
}

/// A fault that the declared rules have noted already is not noted twice.
fn refuse_unknown(bad: &mut Violations, field: &str, is_unknown: bool) {
    if is_unknown && !bad.iter().any(|noted| noted.field == field) {
        bad.add(field, "enum.defined_only", "must be given, as a value this version knows");
    }
}

fn scope(bad: &mut Violations, level_field: &str, level: i32, id_field: &str, id: &str) -> Option<PolicyScope> {
    let level = PolicyScopeLevel::try_from(level).unwrap_or_default();
    match level {
        PolicyScopeLevel::Unspecified => {
            refuse_unknown(bad, level_field, true);
            None
        }
        PolicyScopeLevel::Base if id.is_empty() => Some(PolicyScope::Base),
        PolicyScopeLevel::Base => {
            bad.add(id_field, "scope", "must be empty for base, which belongs to nobody");
            None
        }
        PolicyScopeLevel::Group => bad.id(id_field, id).map(PolicyScope::Group),
        PolicyScopeLevel::Region => bad.id(id_field, id).map(PolicyScope::Region),
        PolicyScopeLevel::Estate => bad.id(id_field, id).map(PolicyScope::Estate),
    }
}

/// A scope as its message.
pub(super) fn scope_message(scope: PolicyScope) -> pb::PolicyScope {
    let (level, id) = match scope {
        PolicyScope::Base => (PolicyScopeLevel::Base, String::new()),
        PolicyScope::Group(id) => (PolicyScopeLevel::Group, id.to_string()),
        PolicyScope::Region(id) => (PolicyScopeLevel::Region, id.to_string()),
        PolicyScope::Estate(id) => (PolicyScopeLevel::Estate, id.to_string()),
    };
    pb::PolicyScope { level: level.into(), id }
}

/// A version as its message.
pub(super) fn encode(version: &PolicyVersion) -> Result<pb::PolicyVersion> {
    Ok(pb::PolicyVersion {
        id: version.id.to_string(),
        scope: Some(scope_message(version.scope)),
        version: u32::try_from(version.version).map_err(Error::internal)?,
        effective_time: Some(to_timestamp(version.effective_time)),
        create_time: Some(to_timestamp(version.create_time)),
        // Plan, document and hash stand in the stored message already.
        ..stored(version)?
    })
}
