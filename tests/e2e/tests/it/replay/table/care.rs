//! The mutations of `steward.care.v1`: programmes, the plans of a year, talks. Beside it: touchpoints, visits, handover.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Entry, care_handover, care_touchpoint, care_visit, unseen};
use crate::replay::ground::{Care, Ground, id};

/// Who approves what the walk wrote.
const APPROVER: &str = "approver.gu";

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let care = Care { ground };
    let running = care.a_programme("walk_running", true).await?;
    // Rounds come before the end of their programme: what was answered then is the answer afterwards too.
    let mut all = care_visit::entries(&care, &running).await?;
    all.extend(programmes(&care, &running).await?);
    all.extend(plans(ground).await?);
    all.extend(relations(ground));
    all.extend(care_touchpoint::entries(ground).await?);
    all.extend(care_handover::entries(ground).await?);
    Ok(all)
}

async fn programmes(care: &Care<'_, '_, '_>, running: &str) -> Result<Vec<Entry>> {
    let entry = |rpc: &str, body: Value, other: Value| Entry::new(&format!("care.v1.ProgrammeService/{rpc}"), body, other);
    let measured = |after: u32| {
        let measure = |numerator: u32| json!({"numerator": numerator, "denominator": 100});
        json!({"metricId": "csat_rate", "method": "survey", "treatedBefore": measure(80), "treatedAfter": measure(after)})
    };
    Ok(vec![
        entry("CreateProgramme", care.programme_request("walk_first"), json!({"code": "walk_second"})),
        entry("PublishProgramme", json!({"programmeId": care.a_programme("walk_third", false).await?}), unseen()),
        entry("RetireProgramme", json!({"programmeId": running}), unseen()),
        entry(
            "RecordProgrammeEvaluation",
            json!({"programmeId": running, "estateId": care.ground.estate, "evaluation": measured(90)}),
            json!({"evaluation": measured(91)}),
        ),
    ])
}

async fn plans(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let estate = &ground.estate;
    let entry = |rpc: &str, body: Value, other: Value| Entry::new(&format!("care.v1.AnnualPlanService/{rpc}"), body, other);
    let a_plan = |year: u16| json!({"estateId": estate, "year": year, "items": [{"title": "元宵灯会", "month": 2}]});
    let planned = async |year: u16| {
        let mut plan = a_plan(year);
        plan["requestId"] = json!(id());
        ground.make("care.v1.AnnualPlanService/CreateAnnualPlan", "annualPlan", plan).await
    };
    // One that is over: parts are recorded of the latest, and a new one may begin.
    let start = json!({"requestId": id(), "estateId": estate, "fromDate": "2025-07-01"});
    ground.ask("care.v1.AnnualPlanService/StartPlan315", start).await?;
    Ok(vec![
        entry("CreateAnnualPlan", a_plan(2027), json!({"year": 2028})),
        entry(
            "PutAnnualPlanItem",
            json!({"annualPlanId": planned(2029).await?, "item": {"title": "中秋游园", "month": 9}}),
            json!({"item": {"title": "重阳登高", "month": 10}}),
        ),
        entry("ApproveAnnualPlan", json!({"annualPlanId": planned(2030).await?}), unseen()).by(APPROVER),
        entry(
            "RecordPlan315Progress",
            json!({"estateId": estate, "part": "PLAN315_PART_IMPROVEMENT", "reference": "doc/1"}),
            json!({"reference": "doc/2"}),
        ),
        entry("StartPlan315", json!({"estateId": estate, "fromDate": "2026-07-14"}), json!({"fromDate": "2026-07-15"})),
    ])
}

fn relations(ground: &Ground<'_, '_>) -> Vec<Entry> {
    let Ground { estate, household, customer, .. } = ground;
    let entry = |rpc: &str, body: Value, other: Value| Entry::new(&format!("care.v1.RelationshipService/{rpc}"), body, other);
    let talk = json!({
        "estateId": estate, "householdId": household, "customerId": customer, "way": "CONTACT_WAY_PHONE", "purpose": "relationship",
        "isTwoWay": true, "topics": ["parking"],
    });
    vec![
        entry("RecordContact", talk, json!({"topics": ["greening"]})),
        entry(
            "SetHouseholdDate",
            json!({"estateId": estate, "householdId": household, "kind": "HOUSEHOLD_DATE_KIND_SIGNING", "date": "2026-07-01"}),
            json!({"date": "2026-07-02"}),
        ),
        entry(
            "SetOfficer",
            json!({"estateId": estate, "subject": "head.lu", "position": "executives"}),
            json!({"position": "other_heads"}),
        ),
    ]
}
