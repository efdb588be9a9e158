//! The mutations of `steward.customer.v1` about groups of households: tags and segments.

use anyhow::Result;
use serde_json::{Value, json};

use super::Entry;
use crate::replay::ground::{Ground, id};

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let entry = |rpc: &str, body: Value, other: Value| Entry::new(&format!("customer.v1.{rpc}"), body, other);
    let [to_update, to_retire] = [tag(ground, "walk_first").await?, tag(ground, "walk_second").await?];
    let create = json!({"requestId": id(), "estateId": ground.estate, "name": "first"});
    let segment = ground.make("customer.v1.SegmentService/CreateSegment", "segment", with_definition(create)).await?;
    Ok(vec![
        entry("TagService/CreateTag", named(json!({"code": "walk_third"})), json!({"nameEn": "another"})),
        entry("TagService/UpdateTag", named(json!({"tagId": to_update})), json!({"nameEn": "another"})),
        entry("TagService/RetireTag", json!({"tagId": to_retire}), json!({"tagId": id()})),
        entry(
            "SegmentService/CreateSegment",
            with_definition(json!({"estateId": ground.estate, "name": "second"})),
            json!({"name": "third"}),
        ),
        entry(
            "SegmentService/UpdateSegment",
            json!({"segmentId": segment, "name": "first again", "definition": {"predicate": occupied()}}),
            json!({"name": "first no more"}),
        ),
        entry("SegmentService/TakeAudience", json!({"segmentId": segment}), json!({"segmentId": id()})),
    ])
}

fn occupied() -> Value {
    json!({"condition": {"field": "household.occupancy", "operator": "OPERATOR_EQUALS", "values": [{"text": "occupied"}]}})
}

fn named(mut tag: Value) -> Value {
    tag["nameZh"] = json!("已入住");
    tag["nameEn"] = json!("lived in");
    tag["predicate"] = occupied();
    tag
}

fn with_definition(mut segment: Value) -> Value {
    segment["subject"] = json!("SEGMENT_SUBJECT_HOUSEHOLD");
    segment["definition"] = json!({"predicate": occupied()});
    segment
}

async fn tag(ground: &Ground<'_, '_>, code: &str) -> Result<String> {
    ground.make("customer.v1.TagService/CreateTag", "tag", named(json!({"requestId": id(), "code": code}))).await
}
