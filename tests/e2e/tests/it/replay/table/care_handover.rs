//! The mutations of `steward.care.v1` about what is owed: obligations and the dates they are counted from, meetings, handover.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Entry, unseen, with};
use crate::replay::ground::{Ground, id};

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let mut all = batches(ground).await?;
    all.extend(forums(ground).await?);
    all.extend(obligations(ground).await?);
    Ok(all)
}

async fn batches(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    const SERVICE: &str = "care.v1.DeliveryBatchService";
    let unit = &ground.unit;
    let batch = |code: &str| {
        json!({
            "estateId": ground.estate, "code": code, "fromDate": "2026-09-01", "toDate": "2026-09-03", "unitIds": [unit],
            "deliveryItems": ["wardrobe"], "slotFromMinute": 540, "slotToMinute": 660, "slotMinutes": 60, "slotCapacity": 1,
        })
    };
    let of = async |rpc: &str, code: &str, mut body: Value, other: Value| -> Result<Entry> {
        let batch = with(&batch(code), &json!({"requestId": id()}));
        body["deliveryBatchId"] = json!(ground.make(&format!("{SERVICE}/CreateDeliveryBatch"), "deliveryBatch", batch).await?);
        Ok(Entry::new(&format!("{SERVICE}/{rpc}"), body, other))
    };
    let enclosures = ["delivery_guide", "butler_guide", "resident_handbook", "inspection_handbook", "greeting_card"];
    let notice = json!({"unitId": unit, "trackingNumber": "EMS 1", "enclosures": enclosures});
    let handover = json!({"unitId": unit, "handoverDate": "2026-07-13", "isFirstVisit": true, "deliveredItems": ["wardrobe"]});
    let slot = |hour: u8| json!({"unitId": unit, "slotTime": format!("2026-09-01T0{hour}:00:00Z")});
    Ok(vec![
        Entry::new(&format!("{SERVICE}/CreateDeliveryBatch"), batch("batch-1"), json!({"code": "batch-2"})),
        of("MoveDeliveryBatch", "batch-3", json!({"fromDate": "2026-10-01", "toDate": "2026-10-03"}), json!({"toDate": "2026-10-04"}))
            .await?,
        of("RecordUnitNotice", "batch-4", notice, json!({"trackingNumber": "EMS 2"})).await?,
        of("RecordMockAcceptance", "batch-5", json!({"unitId": unit, "defectCount": 3}), json!({"defectCount": 4})).await?,
        of("BookHandoverSlot", "batch-6", slot(1), slot(2)).await?,
        of("RecordHandover", "batch-7", handover, json!({"isFirstVisit": false})).await?,
    ])
}

async fn forums(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    const SERVICE: &str = "care.v1.ForumService";
    let forum = json!({
        "estateId": ground.estate, "kind": "forum", "title": "业主恳谈会", "topics": ["parking"], "startTime": ground.now(),
        "inviteCount": 200, "seed": "walk",
    });
    let of = async |rpc: &str, is_held: bool, mut body: Value, other: Value| -> Result<Entry> {
        let forum = with(&forum, &json!({"requestId": id()}));
        let forum = ground.make(&format!("{SERVICE}/CreateForum"), "forum", forum).await?;
        if is_held {
            ground.ask(&format!("{SERVICE}/HoldForum"), json!({"requestId": id(), "forumId": forum})).await?;
        }
        body["forumId"] = json!(forum);
        Ok(Entry::new(&format!("{SERVICE}/{rpc}"), body, other))
    };
    let reply = json!({"householdId": ground.household, "reply": "FORUM_REPLY_COMES"});
    Ok(vec![
        Entry::new(&format!("{SERVICE}/CreateForum"), forum.clone(), json!({"title": "业主大会"})),
        of("RecordForumReply", false, reply, json!({"reply": "FORUM_REPLY_DECLINES"})).await?,
        of("HoldForum", false, json!({"attendingRoles": ["department_heads"]}), json!({"attendingRoles": []})).await?,
        of("PublishForumMinutes", true, json!({"documentReference": "doc/1"}), json!({"documentReference": "doc/2"})).await?,
    ])
}

async fn obligations(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    const SERVICE: &str = "care.v1.ObligationService";
    let owed = json!({
        "estateId": ground.estate, "code": "fire_drill", "titleZh": "消防演习", "titleEn": "Fire drill", "dueTime": "2026-07-31T16:00:00Z",
        "role": "estate_manager", "items": [{"code": "held"}],
    });
    let of = async |rpc: &str, is_checked: bool, mut body: Value, other: Value| -> Result<Entry> {
        let owed = with(&owed, &json!({"requestId": id()}));
        let obligation = ground.make(&format!("{SERVICE}/CreateObligation"), "obligation", owed).await?;
        if is_checked {
            let check = json!({"requestId": id(), "obligationId": obligation, "itemCode": "held"});
            ground.ask(&format!("{SERVICE}/CheckObligationItem"), check).await?;
        }
        body["obligationId"] = json!(obligation);
        Ok(Entry::new(&format!("{SERVICE}/{rpc}"), body, other))
    };
    let date = json!({"estateId": ground.estate, "kind": "sale_start", "date": "2026-09-01"});
    Ok(vec![
        Entry::new(&format!("{SERVICE}/SetEstateDate"), date, json!({"date": "2026-09-02"})),
        Entry::new(&format!("{SERVICE}/CreateObligation"), owed.clone(), json!({"titleEn": "Fire exercise"})),
        of("CheckObligationItem", false, json!({"itemCode": "held"}), json!({"finding": "楼道堆物"})).await?,
        of("CompleteObligation", true, json!({}), unseen()).await?,
        of("CancelObligation", false, json!({}), unseen()).await?,
    ])
}
