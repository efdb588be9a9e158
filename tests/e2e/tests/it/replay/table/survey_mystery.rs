//! The mutations of `steward.survey.v1` about mystery visits, and the question that a household is asked for a reason of its own.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Entry, unseen, with};
use crate::replay::ground::{Ground, id};

const SERVICE: &str = "survey.v1.MysteryVisitService";

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let plan = json!({
        "estateId": ground.estate, "scenario": "租户八点来问停车证", "visitorCode": "M-7", "trainingRef": "training/7",
        "dueTime": "2026-07-31T12:00:00Z", "checklist": [{"code": "greeting", "text": "起身问候", "maxPoints": 10}],
    });
    let scored = |points: u32| {
        let score = json!({"code": "greeting", "points": points, "evidenceRefs": ["photo/1"]});
        json!({"visitTime": ground.now(), "scores": [score]})
    };
    let steps = [("RecordMysteryVisit", scored(3)), ("AppealMysteryVisit", json!({"reason": "当时停电"}))];
    // A visit after so many of the steps.
    let of = async |rpc: &str, after: usize, body: Value, other: Value| -> Result<Entry> {
        let visit = ground.make(&format!("{SERVICE}/PlanMysteryVisit"), "mysteryVisit", with(&plan, &json!({"requestId": id()}))).await?;
        for (step, body) in &steps[..after] {
            let body = with(body, &json!({"requestId": id(), "mysteryVisitId": visit}));
            ground.ask(&format!("{SERVICE}/{step}"), body).await?;
        }
        Ok(Entry::new(&format!("{SERVICE}/{rpc}"), with(&body, &json!({"mysteryVisitId": visit})), other))
    };
    let ask = json!({
        "estateId": ground.estate, "householdId": ground.household, "unitId": ground.unit, "customerId": ground.customer,
        "questionnaireCode": "walk.first", "subject": {"kind": "activity", "code": id()},
    });
    Ok(vec![
        Entry::new(&format!("{SERVICE}/PlanMysteryVisit"), plan.clone(), json!({"visitorCode": "M-8"})),
        of("RecordMysteryVisit", 0, scored(3), json!({"scores": scored(4)["scores"]})).await?,
        of("AppealMysteryVisit", 1, json!({"reason": "当时停电"}), json!({"reason": "当时停水"})).await?,
        of("DecideMysteryAppeal", 2, json!({"reason": "有记录"}), json!({"reason": "无记录"})).await?,
        of("CancelMysteryVisit", 0, json!({}), unseen()).await?,
        Entry::new("survey.v1.ResponseService/AskHousehold", ask, json!({"subject": {"kind": "activity", "code": id()}})),
    ])
}
