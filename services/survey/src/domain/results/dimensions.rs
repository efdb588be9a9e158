//! Dimensions: how they were rated, and how much each matters (SV-43).

use steward_kit::metric::Ratio;

use super::super::figures::{Asked, Row, Tally};
use super::super::instrument::Dimension;
use super::{Rules, Shown};

/// One dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct DimensionResult {
    /// Its code.
    pub code: String,
    /// It is of the first level.
    pub is_top: bool,
    /// Mean points.
    pub score: Shown,
    /// Weight among its siblings.
    pub weight: Ratio,
    /// Correlation with the overall question.
    pub importance: f64,
}

/// The dimensions of a wave, in their order.
pub(super) fn of(rules: &Rules<'_>, tally: &Tally<'_>) -> Vec<DimensionResult> {
    let Some(wave) = tally.waves.last() else { return Vec::new() };
    let overall: Vec<Option<f64>> = wave.rows.iter().map(|row| points_of(tally, row, None)).collect();
    let result = |dimension: &Dimension| {
        let (mut figure, respondents) = tally.dimension(&dimension.code);
        // What gives somebody away is how few answered, not how many questions they answered.
        figure.n = respondents;
        let pairs: Vec<(f64, f64)> = wave
            .rows
            .iter()
            .zip(&overall)
            .filter_map(|(row, overall)| points_of(tally, row, Some(&dimension.code)).zip(*overall))
            .collect();
        DimensionResult {
            code: dimension.code.clone(),
            is_top: dimension.parent.is_none(),
            score: Shown::of("dimension_score", "mean_of_answers".to_owned(), &figure, rules.suppress_below),
            weight: wave.instrument.weight_of(dimension),
            importance: if pairs.len() < usize::try_from(rules.suppress_below).unwrap_or(usize::MAX) { 0.0 } else { correlation(&pairs) },
        }
    };
    wave.instrument.dimensions.iter().map(result).collect()
}

/// Mean points of one respondent: of a dimension, or of the overall question.
fn points_of(tally: &Tally<'_>, row: &Row, dimension: Option<&str>) -> Option<f64> {
    let alone = Tally {
        yardstick: tally.yardstick,
        waves: tally.waves.iter().map(|wave| Asked { instrument: wave.instrument, rows: vec![row] }).collect(),
        population: None,
    };
    let figure = match dimension {
        Some(code) => alone.dimension(code).0,
        None => alone.csat_score(),
    };
    figure.value().map(Ratio::as_f64)
}

/// Pearson's correlation, for readers; 0 when it cannot be told.
fn correlation(pairs: &[(f64, f64)]) -> f64 {
    if pairs.len() < 3 {
        return 0.0;
    }
    let n = Ratio::whole(i64::try_from(pairs.len()).unwrap_or(i64::MAX)).as_f64();
    let (mean_x, mean_y) = (pairs.iter().map(|pair| pair.0).sum::<f64>() / n, pairs.iter().map(|pair| pair.1).sum::<f64>() / n);
    let spread = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>();
    let both = spread(&|pair| (pair.0 - mean_x) * (pair.1 - mean_y));
    let (of_x, of_y) = (spread(&|pair| (pair.0 - mean_x).powi(2)), spread(&|pair| (pair.1 - mean_y).powi(2)));
    if of_x > 0.0 && of_y > 0.0 { both / (of_x * of_y).sqrt() } else { 0.0 }
}
