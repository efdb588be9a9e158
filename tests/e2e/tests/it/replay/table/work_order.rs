//! The mutations of `steward.work_order.v1`.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Entry, unseen};
use crate::replay::ground::{Ground, TECHNICIAN, id, verb_request};

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let verb = async |name: &str, after: &[&str], other: Value| -> Result<Entry> {
        let (rpc, mut body) = verb_request(name)?;
        body["workOrderId"] = json!(ground.an_order(after).await?);
        Ok(Entry::new(&format!("work_order.v1.WorkOrderService/{rpc}"), body, other))
    };
    let plain = async |rpc: &str, after: &[&str], mut body: Value, other: Value| -> Result<Entry> {
        body["workOrderId"] = json!(ground.an_order(after).await?);
        Ok(Entry::new(&format!("work_order.v1.WorkOrderService/{rpc}"), body, other))
    };
    let offered = async |rpc: &str, mut body: Value, other: Value| -> Result<Entry> {
        body["workOrderId"] = json!(ground.an_offered_order().await?);
        Ok(Entry::new(&format!("work_order.v1.WorkOrderService/{rpc}"), body, other).by(TECHNICIAN))
    };
    let done = ["assign", "accept", "contact", "arrive", "complete"];
    let mut report = ground.a_report();
    report["requestId"] = json!(id());
    let roster = json!({"requestId": id(), "estateId": ground.estate, "workers": [a_worker(TECHNICIAN)]});
    ground.ask("work_order.v1.RosterService/PutWorkers", roster).await?;
    Ok(vec![
        Entry::new("work_order.v1.WorkOrderService/CreateWorkOrder", report, json!({"description": "水龙头滴水"})),
        plain(
            "ClassifyWorkOrder",
            &[],
            json!({"category": "power", "urgency": "URGENCY_L2", "reason": "看过现场"}),
            json!({"category": "water"}),
        )
        .await?,
        verb("assign", &[], json!({"assignee": "tech.qian"})).await?,
        plain("GrabWorkOrder", &[], json!({}), unseen()).await?.by(TECHNICIAN),
        offered("AcceptOffer", json!({}), unseen()).await?,
        offered("DeclineOffer", json!({"reason": "在梯子上"}), json!({"reason": "不在岗"})).await?,
        verb("accept", &["assign"], unseen()).await?.by(TECHNICIAN),
        verb("contact", &["assign", "accept"], json!({"note": "已联系"})).await?.by(TECHNICIAN),
        plain(
            "AssessWorkOrder",
            &["assign", "accept", "contact"],
            json!({"plan": "换灯管", "customerInformed": true}),
            json!({"plan": "换灯座"}),
        )
        .await?
        .by(TECHNICIAN),
        verb("arrive", &["assign", "accept", "contact"], unseen()).await?.by(TECHNICIAN),
        verb("complete", &["assign", "accept", "contact", "arrive"], json!({"summary": "换了灯座"})).await?.by(TECHNICIAN),
        verb("call_back", &done, json!({"score": 4})).await?,
        plain(
            "ReopenWorkOrder",
            &[&done[..], &["call_back", "close"][..]].concat(),
            json!({"reason": "又不亮了"}),
            json!({"reason": "还是不亮"}),
        )
        .await?,
        verb("close", &[&done[..], &["call_back"][..]].concat(), json!({"closeCode": "CLOSE_CODE_UNRESOLVED_EXPLAINED"})).await?,
        plain("CancelWorkOrder", &[], json!({"closeCode": "CLOSE_CODE_WITHDRAWN", "reason": "不修了"}), json!({"reason": "自己修好了"}))
            .await?,
        plain("UrgeWorkOrder", &["assign"], json!({}), unseen()).await?,
        verb("suspend", &["assign", "accept", "contact"], json!({"reason": "SUSPENSION_REASON_CUSTOMER"})).await?.by(TECHNICIAN),
        plain("ResumeWorkOrder", &["assign", "accept", "contact", "suspend"], json!({}), unseen()).await?.by(TECHNICIAN),
        plain(
            "AgreeAppointment",
            &["assign"],
            json!({"startTime": "2099-03-01T06:00:00Z", "endTime": "2099-03-01T08:00:00Z"}),
            json!({"endTime": "2099-03-01T09:00:00Z"}),
        )
        .await?
        .by(TECHNICIAN),
        plain("StartWork", &["assign", "accept", "contact", "arrive"], json!({"checked": ["badge"]}), json!({"checked": ["uniform"]}))
            .await?
            .by(TECHNICIAN),
        plain("QuoteWork", &["assign", "accept"], json!({}), unseen()).await?.by(TECHNICIAN),
        plain(
            "ConfirmQuote",
            &["assign", "accept", "quote"],
            json!({"totalFen": "0", "media": [{"key": "orders/s.jpg", "sha256": "0f".repeat(32), "kind": "MEDIA_KIND_SIGNATURE"}]}),
            json!({"totalFen": "1"}),
        )
        .await?,
        plain("ApproveSuspension", &["assign", "accept", "contact", "suspend_for_weather"], json!({}), unseen()).await?,
        merge(ground).await?,
        Entry::new(
            "work_order.v1.OrderJobService/StartOrderJob",
            json!({"estateId": ground.estate, "reassign": {"fromAssignee": "tech.gone", "toAssignee": "tech.qian"}}),
            json!({"reassign": {"fromAssignee": "tech.gone", "toAssignee": "tech.sun"}}),
        ),
        Entry::new(
            "work_order.v1.LineageService/SplitWorkOrder",
            json!({"workOrderId": ground.an_order(&[]).await?, "category": "power", "description": "另外路灯也不亮"}),
            json!({"description": "另外门禁也坏了"}),
        ),
        Entry::new(
            "work_order.v1.LiabilityService/SetLiability",
            json!({"workOrderId": ground.an_order(&[]).await?, "liability": "LIABILITY_DEVELOPER", "reason": "保修期内"}),
            json!({"liability": "LIABILITY_OWNER"}),
        ),
        Entry::new(
            "work_order.v1.QualityService/RecordSpotCheck",
            json!({"spotCheckId": a_spot_check(ground).await?, "passed": true}),
            json!({"passed": false}),
        ),
        Entry::new("work_order.v1.QualityService/CreateRootCause", a_root_cause(ground).await?, json!({"category": "water"})),
        Entry::new(
            "work_order.v1.QualityService/AddCorrectiveAction",
            json!({
                "rootCauseId": ground.make("work_order.v1.QualityService/CreateRootCause", "rootCause", a_root_cause(ground).await?).await?,
                "description": "换线", "responsible": TECHNICIAN, "startDate": "2026-03-05",
            }),
            json!({"description": "换灯"}),
        ),
        Entry::new(
            "work_order.v1.RosterService/PutWorkers",
            json!({"estateId": ground.estate, "workers": [a_worker("tech.qian")]}),
            json!({"workers": [a_worker("tech.sun")]}),
        ),
        Entry::new(
            "work_order.v1.CalendarService/LoadWorkingHours",
            json!({"workingHours": hours(540)}),
            json!({"workingHours": hours(480)}),
        ),
        Entry::new(
            "work_order.v1.CalendarService/LoadCalendarYear",
            json!({"documentJson": year("元旦")}),
            json!({"documentJson": year("新年")}),
        ),
    ])
}

/// Another order as the duplicate.
async fn merge(ground: &Ground<'_, '_>) -> Result<Entry> {
    let (lead, duplicate, other) = (ground.an_order(&[]).await?, ground.an_order(&[]).await?, ground.an_order(&[]).await?);
    let body = json!({"workOrderId": lead, "duplicateIds": [duplicate]});
    Ok(Entry::new("work_order.v1.LineageService/MergeWorkOrders", body, json!({"duplicateIds": [other]})))
}

/// By all six questions, with an order that shows it.
async fn a_root_cause(ground: &Ground<'_, '_>) -> Result<Value> {
    let answers = json!({"who": "住户", "what": "跳闸", "when": "夜间", "where": "地下室", "why": "线路老化", "how": "短路"});
    let order = ground.an_order(&[]).await?;
    Ok(json!({"requestId": id(), "estateId": ground.estate, "category": "power", "answers": answers, "evidenceOrderIds": [order]}))
}

/// A spot check of an order, put there by hand: a real one is drawn when a week is over.
async fn a_spot_check(ground: &Ground<'_, '_>) -> Result<String> {
    let (check, order) = (id(), ground.an_order(&[]).await?);
    let db = ground.caller.house().database.superuser().await?;
    sqlx::query(
        "INSERT INTO work_order.spot_checks (estate_id, id, week_start_date, work_order_id, number, handlers, state, due_time, notify_roles,
             create_time)
         VALUES ($1::uuid, $2::uuid, '2026-07-06', $3::uuid, 'WO-2026-000001', '{}', 'open', '2099-01-01Z', '{}', '2026-07-13Z')",
    )
    .bind(&ground.estate)
    .bind(&check)
    .bind(&order)
    .execute(&db)
    .await?;
    db.close().await;
    Ok(check)
}

/// On shift whenever the test runs, and never at their limit.
fn a_worker(principal: &str) -> Value {
    let shift = json!({"startTime": "2020-01-01T00:00:00Z", "endTime": "2100-01-01T00:00:00Z"});
    json!({"principal": principal, "skills": ["power"], "shifts": [shift], "openLimit": 1000})
}

fn hours(from_minute: u16) -> Value {
    let window = json!({"days": "OPEN_DAYS_WORKING", "fromMinute": from_minute, "toMinute": 1080});
    json!({"name": "business", "scope": {"level": "POLICY_SCOPE_LEVEL_BASE"}, "windows": [window]})
}

/// Made up for this test: the days by law of 2027.
fn year(first: &str) -> String {
    let days = [
        ("2027-01-01", first),
        ("2027-02-06", "春节"),
        ("2027-02-07", "春节"),
        ("2027-05-01", "劳动节"),
        ("2027-06-09", "端午节"),
        ("2027-09-15", "中秋节"),
        ("2027-10-01", "国庆节"),
        ("2027-10-02", "国庆节"),
        ("2027-10-03", "国庆节"),
    ];
    let days = days.map(|(date, name)| json!({"name": name, "date": date, "isOffDay": true}));
    json!({"year": 2027, "papers": ["https://example.org/notice-2027"], "days": days}).to_string()
}
