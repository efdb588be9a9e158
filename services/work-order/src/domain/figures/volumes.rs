//! Cases by everything that they are told apart by (WO-55), and low scores by category (WO-36). No figures of a plan: they are kept as
//! figures are, and answered by [`crate::domain::analysis`].

use std::collections::BTreeMap;

use steward_kit::metric::{Definition, Direction, Entry, Metric, Owner, PeriodKind, Source, Tally, Unit};

use super::{Cohort, Counted, Counting, Sheet};
use crate::domain::analysis::CaseKey;

/// A count that no plan defines.
const fn internal(id: &'static str, formula: &'static str) -> Metric {
    Metric {
        id,
        source: Source::Operational,
        formula,
        owner: Owner::WorkOrder,
        name_zh: "",
        name_en: "",
        unit: Unit::Count,
        direction: Direction::AtMost,
        period: PeriodKind::Days,
        methods: &["default"],
        parameters: &[],
        kinds: &[],
        clocks: &[],
        basis: None,
        grows_with_time: true,
    }
}

static CASE_CELLS: Metric = internal("case_cells", "WO-55");
static LOW_SCORES: Metric = internal("low_scores", "WO-36");

/// A score at or below this is dissatisfied: the lower two of five, as the words of the report say.
const LOW: u32 = 2;

/// Cases by their cells.
pub fn case_cells() -> Definition {
    Definition::of(&CASE_CELLS)
}

/// Low scores by category.
pub fn low_scores() -> Definition {
    Definition::of(&LOW_SCORES)
}

/// Cases that happened in the period, each once, at the hour and the day of the week that it was where they happened.
pub(super) fn cells<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let mut cells = BTreeMap::new();
    for (sheet, case) in counting.cases(sheets, Cohort::Occurred).into_iter().filter(|(_, case)| case.facts.cycle == 1) {
        if case.facts.standing.in_handled_rate() != Entry::Counts {
            continue;
        }
        let local = sheet.zone.to_datetime(case.facts.occur_time);
        let key = CaseKey {
            kind: case.facts.kind,
            category: case.facts.category.clone(),
            hour: local.hour().unsigned_abs(),
            weekday: local.weekday().to_monday_one_offset().unsigned_abs(),
            channel: case.facts.channel,
            building: case.unit.and_then(|unit| sheet.buildings.get(&unit)).cloned().unwrap_or_default(),
        };
        *cells.entry(key.write()).or_default() += 1;
    }
    Counted { tally: Tally::default().with_cells(cells), rows: Vec::new() }
}

/// Cases completed in the period whose score is low, by category.
pub(super) fn dissatisfied<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let mut cells: BTreeMap<String, i64> = BTreeMap::new();
    for (_, case) in counting.cases(sheets, Cohort::Completed) {
        let counts = case.facts.is_case_score && case.facts.standing.in_satisfaction() == Entry::Counts;
        if counts && case.facts.score.is_some_and(|score| score <= LOW) {
            *cells.entry(case.facts.category.clone()).or_default() += 1;
        }
    }
    Counted { tally: Tally::default().with_cells(cells), rows: Vec::new() }
}
