//! The estate that the load is about: its rules, an activity, a questionnaire, a system that wants to be told.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tonic::Code;

use crate::caller::{Callers, Told, Who, id};

/// How long the other services may take to hear of the estate.
const PATIENCE: Duration = Duration::from_secs(40);

/// Code of the questionnaire that residents are asked after an order.
pub const QUESTIONNAIRE: &str = "callback";

const APPLY_PLAN: &str = "gateway.v1.PlanService/ApplyServicePlan";
const CREATE_HOOK: &str = "notification.v1.WebhookEndpointService/CreateWebhookEndpoint";

/// What is not answered the same twice: a plan goes on where it stopped, so that a second answer may tell of more; the secret of an endpoint
/// is told once.
pub(crate) const TOLD_OTHERWISE: [&str; 2] = [APPLY_PLAN, CREATE_HOOK];

/// Whose numbers the estate runs under.
pub(crate) const PLAN: &str = "service-uplift";

/// The estate, by its ids.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The estate.
    pub estate: String,
    /// The building that homes are added to.
    pub building: String,
    /// The activity that households register for.
    pub activity: String,
}

impl Ground {
    /// Lays it. `hook` is called for what happens to orders.
    ///
    /// # Errors
    /// A call is refused.
    pub async fn laid(callers: &Callers, now: jiff::Timestamp, hook: &str) -> Result<Self> {
        let ops = Who::staff("ops.lin");
        let estate = json!({
            "groupId": id(), "regionId": id(), "name": "锦绣花园", "code": format!("JX-{}", &id()[28..]), "cityCode": "330100",
            "timeZone": "Asia/Shanghai", "premisesType": "PREMISES_TYPE_RESIDENTIAL",
        });
        let estate = made(callers.ask(&ops, "customer.v1.EstateService/RegisterEstate", estate).await?, "estate")?;
        let building = json!({"estateId": estate, "code": "1"});
        let building = made(callers.ask(&ops, "customer.v1.UnitService/CreateBuilding", building).await?, "building")?;
        let scope = |level: &str, id: &str| json!({"level": format!("POLICY_SCOPE_LEVEL_{level}"), "id": id});
        let base = json!({"planCode": "base", "scope": scope("BASE", "")});
        applied(callers, &ops, base).await?;
        let plan = json!({"planCode": PLAN, "scope": scope("ESTATE", &estate)});
        applied(callers, &ops, plan).await?;
        let told = ["WorkOrderCreated", "WorkOrderReopened", "WorkOrderClosed"].map(|name| format!("steward.work_order.v1.{name}"));
        let hook = json!({"url": hook, "description": "facility system", "estateIds": [estate], "eventTypes": told});
        heard(callers, &ops, CREATE_HOOK, hook).await?;
        Self::questionnaire(callers, &ops).await?;
        let activity = Self::activity(callers, &ops, &estate, now).await?;
        Ok(Self { estate, building, activity })
    }

    /// A questionnaire that is asked on occasion.
    async fn questionnaire(callers: &Callers, ops: &Who) -> Result<()> {
        let overall = json!({
            "code": "overall", "kind": "QUESTION_KIND_SCALE", "role": "QUESTION_ROLE_OVERALL", "textZh": "您满意吗？", "scaleMax": 5,
            "isRequired": true,
        });
        let draft = json!({"code": QUESTIONNAIRE, "draft": {"titleZh": "回访", "questions": [overall]}});
        let draft = made(callers.ask(ops, "survey.v1.QuestionnaireService/CreateQuestionnaire", draft).await?, "questionnaire")?;
        let publish = json!({"questionnaireId": draft});
        callers.ask(ops, "survey.v1.QuestionnaireService/PublishQuestionnaireVersion", publish).await?;
        let programme = json!({"code": QUESTIONNAIRE, "nameZh": "回访", "kind": "PROGRAMME_KIND_MICRO", "questionnaireId": draft});
        callers.ask(ops, "survey.v1.ProgrammeService/CreateProgramme", programme).await.map(drop)
    }

    /// An activity with room for everybody, far enough ahead for a long run.
    async fn activity(callers: &Callers, ops: &Who, estate: &str, now: jiff::Timestamp) -> Result<String> {
        const SERVICE: &str = "care.v1.ActivityService";
        let days = |count: i64| (now + SignedDuration::from_hours(24 * count)).to_string();
        let plan = json!({
            "family": "ACTIVITY_FAMILY_FESTIVAL", "typeCode": "handicraft", "title": "游园会", "place": "社区中心", "startTime": days(60),
            "endTime": days(61), "registrationFromTime": now.to_string(), "registrationToTime": days(59), "capacity": 10_000,
            "maxPartySize": 4,
        });
        let create = json!({"estateId": estate, "plan": plan});
        let activity = made(heard(callers, ops, &format!("{SERVICE}/CreateActivity"), create).await?, "activity")?;
        let body = json!({"activityId": activity});
        callers.ask(&Who::staff("approver.gu"), &format!("{SERVICE}/ApproveActivity"), body.clone()).await?;
        callers.ask(ops, &format!("{SERVICE}/PublishActivity"), body).await?;
        Ok(activity)
    }
}

/// Applies a plan until every service has all of it: one that has not heard of the estate yet holds the rest back.
pub(crate) async fn applied(callers: &Callers, who: &Who, body: Value) -> Result<()> {
    let begun = Instant::now();
    loop {
        let answer = heard(callers, who, APPLY_PLAN, body.clone()).await?;
        let documents = answer["documents"].as_array().context("documents")?;
        if documents.iter().all(|document| document["state"] == "APPLIED_STATE_APPLIED") {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "the plan is not applied: {answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A call to a service that may not have heard of what it is about.
///
/// # Errors
/// It never hears of it.
pub async fn heard(callers: &Callers, who: &Who, rpc: &str, body: Value) -> Result<Value> {
    let begun = Instant::now();
    loop {
        match callers.change(who, rpc, "ground", "", body.clone()).await? {
            Told::Answer(answer) => return Ok(answer),
            Told::Refused(status) => {
                let may_hear_of_it = status.code() != Code::InvalidArgument && begun.elapsed() < PATIENCE;
                ensure!(may_hear_of_it, "{rpc} is refused: {}", status.message());
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The id of what was made.
pub(crate) fn made(answer: Value, resource: &str) -> Result<String> {
    Ok(answer[resource]["id"].as_str().with_context(|| format!("no {resource} in {answer}"))?.to_owned())
}
