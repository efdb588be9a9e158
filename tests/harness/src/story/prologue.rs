//! The estate: registered, put under the numbers of a plan.

use anyhow::{Context, Result};
use prost_reflect::DynamicMessage;
use steward_dev::Workspace;
use steward_proto::{
    customer::v1::{ListEstatesRequest, PremisesType, RegisterEstateRequest, estate_service_client::EstateServiceClient},
    plan::v1::ServicePlan,
    work_order::v1::{
        CreatePolicyVersionRequest, ListPolicyVersionsRequest, PolicyDocument, PolicyKind, PolicyScope, PolicyScopeLevel,
        policy_document::Document, policy_service_client::PolicyServiceClient,
    },
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

fn operations(stage: &Stage) -> Result<Actor> {
    stage.actor("group operations", &Claims::staff("ops.lin").role("group_operations").every_estate())
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
        apply_plan(stage, operations, BASE, PolicyScope { level: PolicyScopeLevel::Base.into(), id: String::new() }).await?;
    }
    apply_plan(stage, operations, PLAN, PolicyScope { level: PolicyScopeLevel::Estate.into(), id: estate_id.to_owned() }).await
}

/// Whether the defaults are complete: the document loaded last is there.
async fn has_base(stage: &Stage, operations: &Actor) -> Result<bool> {
    let request = ListPolicyVersionsRequest {
        kind: PolicyKind::Callback.into(),
        level: PolicyScopeLevel::Base.into(),
        page_size: 1,
        ..ListPolicyVersionsRequest::default()
    };
    let mut policies = PolicyServiceClient::new(stage.gateway.clone());
    let answer = policies.list_policy_versions(operations.asks(request)?).await.context("listing the policy versions")?;
    Ok(!answer.into_inner().policy_versions.is_empty())
}

/// Puts each document of a plan with the service that owns it. Rules name categories, so the categories go first.
async fn apply_plan(stage: &Stage, operations: &Actor, code: &str, scope: PolicyScope) -> Result<()> {
    let plan = read_plan(code)?;
    let documents = [
        ("intake", plan.intake.map(Document::Intake)),
        ("sla", plan.sla.map(Document::Sla)),
        ("callback", plan.callback.map(Document::Callback)),
    ];
    let policies = PolicyServiceClient::new(stage.gateway.clone());
    for (name, document) in documents {
        let Some(document) = document else { continue };
        let request = CreatePolicyVersionRequest {
            request_id: request_id(),
            scope: Some(scope.clone()),
            document: Some(PolicyDocument { document: Some(document) }),
            effective_time: None,
            plan_code: plan.code.clone(),
        };
        // The estate reaches the other services by an event; a moment may pass.
        let version = stage
            .await_some("the estate in the work-order service", || {
                let (mut policies, request) = (policies.clone(), operations.asks(request.clone()));
                async move {
                    match policies.create_policy_version(request?).await {
                        Ok(answer) => Ok(answer.into_inner().policy_version),
                        Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
                        Err(status) => Err(status).context("creating a policy version"),
                    }
                }
            })
            .await?;
        stage.tell(format!("{name} policy of {} is version {} ({})", version.plan_code, version.version, version.id));
    }
    Ok(())
}

fn read_plan(code: &str) -> Result<ServicePlan> {
    let file = Workspace::find()?.root().join("gateway/plans").join(format!("{code}.yaml"));
    let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let descriptor =
        steward_proto::descriptor_pool().get_message_by_name("steward.plan.v1.ServicePlan").context("the plan's descriptor")?;
    let dynamic = DynamicMessage::deserialize(descriptor, serde_yaml_ng::Deserializer::from_str(&text));
    dynamic.with_context(|| format!("{} is not a service plan", file.display()))?.transcode_to().context("the plan as its own message")
}
