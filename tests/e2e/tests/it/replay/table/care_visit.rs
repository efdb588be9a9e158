//! The mutations of `steward.care.v1` about visits and their rounds.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Entry, unseen};
use crate::replay::ground::{Care, visit_request};

pub(super) async fn entries(care: &Care<'_, '_, '_>, programme: &str) -> Result<Vec<Entry>> {
    let mut all = rounds(care, programme).await?;
    all.extend(visits(care).await?);
    Ok(all)
}

async fn rounds(care: &Care<'_, '_, '_>, programme: &str) -> Result<Vec<Entry>> {
    let of = async |rpc: &str, after: &[&str], mut body: Value, other: Value| -> Result<Entry> {
        body["visitRoundId"] = json!(care.a_round(after).await?);
        Ok(Entry::new(&format!("care.v1.VisitRoundService/{rpc}"), body, other))
    };
    let training = json!({"subject": "visitor.lin", "role": "technician", "topics": ["aims"]});
    Ok(vec![
        Entry::new("care.v1.VisitRoundService/CreateVisitRound", care.round_request(Some(programme)), json!({"title": "秋季回访"})),
        of("RecordTraining", &[], training, json!({"role": "discipline_head"})).await?,
        of("EndVisitRound", &[], json!({}), unseen()).await?,
        of("SubmitRoundReport", &["end"], json!({"analysis": "一切正常"}), json!({"analysis": "大致正常"})).await?,
        of("ArchiveVisitRound", &["end", "report"], json!({"title": "门窗", "lesson": "先查密封"}), json!({"lesson": "先查窗框"})).await?,
    ])
}

async fn visits(care: &Care<'_, '_, '_>) -> Result<Vec<Entry>> {
    let of = async |verb: &str, after: &[&str], other: Value| -> Result<Entry> {
        let (visit, visitor) = care.a_visit(after).await?;
        let (rpc, mut body) = visit_request(verb, &visitor)?;
        body["visitId"] = json!(visit);
        Ok(Entry::new(&format!("care.v1.VisitService/{rpc}"), body, other))
    };
    let under_way = ["schedule", "start"];
    let other_form = json!({"form": {"score": 2}});
    Ok(vec![
        of("schedule", &[], json!({"minutes": 60})).await?,
        of("appoint", &under_way[..1], unseen()).await?,
        of("read", &under_way[..1], json!({"visitId": care.a_visit(&under_way[..1]).await?.0})).await?,
        of("check", &under_way[..1], json!({"items": ["gift"]})).await?,
        of("start", &under_way[..1], unseen()).await?,
        of("end", &under_way, unseen()).await?,
        of("submit", &["schedule", "start", "end"], other_form).await?,
        of("cancel", &[], json!({"reasonCode": "nobody_home"})).await?,
    ])
}
