//! How this service counts its figures: facts of estates in a period, then the formulas. For a kept count and for an explanation it
//! is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::EstateId;
use steward_kit::metric::{self, AsOf, Definition, Period};
use steward_kit::{Error, Result};
use steward_kit_store::rollups::{Count, Counter, Question, Stretch};
use uuid::Uuid;

use super::rules::Rules;
use crate::domain::figures::{self, Cohort, Counted, Counting, Sheet, cohort, kinds_of};
use crate::store::{list_buildings, list_case_facts, list_deadlines};

/// How far before a period the opinions lie that are collated in it (F-20); limits are shorter.
const COLLATING: jiff::SignedDuration = jiff::SignedDuration::from_hours(62 * 24);

/// Counts cases and their deadlines.
#[derive(Debug)]
pub(crate) struct CountCases {
    rules: Arc<Rules>,
}

impl CountCases {
    pub(super) fn new(rules: Arc<Rules>) -> Self {
        Self { rules }
    }

    /// The facts of estates in a period, as far as the definitions need them. One trip for each cohort among them, and one where
    /// buildings are told apart.
    pub(super) async fn sheets(
        &self,
        db: &mut PgConnection,
        estates: &[ScopedEstate],
        period: Period,
        definitions: &[&Definition],
    ) -> Result<Vec<Sheet>> {
        let stretches = Stretch::each(estates, period, &self.rules.estates).await?;
        let mut sheets = Vec::with_capacity(estates.len());
        for stretch in &stretches {
            let estate = self.rules.estates.get(stretch.estate.id()).await?;
            let calendars = self.rules.calendars.for_estate(&estate).await?.calendars;
            sheets.push(Sheet::new(stretch.estate.id(), (stretch.start, stretch.end), estate.zone()?, calendars));
        }
        if definitions.iter().any(|definition| figures::needs_buildings(definition)) {
            let ids: Vec<Uuid> = sheets.iter().map(|sheet| sheet.estate.as_uuid()).collect();
            let mut buildings = list_buildings(&mut *db, &ids).await?;
            for sheet in &mut sheets {
                sheet.buildings = buildings.remove(&sheet.estate).unwrap_or_default();
            }
        }
        let place: BTreeMap<_, _> = sheets.iter().enumerate().map(|(at, sheet)| (sheet.estate.as_uuid(), at)).collect();
        let wanted: BTreeSet<Cohort> = definitions.iter().filter_map(|definition| cohort(definition)).collect();
        let read_as = |cohort: Cohort| cohort.with_neighbours().filter(|wider| wanted.contains(wider)).unwrap_or(cohort);
        for reading in wanted.iter().map(|cohort| read_as(*cohort)).collect::<BTreeSet<_>>() {
            let of_cohort = || definitions.iter().copied().filter(|definition| cohort(definition).map(read_as) == Some(reading));
            let kinds: Option<Vec<String>> = kinds_of(of_cohort()).map(|kinds| kinds.into_iter().collect());
            if reading == Cohort::Due {
                let clocks: BTreeSet<&String> = of_cohort().flat_map(|definition| &definition.parameters.clocks).collect();
                let clocks: Vec<String> = clocks.into_iter().cloned().collect();
                for (estate, row) in list_deadlines(&mut *db, &stretches, &clocks, kinds.as_deref()).await? {
                    if let Some(sheet) = place.get(&estate).and_then(|at| sheets.get_mut(*at)) {
                        sheet.deadlines.push(row);
                    }
                }
                continue;
            }
            let reach: Vec<Stretch> =
                stretches.iter().map(|stretch| Stretch { start: before(stretch.start, reading), ..*stretch }).collect();
            for (estate, row) in list_case_facts(&mut *db, reading, &reach, kinds.as_deref()).await? {
                if let Some(sheet) = place.get(&estate).and_then(|at| sheets.get_mut(*at)) {
                    sheet.cases.entry(reading).or_default().push(row);
                }
            }
        }
        Ok(sheets)
    }
}

impl Counter for CountCases {
    fn rules(&self) -> Vec<&'static str> {
        [metric::RULES, figures::RULES, &[include_str!("count_cases.rs"), include_str!("../store/facts.rs")]].concat()
    }

    async fn ground(&self, estate: EstateId) -> Result<Vec<u8>> {
        let estate = self.rules.estates.get(estate).await?;
        let calendars = self.rules.calendars.for_estate(&estate).await?;
        Ok([estate.time_zone.as_bytes(), estate.region_id.as_uuid().as_bytes(), estate.group_id.as_uuid().as_bytes(), &calendars.content]
            .concat())
    }

    async fn count(&self, db: &mut PgConnection, question: &Question, estates: &[ScopedEstate], now: Timestamp) -> Result<Vec<Count>> {
        let definitions: Vec<&Definition> = question.definitions.iter().collect();
        let sheets = self.sheets(db, estates, question.period, &definitions).await?;
        sheets.iter().map(|sheet| count_sheet(sheet, &definitions, now)).collect()
    }
}

fn count_sheet(sheet: &Sheet, definitions: &[&Definition], now: Timestamp) -> Result<Count> {
    let as_of = AsOf::new(now);
    let tallies = definitions.iter().map(|definition| Ok(counted(definition, &as_of, &[sheet])?.tally)).collect::<Result<_>>()?;
    let start = definitions.iter().filter_map(|definition| cohort(definition)).map(|cohort| before(sheet.start, cohort)).min();
    Ok(Count { estate: sheet.estate, tallies, read: (start.unwrap_or(sheet.start), sheet.end), seen: as_of.seen() })
}

/// What a figure is made of, over these sheets.
pub(super) fn counted<'a>(definition: &Definition, as_of: &AsOf, sheets: &[&'a Sheet]) -> Result<Counted<'a>> {
    figures::count(&Counting { definition, as_of }, sheets).ok_or_else(|| no_formula(definition))
}

pub(super) fn no_formula(definition: &Definition) -> Error {
    Error::bug(format_args!("no formula for {}", definition.metric.id))
}

/// Where the rows of a cohort begin: with the period, but what is collated in it came before.
fn before(start: Timestamp, cohort: Cohort) -> Timestamp {
    match cohort {
        Cohort::Collating => start.checked_sub(COLLATING).unwrap_or(start),
        Cohort::Occurred
        | Cohort::Neighbours
        | Cohort::Due
        | Cohort::CallbackDue
        | Cohort::Closed
        | Cohort::Repeated
        | Cohort::Completed
        | Cohort::Assessed => start,
    }
}
