//! Figures of a period, by the definitions that the caller brings. One trip where what is asked for was counted before and is true
//! still, whatever the number of figures, estates and cases; what is not is counted, estate by estate, and kept
//! ([`steward_kit_store::rollups`]).

use jiff::Timestamp;
use steward_kit::Result;
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit::metric::{Asked, Definition, Period, Ratio, Tally, household_base};
use steward_kit_store::rollups::Question;
use steward_proto::metric::v1 as pb;

use super::App;
use super::count_cases::no_formula;
use crate::domain::figures::figure;

impl App {
    /// One value for each figure and estate, and one over all of them.
    ///
    /// # Errors
    /// `NotFound` for an estate outside the caller's scope.
    pub(crate) async fn compute_metrics(&self, access: &Access, asked: &Asked) -> Result<Vec<pb::MetricValue>> {
        let as_of = self.clock.now();
        let estates: Vec<ScopedEstate> = asked.estates.iter().map(|id| access.scope.estate(*id)).collect::<Result<_>>()?;
        let questions = Question::each(asked.period, &asked.definitions);
        let tallies = self.rollups.tallies(&questions, &estates, as_of).await?;
        let mut values = Vec::with_capacity(asked.definitions.len() * (estates.len() + 1));
        for (question, by_estate) in questions.iter().zip(&tallies) {
            for (place, definition) in question.definitions.iter().enumerate() {
                let of_estates: Vec<(EstateId, &Tally)> =
                    asked.estates.iter().zip(by_estate).filter_map(|(estate, tallies)| Some((*estate, tallies.get(place)?))).collect();
                values.extend(figures_of(asked, definition, question.period, &of_estates, as_of)?);
            }
        }
        Ok(values)
    }
}

/// One figure for each estate, and over all of them.
fn figures_of(
    asked: &Asked,
    definition: &Definition,
    counted: Period,
    tallies: &[(EstateId, &Tally)],
    as_of: Timestamp,
) -> Result<Vec<pb::MetricValue>> {
    let value = |tally: &Tally, base: Option<Ratio>, estate: &str| -> Result<pb::MetricValue> {
        let figure = figure(definition, tally, base).ok_or_else(|| no_formula(definition))?;
        Ok(definition.value(&figure, counted, &asked.plan_code, estate, as_of))
    };
    let needs_base = definition.parameters.basis;
    let mut values = Vec::with_capacity(tallies.len() + 1);
    let (mut all, mut all_bases) = (Vec::with_capacity(tallies.len()), Some(Ratio::ZERO));
    for (estate, tally) in tallies {
        let estate = estate.to_string();
        let base = needs_base.and_then(|basis| household_base(&asked.bases, &estate, basis, counted));
        values.push(value(tally, base, &estate)?);
        // An estate without a base cannot be part of a rate of households.
        if needs_base.is_none() || base.is_some() {
            all.push(*tally);
        }
        if let Some(base) = base {
            all_bases = all_bases.and_then(|all| all.plus(base));
        }
    }
    values.push(value(&Tally::sum(all), all_bases.filter(|base| *base > Ratio::ZERO), "")?);
    Ok(values)
}
