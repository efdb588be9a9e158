//! The mutations of `steward.survey.v1` about what was heard and what is done about it: sessions, feedback, improvement, reports.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Entry, unseen};
use crate::replay::ground::{Ground, id, until};

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let mut all = sessions(ground).await?;
    all.extend(feedback(ground).await?);
    all.extend(improvement(ground).await?);
    let report = json!({"reportId": a_report(ground).await?, "documentRef": "doc/2026"});
    all.push(Entry::new("survey.v1.ReportService/SubmitReport", report, json!({"documentRef": "doc/2026-2"})));
    Ok(all)
}

async fn sessions(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    const SERVICE: &str = "survey.v1.SessionService";
    let plan = json!({
        "estateId": ground.estate, "kind": "SESSION_KIND_FORUM", "topic": "养老服务", "appointmentTime": ground.now(),
    });
    let hold = json!({
        "holdTime": ground.now(), "notes": "访谈记录", "themes": [{"code": "meals", "mentionCount": 2}],
        "opinions": [{"text": "想要食堂", "customerId": ground.customer}],
    });
    let session = async || ground.make(&format!("{SERVICE}/CreateSession"), "session", with_id(&plan, json!({}))).await;
    let held = async || {
        let session = session().await?;
        ground.ask(&format!("{SERVICE}/HoldSession"), with_id(&hold, json!({"sessionId": session}))).await?;
        anyhow::Ok(session)
    };
    let of = |rpc: &str, session: String, body: &Value, other: Value| {
        Entry::new(&format!("{SERVICE}/{rpc}"), with(body, json!({"sessionId": session})), other)
    };
    Ok(vec![
        Entry::new(&format!("{SERVICE}/CreateSession"), plan.clone(), json!({"topic": "儿童乐园"})),
        of("AddParticipant", session().await?, &json!({"groupCode": "elderly"}), json!({"groupCode": "children"})),
        of("HoldSession", session().await?, &hold, json!({"notes": "别的记录"})),
        of(
            "CodeSession",
            held().await?,
            &json!({"themes": [{"code": "doctor", "mentionCount": 1}]}),
            json!({"themes": [{"code": "doctor", "mentionCount": 2}]}),
        ),
        of("CancelSession", session().await?, &json!({}), unseen()),
    ])
}

async fn feedback(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    const SERVICE: &str = "survey.v1.FeedbackService";
    let said = json!({
        "estateId": ground.estate, "source": "FEEDBACK_SOURCE_SUGGESTION_BOX", "customerId": ground.customer, "text": "多种些树",
    });
    let steps = [("AssessFeedback", json!({"ownerRole": "steward_supervisor"})), ("AdoptFeedback", json!({"reason": "秋天就种"}))];
    // An item after so many of the steps.
    let of = async |rpc: &str, after: usize, body: Value, other: Value| -> Result<Entry> {
        let item = ground.make(&format!("{SERVICE}/SubmitFeedback"), "feedbackItem", with_id(&said, json!({}))).await?;
        for (step, body) in &steps[..after] {
            ground.ask(&format!("{SERVICE}/{step}"), with_id(body, json!({"feedbackItemId": item}))).await?;
        }
        Ok(Entry::new(&format!("{SERVICE}/{rpc}"), with(&body, json!({"feedbackItemId": item})), other))
    };
    Ok(vec![
        Entry::new(&format!("{SERVICE}/SubmitFeedback"), said.clone(), json!({"text": "多种些花"})),
        of("CollateFeedback", 0, json!({"topicCode": "greening"}), json!({"topicCode": "parking"})).await?,
        of("AssessFeedback", 0, json!({"ownerRole": "steward_supervisor"}), json!({"ownerRole": "estate_manager"})).await?,
        of("AdoptFeedback", 1, json!({"reason": "秋天就种"}), json!({"reason": "春天就种"})).await?,
        of("DeclineFeedback", 1, json!({"reason": "没有地方"}), json!({"reason": "没有预算"})).await?,
        of("CompleteFeedback", 2, json!({"publicReply": "已种二十棵"}), json!({"publicReply": "已种三十棵"})).await?,
    ])
}

async fn improvement(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    const SERVICE: &str = "survey.v1.ImprovementService";
    let plan = json!({
        "estateId": ground.estate, "title": "投诉及时率", "owner": "manager.li", "documentRef": "doc/2026",
        "measures": [{"code": "train", "text": "培训", "owner": "supervisor.sun", "dueDate": "2026-08-31"}],
        "target": {"metricId": "timely_rate.result", "baseline": 0.7, "goal": 0.95},
    });
    let drafted = async || ground.make(&format!("{SERVICE}/CreateImprovementPlan"), "improvementPlan", with_id(&plan, json!({}))).await;
    let submitted = async || {
        let plan = drafted().await?;
        ground.ask(&format!("{SERVICE}/SubmitImprovementPlan"), json!({"requestId": id(), "improvementPlanId": plan})).await?;
        anyhow::Ok(plan)
    };
    let of = |rpc: &str, plan: String, body: Value, other: Value| {
        Entry::new(&format!("{SERVICE}/{rpc}"), with(&body, json!({"improvementPlanId": plan})), other)
    };
    let to_verify = submitted().await?;
    follow_up_due(ground, &to_verify).await?;
    Ok(vec![
        Entry::new(&format!("{SERVICE}/CreateImprovementPlan"), plan.clone(), json!({"title": "回访率"})),
        of(
            "UpdateImprovementPlan",
            drafted().await?,
            json!({"updateMask": "title", "title": "投诉处理及时率"}),
            json!({"title": "投诉处理率"}),
        ),
        of("SubmitImprovementPlan", drafted().await?, json!({}), unseen()),
        of(
            "RecordMeasureProgress",
            submitted().await?,
            json!({"measureCode": "train", "progressPercent": 100}),
            json!({"progressPercent": 60}),
        ),
        of("RecordPlanEffect", to_verify, json!({"value": 0.96}), json!({"value": 0.97})),
        of("CancelImprovementPlan", submitted().await?, json!({"reason": "已合并"}), json!({"reason": "已作废"})),
    ])
}

/// The follow window of a plan is over, by hand: waiting for it would take the whole house three months on.
async fn follow_up_due(ground: &Ground<'_, '_>, plan: &str) -> Result<()> {
    let db = ground.caller.house().database.superuser().await?;
    sqlx::query(
        "UPDATE survey.improvement_plans SET state = 'follow_up_due', body = body || jsonb_build_object('state', 'follow_up_due')
          WHERE id = $1::uuid",
    )
    .bind(plan)
    .execute(&db)
    .await?;
    db.close().await;
    Ok(())
}

/// The draft that survey has made of the report that is owed.
async fn a_report(ground: &Ground<'_, '_>) -> Result<String> {
    until("a report", async || {
        let answer = ground.ask("survey.v1.ReportService/ListReports", json!({"estateId": ground.estate})).await?;
        Ok(answer["reports"][0]["id"].as_str().map(str::to_owned))
    })
    .await
}

fn with(body: &Value, fields: Value) -> Value {
    super::with(body, &fields)
}

fn with_id(body: &Value, fields: Value) -> Value {
    super::with(&with(body, fields), &json!({"requestId": id()}))
}
