//! The estate: registered, put under the numbers of a plan.

use anyhow::{Context, Result, bail};
use steward_proto::{
    customer::v1::{ListEstatesRequest, PremisesType, RegisterEstateRequest, estate_service_client::EstateServiceClient},
    gateway::v1::{AppliedState, ApplyServicePlanRequest, plan_service_client::PlanServiceClient},
    plan::v1::{ListPolicyVersionsRequest, PolicyKind, PolicyScope, PolicyScopeLevel, policy_service_client::PolicyServiceClient},
};

use super::{
    import,
    stage::{Actor, Stage, given, request_id},
};
use crate::tokens::Claims;

/// What stands where a plan is silent.
const BASE: &str = "base";

/// The plan whose numbers the estate runs under.
const PLAN: &str = "service-uplift";

/// The estate that the rest of the story plays in.
pub(super) struct Estate {
    pub(super) id: String,
    /// The unit whose pipe bursts.
    pub(super) unit_id: String,
    /// Who lives there.
    pub(super) customer_id: String,
}

pub(super) async fn play(stage: &Stage) -> Result<Estate> {
    let operations = operations(stage)?;
    let id = register(stage, &operations).await?;
    apply_plans(stage, &operations, &id).await?;
    let (unit_id, customer_id) = import::play(stage, &operations, &id).await?;
    Ok(Estate { id, unit_id, customer_id })
}

/// Whether there is any estate.
pub(super) async fn has_estate(stage: &Stage) -> Result<bool> {
    let request = operations(stage)?.asks(ListEstatesRequest { page_size: 1, ..ListEstatesRequest::default() })?;
    let answer = EstateServiceClient::new(stage.gateway.clone()).list_estates(request).await.context("listing the estates")?;
    Ok(!answer.into_inner().estates.is_empty())
}

/// Group operations: may write the rules of every estate.
pub(super) fn operations(stage: &Stage) -> Result<Actor> {
    stage.actor("group operations", &Claims::staff("ops.lin").role("group_operations").every_estate())
}

/// The manager of the estate.
pub(super) fn manager(stage: &Stage, estate_id: &str) -> Result<Actor> {
    stage.actor("the estate manager", &Claims::staff("manager.qian").role("estate_manager").estate(estate_id))
}

async fn register(stage: &Stage, operations: &Actor) -> Result<String> {
    stage.scene("An estate is registered");
    let number = uuid::Uuid::new_v4().simple().to_string();
    let request = RegisterEstateRequest {
        request_id: request_id(),
        group_id: uuid::Uuid::now_v7().to_string(),
        region_id: uuid::Uuid::now_v7().to_string(),
        name: "锦绣花园".to_owned(),
        code: format!("JX-{}", &number[..8]),
        city_code: "330100".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        premises_type: PremisesType::Residential.into(),
    };
    let answer = EstateServiceClient::new(stage.gateway.clone())
        .register_estate(operations.asks(request)?)
        .await
        .context("registering the estate")?;
    let estate = given(answer.into_inner().estate, "estate")?;
    stage.tell(format!("{} {} is estate {}", estate.code, estate.name, estate.id));
    Ok(estate.id)
}

/// The product's defaults once for all, and the plan for this estate.
async fn apply_plans(stage: &Stage, operations: &Actor, estate_id: &str) -> Result<()> {
    stage.scene(format!("The numbers of plan {PLAN} are loaded as data, over those of {BASE}"));
    if !has_base(stage, operations).await? {
        apply_plan(stage, operations, BASE, PolicyScope { level: PolicyScopeLevel::Base.into(), id: String::new() }, &[]).await?;
    }
    apply_plan(stage, operations, PLAN, of_estate(estate_id), &[]).await
}

/// Whether the defaults are complete: the document applied last is there.
async fn has_base(stage: &Stage, operations: &Actor) -> Result<bool> {
    let request = ListPolicyVersionsRequest {
        kind: PolicyKind::Contact.into(),
        level: PolicyScopeLevel::Base.into(),
        page_size: 1,
        ..ListPolicyVersionsRequest::default()
    };
    let mut policies = PolicyServiceClient::new(stage.gateway.clone());
    let answer = policies.list_policy_versions(operations.asks(request)?).await.context("listing the policy versions")?;
    Ok(!answer.into_inner().policy_versions.is_empty())
}

/// The scope of one estate.
pub(super) fn of_estate(estate_id: &str) -> PolicyScope {
    PolicyScope { level: PolicyScopeLevel::Estate.into(), id: estate_id.to_owned() }
}

/// Puts documents of a plan with the services that own them: those of `kinds`, or every one.
pub(super) async fn apply_plan(stage: &Stage, operations: &Actor, code: &str, scope: PolicyScope, kinds: &[PolicyKind]) -> Result<()> {
    let request = ApplyServicePlanRequest {
        request_id: request_id(),
        plan_code: code.to_owned(),
        scope: Some(scope),
        kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
        ..ApplyServicePlanRequest::default()
    };
    let plans = PlanServiceClient::new(stage.gateway.clone());
    // The estate reaches the other services by an event; a moment may pass.
    let documents = stage
        .await_some("the estate in every service", || {
            let (mut plans, request) = (plans.clone(), operations.asks(request.clone()));
            async move {
                match plans.apply_service_plan(request?).await {
                    Ok(answer) => Ok(Some(answer.into_inner().documents)),
                    Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
                    Err(status) => Err(status).context("applying the plan"),
                }
            }
        })
        .await?;
    for document in documents {
        let kind = document.kind().as_str_name().trim_start_matches("POLICY_KIND_").to_ascii_lowercase();
        let (AppliedState::Applied, Some(version)) = (document.state(), &document.policy_version) else {
            bail!("the {kind} document of plan {code} was not applied: {:?}", document.refusal);
        };
        stage.tell(format!("{kind} policy of {code} is version {} with {} ({})", version.version, document.service, version.id));
    }
    Ok(())
}
