//! Documents of a plan, each to the service that owns it (P-1, P-2).
//!
//! No transaction spans services. So everything is validated first, and the call is safe to repeat by its parts: the id of
//! each document's request is derived from the caller's. A call that broke half way is completed by the same call again.

use steward_kit::client::Peer;
use steward_kit::{
    Error,
    error::Violations,
    ids::derive_request_id,
    plan::{code_of, documents_of, kind_of, owner_of},
};
use steward_proto::{
    gateway::v1::{AppliedDocument, AppliedState, ApplyServicePlanRequest, ApplyServicePlanResponse, DocumentRefusal, DocumentViolation},
    plan::v1::{
        CreatePolicyVersionRequest, PolicyDocument, PolicyKind, PolicyVersion, ServicePlan, policy_document::Document,
        policy_service_client::PolicyServiceClient,
    },
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Caller, Services};
use crate::methods::Owner;

impl Services {
    /// Validates every document with its owner, then adds them. Two calls a document, one after the other.
    pub(crate) async fn apply_service_plan(
        &self,
        caller: &Caller,
        request: ApplyServicePlanRequest,
    ) -> Result<ApplyServicePlanResponse, Status> {
        Violations::of(&request).finish()?;
        let plan = self.plans.get(&request.plan_code)?;
        let parts = parts(plan, &request)?;
        let mut documents = Vec::with_capacity(parts.len());
        for part in &parts {
            let alongside = parts.iter().filter(|other| other.kind != part.kind && owner_of(other.kind) == owner_of(part.kind));
            let alongside = alongside.filter_map(|other| other.request.document.clone()).collect();
            let validation = CreatePolicyVersionRequest { validate_only: true, alongside, ..part.request.clone() };
            documents.push(self.add(caller, part.kind, validation).await?);
        }
        let is_refused = |documents: &[AppliedDocument]| documents.iter().any(|document| document.state() == AppliedState::Refused);
        for (part, document) in parts.into_iter().zip(0..) {
            // What was added by an earlier try is answered by its validation.
            if is_refused(&documents) {
                break;
            }
            if documents[document].state() == AppliedState::HeldBack {
                documents[document] = self.add(caller, part.kind, part.request).await?;
            }
        }
        Ok(ApplyServicePlanResponse { documents })
    }

    /// Asks the owner of a document. What it refuses in the document is an answer; that the request id was used for something
    /// else, that the estate is unknown or the owner away refuses the whole call.
    async fn add(&self, caller: &Caller, kind: PolicyKind, request: CreatePolicyVersionRequest) -> Result<AppliedDocument, Status> {
        let service = owner_of(kind).to_owned();
        let mut owner = self.policy_owner(kind)?;
        match owner.create_policy_version(caller.ask(request)).await {
            Ok(answer) => {
                // A validation answers without an id.
                let version = answer.into_inner().policy_version.filter(|version: &PolicyVersion| !version.id.is_empty());
                let state = if version.is_some() { AppliedState::Applied } else { AppliedState::HeldBack };
                Ok(AppliedDocument { kind: kind.into(), service, state: state.into(), policy_version: version, refusal: None })
            }
            Err(status) if matches!(status.code(), Code::InvalidArgument | Code::FailedPrecondition) => {
                let (state, refusal) = (AppliedState::Refused.into(), Some(refusal(&status)));
                Ok(AppliedDocument { kind: kind.into(), service, state, policy_version: None, refusal })
            }
            Err(status) => Err(status),
        }
    }

    fn policy_owner(&self, kind: PolicyKind) -> Result<PolicyServiceClient<Peer>, Error> {
        let client = Owner::of_policies(kind).and_then(|owner| self.policies.get(&owner)).cloned();
        client.ok_or_else(|| Error::bug(format!("nobody owns policies of kind {}", code_of(kind))))
    }
}

/// One document of the plan, as it is asked for.
struct Part {
    kind: PolicyKind,
    request: CreatePolicyVersionRequest,
}

/// The documents that are meant, in the order in which they are applied.
fn parts(plan: &ServicePlan, request: &ApplyServicePlanRequest) -> Result<Vec<Part>, Error> {
    let defined = documents_of(plan);
    let mut bad = Violations::new();
    for (index, kind) in request.kinds().enumerate() {
        if !defined.iter().any(|document| kind_of(document) == kind) {
            bad.add(format!("kinds[{index}]"), "PLAN_DOCUMENT_UNDEFINED", format!("plan {} does not define it", plan.code));
        }
    }
    bad.finish()?;
    let meant = |document: &Document| request.kinds.is_empty() || request.kinds().any(|kind| kind == kind_of(document));
    let part = |document: Document| {
        let kind = kind_of(&document);
        let request = CreatePolicyVersionRequest {
            request_id: derive_request_id(&request.request_id, &format!("policy/{}", code_of(kind))),
            scope: request.scope.clone(),
            document: Some(PolicyDocument { document: Some(document) }),
            effective_time: request.effective_time,
            plan_code: plan.code.clone(),
            ..CreatePolicyVersionRequest::default()
        };
        Part { kind, request }
    };
    Ok(defined.into_iter().filter(meant).map(part).collect())
}

fn refusal(status: &Status) -> DocumentRefusal {
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    let violations = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
    let violations = violations.into_iter().map(|violation| DocumentViolation {
        field: violation.field,
        reason: violation.reason,
        message: violation.description,
    });
    DocumentRefusal { reason, message: status.message().to_owned(), violations: violations.collect() }
}
