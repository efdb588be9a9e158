//! Figures of feedback, of improvement plans and of interviews (F-19, F-20, F-22, SV-20).

use steward_kit::metric::{AddsUp, Deadline, Figure, Passed, Ratio, TimelyCounts, WEIGHT_ONE};

use super::super::codes::FeedbackState;
use super::sums::Sums;
use super::{Behind, ItemRow, PlanRow, Sheet, how_many};

fn counted(counts: Vec<i64>, rows: Vec<Behind>) -> (Sums, Vec<Behind>) {
    (Sums { counts, ..Sums::default() }, rows)
}

/// Plans whose last measure was done (SV-19).
pub(super) fn plans_done(sheet: &Sheet) -> (Sums, Vec<Behind>) {
    let rows: Vec<Behind> = sheet.implemented.iter().map(|plan| of_plan(plan, 1)).collect();
    counted(vec![how_many(rows.len())], rows)
}

fn of_plan(plan: &PlanRow, value: i64) -> Behind {
    Behind { kind: "improvement_plan", id: plan.id, at: plan.at, counts: true, reason: "completed", value, weight: WEIGHT_ONE }
}

/// F-22: what changed, over the plans whose effect became known; millionths keep what a plan wrote down.
pub(super) fn effects(sheet: &Sheet) -> (Sums, Vec<Behind>) {
    let rows: Vec<Behind> = sheet.verified.iter().filter_map(|plan| Some(of_plan(plan, plan.difference?))).collect();
    counted(vec![how_many(rows.len()), rows.iter().map(|row| row.value).fold(0, i64::saturating_add)], rows)
}

/// F-22
pub(super) fn mean_effect(sums: &Sums) -> Figure {
    let (n, sum) = (sums.count(0), sums.count(1));
    Figure::of(Ratio::new(sum.into(), i128::from(n) * i128::from(WEIGHT_ONE)), n)
}

/// F-19: adopted, and assessed.
pub(super) fn adoption(sheet: &Sheet) -> (Sums, Vec<Behind>) {
    let rows: Vec<Behind> = sheet
        .assessed
        .iter()
        .map(|item| {
            let (adopted, reason) = match item.state {
                FeedbackState::Adopted | FeedbackState::Done => (true, "adopted"),
                FeedbackState::Declined => (false, "declined"),
                FeedbackState::New | FeedbackState::Assessed => (false, "undecided"),
            };
            of_item(item, adopted, reason)
        })
        .collect();
    let adopted = rows.iter().filter(|row| row.counts).count();
    counted(vec![how_many(adopted), how_many(rows.len())], rows)
}

fn of_item(item: &ItemRow, counts: bool, reason: &'static str) -> Behind {
    Behind { kind: "feedback_item", id: item.id, at: item.at, counts, reason, value: 0, weight: WEIGHT_ONE }
}

/// F-20
pub(super) fn collation(sheet: &Sheet, as_of: impl Passed) -> (Sums, Vec<Behind>) {
    let (mut judged, mut rows) = (Vec::new(), Vec::new());
    for item in &sheet.collating {
        let how = Deadline { due: item.at, reached: item.collate_time, ended: None, is_provisional: false }.judged(&as_of);
        judged.push(how);
        rows.extend(how.counts().then(|| of_item(item, how.code() == "in_time", how.code())));
    }
    counted(TimelyCounts::of(judged).tally().numbers, rows)
}
