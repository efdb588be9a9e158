//! The RPCs of `PolicyService`.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::EstateId;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_kit::{Error, Result};
use steward_kit_store::policy::{PolicyLayer, PolicyScope};
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::policy_service_server::PolicyService;
use tonic::{Request, Response, Status};

use super::{decode, received};
use crate::app::{App, NewVersion, PolicyKind, stored};
use crate::contract::{Code, required};
use crate::domain::ScopeLevel;

/// The service.
pub(crate) struct Policies {
    app: Arc<App>,
    pages: PageTokens,
}

impl Policies {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl PolicyService for Policies {
    async fn create_policy_version(&self, request: Request<pb::CreatePolicyVersionRequest>) -> Answer<pb::CreatePolicyVersionResponse> {
        let (access, request) = received(request)?;
        let key = RequestKey::of(&access, "CreatePolicyVersion", &request, &request.request_id)?;
        let new = new_version(request)?;
        let answer = |version: &PolicyLayer| Ok(pb::CreatePolicyVersionResponse { policy_version: Some(encode(version)?) });
        Ok(Response::new(self.app.create_policy_version(&access, &key, new, answer).await?))
    }

    async fn list_policy_versions(&self, request: Request<pb::ListPolicyVersionsRequest>) -> Answer<pb::ListPolicyVersionsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let kind = kind(&mut bad, request.kind);
        let scope = scope(&mut bad, "level", request.level, "scope_id", &request.scope_id);
        let (kind, scope) = bad.build(|| Some((kind?, scope?)))?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListPolicyVersions", &request);
        let page = self.pages.request(&query, size, &token)?;
        let versions = self.app.list_policy_versions(&access, kind, scope, &page).await?;
        let page = self.pages.page(&query, page.size, versions, |version| version.version)?;
        let policy_versions = page.rows.iter().map(encode).collect::<Result<_>>()?;
        Ok(Response::new(pb::ListPolicyVersionsResponse { policy_versions, next_page_token: page.next_page_token }))
    }

    async fn resolve_policy(&self, request: Request<pb::ResolvePolicyRequest>) -> Answer<pb::ResolvePolicyResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = decode::id::<EstateId>(&mut bad, "estate_id", &request.estate_id);
        let kind = kind(&mut bad, request.kind);
        let (estate, kind) = bad.build(|| Some((estate?, kind?)))?;
        let layers = self.app.resolve_policy(&access, kind, estate).await?;
        Ok(Response::new(pb::ResolvePolicyResponse { layers: layers.iter().map(encode).collect::<Result<_>>()? }))
    }
}

fn new_version(request: pb::CreatePolicyVersionRequest) -> Result<NewVersion> {
    let mut bad = Violations::of(&request);
    let at = request.scope.unwrap_or_default();
    let scope = scope(&mut bad, "scope.level", at.level, "scope.id", &at.id);
    let effective_time = bad.optional_timestamp("effective_time", request.effective_time.as_ref());
    let document = request.document.and_then(|document| document.document);
    bad.build(|| Some(NewVersion { scope: scope?, document: document?, effective_time, plan_code: request.plan_code }))
}

fn kind(bad: &mut Violations, number: i32) -> Option<PolicyKind> {
    match pb::PolicyKind::try_from(number) {
        Ok(pb::PolicyKind::Intake) => Some(PolicyKind::Intake),
        Ok(pb::PolicyKind::Sla) => Some(PolicyKind::Sla),
        Ok(pb::PolicyKind::Callback) => Some(PolicyKind::Callback),
        Ok(pb::PolicyKind::Unspecified) | Err(_) => {
            if !bad.iter().any(|noted| noted.field == "kind") {
                bad.add("kind", "enum.defined_only", "must be a kind this version knows");
            }
            None
        }
    }
}

fn scope(bad: &mut Violations, level_field: &str, level: i32, id_field: &str, id: &str) -> Option<PolicyScope> {
    match required::<ScopeLevel>(bad, level_field, level)? {
        ScopeLevel::Base if id.is_empty() => Some(PolicyScope::Base),
        ScopeLevel::Base => {
            bad.add(id_field, "scope", "must be empty for base, which belongs to nobody");
            None
        }
        ScopeLevel::Group => decode::id(bad, id_field, id).map(PolicyScope::Group),
        ScopeLevel::Region => decode::id(bad, id_field, id).map(PolicyScope::Region),
        ScopeLevel::Estate => decode::id(bad, id_field, id).map(PolicyScope::Estate),
    }
}

fn encode(version: &PolicyLayer) -> Result<pb::PolicyVersion> {
    let (level, id) = match version.scope {
        PolicyScope::Base => (ScopeLevel::Base, String::new()),
        PolicyScope::Group(id) => (ScopeLevel::Group, id.to_string()),
        PolicyScope::Region(id) => (ScopeLevel::Region, id.to_string()),
        PolicyScope::Estate(id) => (ScopeLevel::Estate, id.to_string()),
    };
    Ok(pb::PolicyVersion {
        id: version.id.to_string(),
        scope: Some(pb::PolicyScope { level: level.number(), id }),
        version: u32::try_from(version.version).map_err(Error::internal)?,
        effective_time: Some(to_timestamp(version.effective_time)),
        create_time: Some(to_timestamp(version.create_time)),
        // Plan, document and hash stand in the stored message already.
        ..stored(version)?
    })
}
