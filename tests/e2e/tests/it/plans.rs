//! Service plans through the gateway: loaded whole or in part, each document with its owner, and safe to repeat.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use steward_e2e::{House, Room};
use steward_harness::Claims;
use steward_kit::plan::{documents_of, kind_of, owner_of};
use steward_proto::{
    customer::v1::{PremisesType, RegisterEstateRequest, estate_service_client::EstateServiceClient},
    gateway::v1::{
        AppliedDocument, AppliedState, ApplyServicePlanRequest, GetServicePlanRequest, GetServiceQualityBoardRequest,
        ListServicePlansRequest, ServiceQualityBoard, plan_service_client::PlanServiceClient,
    },
    metric::v1::{MetricPeriod, MetricValue, MetricVerdict},
    plan::v1::{
        ListPolicyVersionsRequest, PolicyKind, PolicyScope, PolicyScopeLevel, PolicyVersion, ResolvePolicyRequest, ServicePlan,
        policy_service_client::PolicyServiceClient,
    },
};
use tonic::{Code, Request, Status, transport::Channel};

use crate::whole_board::whole_board;

const PRESETS: [&str; 5] = ["process-template", "care-315", "service-management", "service-uplift", "lifecycle-butler"];

/// A house, and somebody of group operations at its gateway.
struct Desk {
    house: House,
    gateway: Channel,
    token: String,
}

impl Desk {
    async fn open() -> Result<Self> {
        let house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
        let token = house.token(Claims::staff("ops.lin").role("group_operations").every_estate())?;
        Ok(Self { gateway: house.gateway().await?, house, token })
    }

    fn asks<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse()?);
        Ok(request)
    }

    async fn estate(&self, code: &str) -> Result<PolicyScope> {
        let request = RegisterEstateRequest {
            request_id: id(),
            group_id: id(),
            region_id: id(),
            name: "锦绣花园".to_owned(),
            code: code.to_owned(),
            city_code: "330100".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            premises_type: PremisesType::Residential.into(),
        };
        let answer = EstateServiceClient::new(self.gateway.clone()).register_estate(self.asks(request)?).await?.into_inner();
        Ok(PolicyScope { level: PolicyScopeLevel::Estate.into(), id: answer.estate.context("an estate")?.id })
    }

    async fn plan(&self, code: &str) -> Result<ServicePlan> {
        let request = self.asks(GetServicePlanRequest { plan_code: code.to_owned() })?;
        let answer = PlanServiceClient::new(self.gateway.clone()).get_service_plan(request).await?;
        answer.into_inner().service_plan.context("a plan")
    }

    async fn try_apply(&self, request: &ApplyServicePlanRequest) -> Result<Vec<AppliedDocument>, Status> {
        let request = self.asks(request.clone()).expect("a token is ASCII");
        Ok(PlanServiceClient::new(self.gateway.clone()).apply_service_plan(request).await?.into_inner().documents)
    }

    /// Applies; waits for a new estate to be known everywhere.
    async fn apply(&self, request: &ApplyServicePlanRequest) -> Result<Vec<AppliedDocument>> {
        for _ in 0..400 {
            match self.try_apply(request).await {
                Err(status) if status.code() == Code::NotFound => tokio::time::sleep(Duration::from_millis(25)).await,
                answer => return Ok(answer?),
            }
        }
        anyhow::bail!("the estate was never heard of")
    }

    async fn apply_base(&self) -> Result<()> {
        let documents = self.apply(&request("base", &PolicyScope { level: PolicyScopeLevel::Base.into(), id: String::new() })).await?;
        ensure!(documents.iter().all(|document| document.state() == AppliedState::Applied), "{documents:?}");
        Ok(())
    }

    async fn layers(&self, scope: &PolicyScope, kind: PolicyKind) -> Result<Vec<PolicyVersion>> {
        let request = self.asks(ResolvePolicyRequest { estate_id: scope.id.clone(), kind: kind.into() })?;
        Ok(PolicyServiceClient::new(self.gateway.clone()).resolve_policy(request).await?.into_inner().layers)
    }

    async fn board(&self, scope: &PolicyScope, plan: &str) -> Result<ServiceQualityBoard> {
        let request = GetServiceQualityBoardRequest {
            estate_ids: vec![scope.id.clone()],
            period: Some(MetricPeriod { from_date: "2026-07-01".to_owned(), to_date: "2026-07-31".to_owned() }),
            plan_code: plan.to_owned(),
            ..GetServiceQualityBoardRequest::default()
        };
        whole_board(&self.gateway, || self.asks(request.clone())).await
    }

    async fn version_count(&self, scope: &PolicyScope, kind: PolicyKind) -> Result<usize> {
        let request = ListPolicyVersionsRequest {
            kind: kind.into(),
            level: scope.level,
            scope_id: scope.id.clone(),
            ..ListPolicyVersionsRequest::default()
        };
        let answer = PolicyServiceClient::new(self.gateway.clone()).list_policy_versions(self.asks(request)?).await?;
        Ok(answer.into_inner().policy_versions.len())
    }
}

fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn request(code: &str, scope: &PolicyScope) -> ApplyServicePlanRequest {
    ApplyServicePlanRequest {
        request_id: id(),
        plan_code: code.to_owned(),
        scope: Some(scope.clone()),
        ..ApplyServicePlanRequest::default()
    }
}

fn find<'a>(board: &'a ServiceQualityBoard, id: &str) -> Option<&'a MetricValue> {
    board.values.iter().find(|value| value.metric_id == id && !value.estate_id.is_empty())
}

fn states(documents: &[AppliedDocument]) -> Vec<(PolicyKind, AppliedState)> {
    documents.iter().map(|document| (document.kind(), document.state())).collect()
}

/// P-1, XC-01: each document stands with its owner exactly as the plan has it, and nothing else does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preset_loaded_is_the_preset_in_force() -> Result<()> {
    let desk = Desk::open().await?;
    let listed = PlanServiceClient::new(desk.gateway.clone()).list_service_plans(desk.asks(ListServicePlansRequest::default())?).await?;
    let mut codes: Vec<String> = listed.into_inner().service_plans.into_iter().map(|plan| plan.plan_code).collect();
    codes.retain(|code| code != "base");
    let mut presets = PRESETS.map(str::to_owned);
    presets.sort();
    assert_eq!(codes, presets);
    desk.apply_base().await?;
    for code in PRESETS {
        let estate = desk.estate(code).await?;
        let plan = desk.plan(code).await?;
        let applied = desk.apply(&request(code, &estate)).await?;
        let documents = documents_of(&plan);
        assert_eq!(applied.len(), documents.len(), "{code}");
        for (document, applied) in documents.into_iter().zip(&applied) {
            let kind = kind_of(&document);
            assert_eq!(
                (applied.kind(), applied.state(), applied.service.as_str()),
                (kind, AppliedState::Applied, owner_of(kind)),
                "{applied:?}"
            );
            let layers = desk.layers(&estate, kind).await?;
            let first = layers.first().context("a layer")?;
            assert_eq!(first.document.as_ref().and_then(|found| found.document.as_ref()), Some(&document), "{code} {kind:?}");
            assert_eq!((first.plan_code.as_str(), first.version), (code, 1));
            assert_eq!(Some(first), applied.policy_version.as_ref());
        }
        for kind in steward_kit::plan::KINDS.into_iter().filter(|kind| applied.iter().all(|document| document.kind() != *kind)) {
            let layers = desk.layers(&estate, kind).await?;
            assert!(layers.iter().all(|layer| layer.plan_code == "base"), "{code} defines no {kind:?}");
        }
    }
    desk.house.close().await
}

/// P-2: what the command does not name stays as it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_documents_that_are_named_change() -> Result<()> {
    let desk = Desk::open().await?;
    desk.apply_base().await?;
    let estate = desk.estate("JX-2").await?;
    desk.apply(&request("service-management", &estate)).await?;
    desk.house.hand.advance(jiff::SignedDuration::from_secs(60));
    let complaints = ApplyServicePlanRequest { kinds: vec![PolicyKind::Sla.into()], ..request("service-uplift", &estate) };
    let applied = desk.apply(&complaints).await?;
    assert_eq!(states(&applied), [(PolicyKind::Sla, AppliedState::Applied)]);
    for (kind, plan) in [
        (PolicyKind::Intake, "service-management"),
        (PolicyKind::Sla, "service-uplift"),
        (PolicyKind::Callback, "service-management"),
        (PolicyKind::Survey, "service-management"),
        (PolicyKind::Care, "service-management"),
        (PolicyKind::Metrics, "service-management"),
        (PolicyKind::Contact, "base"),
    ] {
        let layers = desk.layers(&estate, kind).await?;
        assert_eq!(layers.first().map(|layer| layer.plan_code.as_str()), Some(plan), "{kind:?}");
    }

    let undefined = ApplyServicePlanRequest { kinds: vec![PolicyKind::Contact.into()], ..request("care-315", &estate) };
    let status = desk.try_apply(&undefined).await.expect_err("care-315 has no such document");
    assert_eq!(status.code(), Code::InvalidArgument);
    let unknown = desk.try_apply(&request("nobody", &estate)).await.expect_err("there is no such plan");
    assert_eq!(unknown.code(), Code::NotFound);
    desk.house.close().await
}

/// Every document is validated before the first is added; repeated with the same id, the call finishes what it began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_applied_once_and_whole_or_not_at_all() -> Result<()> {
    let mut desk = Desk::open().await?;
    let estate = desk.estate("JX-3").await?;
    let uplift = request("service-uplift", &estate);
    // Without `base` the branch of its categories is missing.
    let refused = desk.apply(&uplift).await?;
    assert_eq!(refused[0].state(), AppliedState::Refused);
    let refusal = refused[0].refusal.as_ref().context("a refusal")?;
    assert!(refusal.violations.iter().any(|place| place.field == "document.intake.categories[0].code"), "{refusal:?}");
    assert!(refused.iter().all(|document| document.state() != AppliedState::Applied), "{:?}", states(&refused));
    assert_eq!(desk.version_count(&estate, PolicyKind::Care).await?, 0);

    desk.apply_base().await?;
    // A part of it was added, as if the call had broken off there.
    let begun = desk
        .apply(&ApplyServicePlanRequest { kinds: vec![PolicyKind::Intake.into(), PolicyKind::Survey.into()], ..uplift.clone() })
        .await?;
    assert!(begun.iter().all(|document| document.state() == AppliedState::Applied), "{begun:?}");
    let finished = desk.apply(&uplift).await?;
    assert!(finished.iter().all(|document| document.state() == AppliedState::Applied), "{finished:?}");
    for document in &begun {
        let again = finished.iter().find(|other| other.kind() == document.kind());
        assert_eq!(again, Some(document), "what was added is answered again");
    }
    assert_eq!(desk.apply(&uplift).await?, finished);
    assert_eq!(desk.version_count(&estate, PolicyKind::Intake).await?, 1);

    // The same id for another plan is refused.
    let other = ApplyServicePlanRequest { plan_code: "service-management".to_owned(), ..uplift };
    let status = desk.try_apply(&other).await.expect_err("the id was used");
    assert_eq!(status.code(), Code::AlreadyExists, "{status:?}");

    // An owner that is away holds everything back.
    desk.house.stop(Room::Care)?;
    let status = desk.try_apply(&request("service-management", &estate)).await.expect_err("care is away");
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(desk.version_count(&estate, PolicyKind::Sla).await?, 1);
    desk.house.close().await
}

/// P-4, P-6: figures by the definitions of another plan than the estate runs; what a plan leaves unset is said to be so, and
/// is never 0.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_estate_is_measured_by_any_plan_whichever_it_runs() -> Result<()> {
    let desk = Desk::open().await?;
    desk.apply_base().await?;
    let estate = desk.estate("JX-4").await?;
    desk.apply(&request("service-uplift", &estate)).await?;
    let butler = desk.board(&estate, "lifecycle-butler").await?;
    let away: Vec<&str> = butler.unavailable_services.iter().map(|missing| missing.service.as_str()).collect();
    for defined in desk.plan("lifecycle-butler").await?.metrics.context("is defined")?.metrics {
        let id = defined.metric_id.as_str();
        // One name may be counted from several sources, each a figure of its own (C-02).
        let mut of_id = butler.values.iter().filter(|value| value.metric_id == id && !value.estate_id.is_empty());
        match of_id.find(|value| defined.source == 0 || value.source == defined.source) {
            // Nothing was counted yet; the target is that of 004, or blank where 004 leaves it blank.
            Some(value) => {
                assert_eq!((value.plan_code.as_str(), value.target), ("lifecycle-butler", defined.target), "{id}");
                assert!(matches!(value.verdict(), MetricVerdict::NoData | MetricVerdict::NoTarget), "{value:?}");
            }
            None => assert!(!away.is_empty(), "{id} is silently absent"),
        }
    }
    let management = desk.board(&estate, "service-management").await?;
    let resolved = find(&management, "resolution_rate").context("of work-order")?;
    assert_eq!((resolved.plan_code.as_str(), resolved.verdict()), ("service-management", MetricVerdict::NoData));
    assert_eq!(resolved.target.map(|target| (target.numerator, target.denominator)), Some((95, 100)));

    // The estate's own plan has them the other way round.
    let own = desk.board(&estate, "").await?;
    let repairs = find(&own, "repair_csat_rate").context("of work-order")?;
    assert_eq!((repairs.plan_code.as_str(), repairs.verdict()), ("service-uplift", MetricVerdict::NoData));
    for (board, id) in [(&own, "resolution_rate"), (&own, "loyalty_rate"), (&butler, "repair_csat_rate"), (&management, "handled_rate")] {
        let value = find(board, id).context(id)?;
        assert_eq!((value.verdict(), value.target, value.display.as_str()), (MetricVerdict::NotDefined, None, ""), "{id}");
    }
    desk.house.close().await
}
