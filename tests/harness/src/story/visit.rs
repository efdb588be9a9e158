//! The three-month visit (CA-32, CA-37, CP-40): left out because of an open major complaint, and planned again when that is over.

use anyhow::{Context, Result, ensure};
use steward_kit::predicate::ask;
use steward_proto::{
    care::v1::{DraftProgrammeRequest, TouchpointState, programme_service_client::ProgrammeServiceClient},
    common::v1::{Channel, Span, Unit, WorkOrderKind},
    customer::v1::{PreviewSegmentRequest, SegmentDefinition, SegmentSubject, segment_service_client::SegmentServiceClient},
    gateway::v1::{Reporter, SubmitReportRequest, intake_service_client::IntakeServiceClient},
    plan::v1::{
        CreatePolicyVersionRequest, PolicyDocument, PolicyKind, ResolvePolicyRequest, policy_document::Document,
        policy_service_client::PolicyServiceClient,
    },
    work_order::v1::{GetWorkOrderRequest, WorkOrder, work_order_service_client::WorkOrderServiceClient},
};

use super::{
    home::{Home, move_in},
    night::{assign, desk},
    prologue::{Estate, apply_plan, manager, of_estate, operations},
    repair::{call_back, close, work},
    stage::{Actor, Stage, given, instant, request_id},
    touchpoints,
};

/// The plan that the estate takes its visits from; everything else stays as it is.
const PLAN: &str = "lifecycle-butler";

/// Code of the visit in that plan, and of the programme that keeps it.
const VISIT: &str = "three_month";
const PROGRAMME: &str = "lifecycle";

pub(super) async fn play(stage: &Stage, estate: &Estate) -> Result<()> {
    stage.scene(format!("The estate takes its visits from {PLAN}: three months after the handover"));
    let manager = manager(stage, &estate.id)?;
    let home = move_in(stage, &manager, estate).await?;
    let operations = operations(stage)?;
    apply_plan(stage, &operations, PLAN, of_estate(&estate.id), &[PolicyKind::Care]).await?;
    publish(stage, &manager, estate).await?;
    let planned = touchpoints::until(stage, &manager, &home.household_id, PROGRAMME, TouchpointState::Planned).await?;
    let due = instant(planned.due_time)?;
    stage.tell(format!("the visit of the home is planned for {} ({})", stage.local(due), planned.id));
    ensure!(stage.local_date(due) == home.visit_date, "it is due three months after the handover, on {}", home.visit_date);

    stage.scene("A complaint that the press hears of: the household is left in peace");
    shorten_window(stage, &operations, estate).await?;
    let order = complain(stage, &manager, estate, &home).await?;
    stage.move_to(due)?;
    let left_out = touchpoints::until(stage, &manager, &home.household_id, PROGRAMME, TouchpointState::Excluded).await?;
    touchpoints::tell(stage, &left_out);
    ensure!(left_out.reason_code == "major_complaint", "the reason is kept: {}", left_out.reason_code);

    stage.scene("The complaint closes, and the visit is planned again");
    assign(stage, estate, &order.id).await?;
    work(stage, estate, &order.id, "清理楼道并张贴公示").await?;
    let order = call_back(stage, estate, &order.id, 5, "").await?;
    let order = close(stage, estate, order).await?;
    let flag = given(order.major_complaint, "judgement")?;
    stage.tell(format!("it counts as major until {}", stage.local_proto(flag.clear_time)));
    stage.move_to(instant(flag.clear_time)?)?;
    let again = touchpoints::until(stage, &manager, &home.household_id, PROGRAMME, TouchpointState::Planned).await?;
    touchpoints::tell(stage, &again);
    ensure!(again.id == left_out.id, "it is the same visit");
    ensure!(again.steps.iter().any(|step| step.code == "included"), "its steps say that it was taken in again");
    stage.move_to(instant(again.due_time)?)?;
    let open = touchpoints::until(stage, &manager, &home.household_id, PROGRAMME, TouchpointState::Due).await?;
    stage.tell(format!("the visit is due at {}", stage.local_proto(open.due_time)));
    Ok(())
}

/// Publishes the visit as the policy amounts to it.
async fn publish(stage: &Stage, manager: &Actor, estate: &Estate) -> Result<()> {
    let request = manager.asks(DraftProgrammeRequest { estate_id: estate.id.clone() })?;
    let drafted = ProgrammeServiceClient::new(stage.gateway.clone()).draft_programme(request).await.context("drafting the programme")?;
    let mut document = given(drafted.into_inner().document, "document")?;
    document.touchpoints.retain(|touchpoint| touchpoint.code == VISIT);
    for exclusion in document.touchpoints.iter().flat_map(|visit| &visit.exclusions) {
        stage.tell(format!("  left out: {}", exclusion.code));
    }
    touchpoints::publish(stage, manager, estate, PROGRAMME, document).await
}

/// The estate's own number: a major complaint is over a day after its close. The default is twelve months.
async fn shorten_window(stage: &Stage, operations: &Actor, estate: &Estate) -> Result<()> {
    let mut policies = PolicyServiceClient::new(stage.gateway.clone());
    let request = ResolvePolicyRequest { estate_id: estate.id.clone(), kind: PolicyKind::Intake.into() };
    let layers = policies.resolve_policy(operations.asks(request)?).await.context("asking for the policy")?.into_inner().layers;
    let mut document = layers.into_iter().next().and_then(|layer| layer.document).context("the estate's intake policy")?;
    let Some(Document::Intake(intake)) = &mut document.document else { anyhow::bail!("an intake policy of another kind") };
    intake.major_flag_window = Some(Span { value: 1, unit: Unit::Day.into(), calendar: "civil".to_owned() });
    let request = CreatePolicyVersionRequest {
        request_id: request_id(),
        scope: Some(of_estate(&estate.id)),
        document: Some(PolicyDocument { document: document.document }),
        ..CreatePolicyVersionRequest::default()
    };
    let made = policies.create_policy_version(operations.asks(request)?).await.context("adding a version")?.into_inner();
    let version = given(made.policy_version, "version")?.version;
    stage.tell(format!("intake policy version {version} of the estate: a major complaint is over one day after it closes"));
    Ok(())
}

/// A complaint that is judged major, and that the register has heard of.
async fn complain(stage: &Stage, manager: &Actor, estate: &Estate, home: &Home) -> Result<WorkOrder> {
    let desk = desk(stage, estate)?;
    let request = SubmitReportRequest {
        request_id: request_id(),
        channel: Channel::Hotline.into(),
        estate_id: estate.id.clone(),
        unit_id: home.unit_id.clone(),
        reporter: Some(Reporter { customer_id: home.customer_id.clone(), ..Reporter::default() }),
        kind: WorkOrderKind::Complaint.into(),
        text: "楼道堆满杂物无人清理，已经联系电视台记者曝光".to_owned(),
        category: "cleaning.poor_cleaning".to_owned(),
        ..SubmitReportRequest::default()
    };
    let answer = IntakeServiceClient::new(stage.gateway.clone()).submit_report(desk.asks(request)?).await.context("complaining")?;
    let id = given(answer.into_inner().work_order, "work order")?.id;
    let orders = WorkOrderServiceClient::new(stage.gateway.clone());
    let order = stage
        .await_retried("the judgement of the complaint", || {
            let (mut orders, request) = (orders.clone(), manager.asks(GetWorkOrderRequest { work_order_id: id.clone() }));
            async move {
                let order = orders.get_work_order(request?).await.context("reading the order")?.into_inner().work_order;
                Ok(order.filter(|order| order.major_complaint.is_some()))
            }
        })
        .await?;
    let reasons = order.major_complaint.iter().flat_map(|flag| flag.reason_codes.clone()).collect::<Vec<_>>().join(", ");
    stage.tell(format!("{} is a major complaint: {reasons}", order.number));

    let segments = SegmentServiceClient::new(stage.gateway.clone());
    let complaining = SegmentDefinition { predicate: Some(ask::is_true("household.has_major_complaint")), exclusions: Vec::new() };
    let request =
        PreviewSegmentRequest { estate_id: estate.id.clone(), subject: SegmentSubject::Household.into(), definition: Some(complaining) };
    stage
        .await_retried("the complaint among the facts of the household", || {
            let (mut segments, request) = (segments.clone(), manager.asks(request.clone()));
            async move {
                let preview = segments.preview_segment(request?).await.context("counting households")?.into_inner();
                Ok((preview.member_count == 1).then_some(()))
            }
        })
        .await?;
    stage.tell("the register has it: one household with an open major complaint");
    Ok(order)
}
