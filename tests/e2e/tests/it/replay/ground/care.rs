//! What care needs: programmes, rounds of visits and visits in any state.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Ground, id, until};

const ROUNDS: &str = "care.v1.VisitRoundService";

/// Care in a world.
pub(in crate::replay) struct Care<'g, 'c, 'h> {
    pub(in crate::replay) ground: &'g Ground<'c, 'h>,
}

impl Care<'_, '_, '_> {
    /// A programme with a task on the first of each month.
    pub(in crate::replay) fn programme_request(&self, code: &str) -> Value {
        let task = json!({
            "code": "monthly_call", "nameZh": "每月一访", "nameEn": "Monthly call", "layer": "CARE_LAYER_BASIC",
            "anchor": {"recurrence": {"every": "RECURRENCE_MONTH"}}, "audience": {"everyone": {}}, "action": {"task": {"role": "steward"}},
        });
        json!({"code": code, "estateId": self.ground.estate, "document": {"nameZh": "关怀", "nameEn": "Care", "touchpoints": [task]}})
    }

    /// A programme, published if said.
    pub(in crate::replay) async fn a_programme(&self, code: &str, is_published: bool) -> Result<String> {
        let mut programme = self.programme_request(code);
        programme["requestId"] = json!(id());
        let programme = self.ground.make("care.v1.ProgrammeService/CreateProgramme", "programme", programme).await?;
        if is_published {
            let publish = json!({"requestId": id(), "programmeId": programme});
            self.ground.ask("care.v1.ProgrammeService/PublishProgramme", publish).await?;
        }
        Ok(programme)
    }

    /// A round with a programme, or for everybody.
    pub(in crate::replay) fn round_request(&self, programme: Option<&str>) -> Value {
        let mut round = json!({
            "estateId": self.ground.estate, "kind": "ROUND_KIND_GENERAL", "title": "夏季回访", "fromDate": "2026-07-14",
            "toDate": "2026-08-31", "coordinator": "coordinator.he",
        });
        match programme {
            Some(programme) => (round["programmeId"], round["definitionCode"]) = (json!(programme), json!("monthly_call")),
            None => round["audience"] = json!({"everyone": {}}),
        }
        round
    }

    /// A round after these verbs: `end`, `report`. Its visits are drawn up.
    pub(in crate::replay) async fn a_round(&self, verbs: &[&str]) -> Result<String> {
        let mut round = self.round_request(None);
        round["requestId"] = json!(id());
        let round = self.ground.make(&format!("{ROUNDS}/CreateVisitRound"), "visitRound", round).await?;
        until("the visits of a round", async || {
            let answer = self.ground.ask(&format!("{ROUNDS}/GetVisitRound"), json!({"visitRoundId": round})).await?;
            Ok((answer["visitRound"]["state"] != "ROUND_STATE_PREPARING").then_some(()))
        })
        .await?;
        for verb in verbs {
            let (rpc, mut body) = match *verb {
                "end" => ("EndVisitRound", json!({})),
                "report" => ("SubmitRoundReport", json!({"analysis": "一切正常"})),
                other => anyhow::bail!("no verb {other}"),
            };
            (body["requestId"], body["visitRoundId"]) = (json!(id()), json!(round));
            self.ground.ask(&format!("{ROUNDS}/{rpc}"), body).await?;
        }
        Ok(round)
    }

    /// A visit to the household after these verbs, in a round of its own, and somebody who may make it.
    pub(in crate::replay) async fn a_visit(&self, verbs: &[&str]) -> Result<(String, String)> {
        let round = self.a_round(&[]).await?;
        // Nobody has two visits at once.
        let visitor = format!("visitor.{}", Uuid::now_v7());
        let training = json!({
            "requestId": id(), "visitRoundId": round, "subject": visitor, "role": "discipline_head",
            "topics": ["aims", "manners", "concerns", "wording"],
        });
        self.ground.ask(&format!("{ROUNDS}/RecordTraining"), training).await?;
        let visits = self.ground.ask("care.v1.VisitService/ListVisits", json!({"visitRoundId": round})).await?;
        let visits = visits["visits"].as_array().cloned().unwrap_or_default();
        let visit = visits.iter().find(|visit| visit["householdId"] == json!(self.ground.household));
        let visit = visit.and_then(|visit| visit["id"].as_str()).context("no visit to the household")?.to_owned();
        for verb in verbs {
            let (rpc, mut body) = visit_request(verb, &visitor)?;
            (body["requestId"], body["visitId"]) = (json!(id()), json!(visit));
            self.ground.ask(&format!("care.v1.VisitService/{rpc}"), body).await.with_context(|| (*verb).to_owned())?;
        }
        Ok((visit, visitor))
    }
}

/// What is asked for a verb on a visit.
pub(in crate::replay) fn visit_request(verb: &str, visitor: &str) -> Result<(&'static str, Value)> {
    Ok(match verb {
        "schedule" => ("ScheduleVisit", json!({"visitors": [visitor], "startTime": "2026-07-20T02:00:00Z", "minutes": 45})),
        "appoint" => ("ConfirmAppointment", json!({})),
        "read" => ("ReadVisitBrief", json!({})),
        "check" => ("CheckVisitKit", json!({"items": ["gift", "form"]})),
        "start" => ("StartVisit", json!({})),
        "end" => ("EndVisit", json!({})),
        "submit" => {
            let issue = json!({"kind": "WORK_ORDER_KIND_REPAIR", "category": "power", "description": "灯不亮"});
            ("SubmitVisitForm", json!({"form": {"score": 4, "issues": [issue], "isImportant": true, "position": "executives"}}))
        }
        "cancel" => ("CancelVisit", json!({"reasonCode": "customer_declined"})),
        other => anyhow::bail!("no verb {other}"),
    })
}
