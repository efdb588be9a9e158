//! Figures of feedback and of improvement plans (F-19, F-20, F-22).

use jiff::Timestamp;
use steward_kit::metric::{Deadline, Figure, Ratio, TimelyCounts, WEIGHT_ONE, collation_rate, suggestion_adoption};

use super::super::codes::FeedbackState;
use super::super::feedback::FeedbackItem;
use super::super::improvement::ImprovementPlan;
use super::{Behind, Counted, Sheet};

/// Plans whose last measure was done (SV-19).
pub(super) fn plans_done(sheets: &[&Sheet]) -> Counted {
    let rows: Vec<Behind> = sheets
        .iter()
        .flat_map(|sheet| &sheet.implemented)
        .map(|plan| of_plan(plan, plan.implement_time.unwrap_or(plan.create_time), 1))
        .collect();
    Counted { figure: Figure::count(i64::try_from(rows.len()).unwrap_or(i64::MAX)), rows }
}

fn of_plan(plan: &ImprovementPlan, at: Timestamp, value: i64) -> Behind {
    Behind { kind: "improvement_plan", id: plan.id.as_uuid(), at, counts: true, reason: "completed", value, weight: WEIGHT_ONE }
}

/// F-22: what changed, over the plans whose effect became known; millionths keep what a plan wrote down.
pub(super) fn effects(sheets: &[&Sheet]) -> Counted {
    let rows: Vec<Behind> = sheets
        .iter()
        .flat_map(|sheet| &sheet.verified)
        .filter_map(|plan| Some(of_plan(plan, plan.end_time?, plan.effect.as_ref()?.difference_millionths)))
        .collect();
    let n = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let sum: i128 = rows.iter().map(|row| i128::from(row.value)).sum();
    Counted { figure: Figure::of(Ratio::new(sum, i128::from(n) * i128::from(WEIGHT_ONE)), n), rows }
}

/// F-19
pub(super) fn adoption(sheets: &[&Sheet]) -> Counted {
    let rows: Vec<Behind> = sheets
        .iter()
        .flat_map(|sheet| &sheet.assessed)
        .map(|item| {
            let (adopted, reason) = match item.state {
                FeedbackState::Adopted | FeedbackState::Done => (true, "adopted"),
                FeedbackState::Declined => (false, "declined"),
                FeedbackState::New | FeedbackState::Assessed => (false, "undecided"),
            };
            of_item(item, item.assess_time.unwrap_or(item.receive_time), adopted, reason)
        })
        .collect();
    let adopted = rows.iter().filter(|row| row.counts).count();
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    Counted { figure: suggestion_adoption(count(adopted), count(rows.len())), rows }
}

fn of_item(item: &FeedbackItem, at: Timestamp, counts: bool, reason: &'static str) -> Behind {
    Behind { kind: "feedback_item", id: item.id.as_uuid(), at, counts, reason, value: 0, weight: WEIGHT_ONE }
}

/// F-20
pub(super) fn collation(sheets: &[&Sheet], as_of: Timestamp) -> Counted {
    let (mut judged, mut rows) = (Vec::new(), Vec::new());
    for item in sheets.iter().flat_map(|sheet| &sheet.collating) {
        let Some(due) = item.collate_due_time else { continue };
        let how = Deadline { due, reached: item.collate_time, ended: None, is_provisional: false }.judged(as_of);
        judged.push(how);
        rows.extend(how.counts().then(|| of_item(item, due, how.code() == "in_time", how.code())));
    }
    Counted { figure: collation_rate(&TimelyCounts::of(judged)), rows }
}
