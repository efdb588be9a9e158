//! The plans that surveys and care go by.

use anyhow::Result;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Ground, id, until};

impl Ground<'_, '_> {
    /// The defaults, a plan over them for the group and another for the estate; and of surveys what the walk needs beside: every
    /// paper is entered twice, a report is owed since the first of the month, and scores of mystery visits may be appealed against.
    pub(super) async fn plans(&self) -> Result<()> {
        let scope = |level: &str, id: &str| json!({"level": format!("POLICY_SCOPE_LEVEL_{level}"), "id": id});
        self.apply("base", &["POLICY_KIND_SURVEY", "POLICY_KIND_CARE"], scope("BASE", "")).await?;
        self.apply("lifecycle-butler", &["POLICY_KIND_CARE"], scope("GROUP", &self.group)).await?;
        // Of a new estate a service may not have heard yet.
        until("care to hear of the estate", async || {
            Ok(self.apply("care-315", &["POLICY_KIND_CARE"], scope("ESTATE", &self.estate)).await.ok())
        })
        .await?;
        let days = |value: u32| json!({"value": value, "unit": "UNIT_DAY", "calendar": "civil"});
        let survey = json!({
            "secondEntry": {"numerator": 1, "denominator": 1},
            "reports": [{"report": "SURVEY_REPORT_MID_YEAR", "month": 7, "day": 1, "due": days(10)}],
            "mysteryVisits": {"passPoints": 80, "appealWithin": days(7), "recheckAfter": days(30)},
        });
        until("survey to hear of the estate", async || {
            let policy = json!({"requestId": id(), "scope": scope("ESTATE", &self.estate), "document": {"survey": survey}});
            Ok(self.ask("plan.v1.PolicyService/CreatePolicyVersion", policy).await.ok())
        })
        .await?;
        // Once in an hour survey looks which reports are owed.
        self.caller.house().hand.advance(SignedDuration::from_hours(1));
        Ok(())
    }

    async fn apply(&self, plan: &str, kinds: &[&str], scope: Value) -> Result<Value> {
        let plan = json!({"requestId": id(), "planCode": plan, "kinds": kinds, "scope": scope});
        self.ask("gateway.v1.PlanService/ApplyServicePlan", plan).await
    }
}
