//! Figures of a period, by the definitions that the caller brings. One trip for each cohort and each length of period among
//! them, whatever the number of estates: a board of ten figures is about five.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit::metric::{Definition, Period, Ratio, household_base};
use steward_kit::{Error, Result};
use steward_proto::metric::v1 as pb;

use super::App;
use crate::domain::figures::{Cohort, Counting, Sheet, cohort, count, kinds_of};
use crate::store::{Stretch, list_case_facts, list_deadlines};

/// How far before a period the opinions lie that are collated in it (F-20); limits are shorter.
const COLLATING_DAYS: i64 = 62;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Figures {
    /// The estates.
    pub(crate) estates: Vec<EstateId>,
    /// The days asked for.
    pub(crate) period: Period,
    /// The plan, named in the answer.
    pub(crate) plan_code: String,
    /// How the plan defines each figure; those of this service.
    pub(crate) definitions: Vec<Definition>,
    /// Households of the estates.
    pub(crate) bases: Vec<pb::HouseholdBase>,
}

impl App {
    /// One value for each figure and estate, and one over all of them.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn compute_metrics(&self, access: &Access, asked: &Figures) -> Result<Vec<pb::MetricValue>> {
        let as_of = self.clock.now();
        let mut values = Vec::new();
        let mut by_period: BTreeMap<(jiff::civil::Date, jiff::civil::Date), Vec<&Definition>> = BTreeMap::new();
        for definition in &asked.definitions {
            let counted = definition.period_for(asked.period);
            by_period.entry((counted.from, counted.to)).or_default().push(definition);
        }
        for ((from, to), definitions) in by_period {
            let counted = Period { from, to };
            let sheets = self.sheets(access, &asked.estates, counted, &definitions).await?;
            for definition in definitions {
                values.extend(figures_of(asked, definition, counted, &sheets, as_of)?);
            }
        }
        Ok(values)
    }

    /// The facts of estates in a period, as far as the definitions need them.
    pub(super) async fn sheets(
        &self,
        access: &Access,
        estates: &[EstateId],
        period: Period,
        definitions: &[&Definition],
    ) -> Result<Vec<Sheet>> {
        let mut sheets = Vec::with_capacity(estates.len());
        let mut stretches = Vec::with_capacity(estates.len());
        for id in estates {
            let scoped: ScopedEstate = access.scope.estate(*id)?;
            let estate = self.rules.estates.get(*id).await?;
            let zone = estate.zone()?;
            let instants = period.instants(&zone).ok_or_else(|| Error::invalid("period", "PERIOD_INVALID", "is out of range"))?;
            let calendars = self.rules.calendars.for_estate(&estate).await?.calendars;
            stretches.push(Stretch { estate: scoped, start: instants.0, end: instants.1 });
            sheets.push(Sheet::new(*id, instants, zone, calendars));
        }
        let place: BTreeMap<_, _> = sheets.iter().enumerate().map(|(at, sheet)| (sheet.estate.as_uuid(), at)).collect();
        let cohorts: BTreeSet<Cohort> = definitions.iter().filter_map(|definition| cohort(definition)).collect();
        for wanted in cohorts {
            let of_cohort = || definitions.iter().copied().filter(move |definition| cohort(definition) == Some(wanted));
            let kinds: Option<Vec<String>> = kinds_of(of_cohort()).map(|kinds| kinds.into_iter().collect());
            if wanted == Cohort::Due {
                let clocks: BTreeSet<&String> = of_cohort().flat_map(|definition| &definition.parameters.clocks).collect();
                let clocks: Vec<String> = clocks.into_iter().cloned().collect();
                for (estate, row) in list_deadlines(self.db.pool(), &stretches, &clocks, kinds.as_deref()).await? {
                    if let Some(sheet) = place.get(&estate).and_then(|at| sheets.get_mut(*at)) {
                        sheet.deadlines.push(row);
                    }
                }
                continue;
            }
            let reach = stretches_of(wanted, &stretches);
            for (estate, row) in list_case_facts(self.db.pool(), wanted, &reach, kinds.as_deref()).await? {
                if let Some(sheet) = place.get(&estate).and_then(|at| sheets.get_mut(*at)) {
                    sheet.cases.entry(wanted).or_default().push(row);
                }
            }
        }
        Ok(sheets)
    }
}

/// Where the rows of a cohort lie: in the period, but what is collated in it came before.
fn stretches_of(cohort: Cohort, stretches: &[Stretch]) -> Vec<Stretch> {
    let back = match cohort {
        Cohort::Collating => jiff::SignedDuration::from_hours(COLLATING_DAYS * 24),
        Cohort::Occurred
        | Cohort::Neighbours
        | Cohort::Due
        | Cohort::CallbackDue
        | Cohort::Closed
        | Cohort::Repeated
        | Cohort::Completed
        | Cohort::Assessed => jiff::SignedDuration::ZERO,
    };
    stretches.iter().map(|stretch| Stretch { start: stretch.start.checked_sub(back).unwrap_or(stretch.start), ..*stretch }).collect()
}

/// One figure for each estate, and over all of them where there are several.
fn figures_of(
    asked: &Figures,
    definition: &Definition,
    counted: Period,
    sheets: &[Sheet],
    as_of: Timestamp,
) -> Result<Vec<pb::MetricValue>> {
    let base_of = |sheet: &Sheet| {
        let basis = definition.parameters.basis?;
        household_base(&asked.bases, &sheet.estate.to_string(), basis, counted)
    };
    let value = |sheets: &[&Sheet], base: Option<Ratio>, estate: &str| -> Result<pb::MetricValue> {
        let counting = Counting { definition, base, as_of };
        let found = count(&counting, sheets).ok_or_else(|| Error::bug(format_args!("no formula for {}", definition.metric.id)))?;
        Ok(definition.value(&found.figure, counted, &asked.plan_code, estate, as_of))
    };
    let mut values = Vec::with_capacity(sheets.len() + 1);
    for sheet in sheets {
        values.push(value(&[sheet], base_of(sheet), &sheet.estate.to_string())?);
    }
    // An estate without a base cannot be part of a rate of households.
    let needs_base = definition.parameters.basis.is_some();
    let all: Vec<&Sheet> = sheets.iter().filter(|sheet| !needs_base || base_of(sheet).is_some()).collect();
    let base = all.iter().filter_map(|sheet| base_of(sheet)).try_fold(Ratio::ZERO, Ratio::plus).filter(|base| *base > Ratio::ZERO);
    values.push(value(&all, base, "")?);
    Ok(values)
}
