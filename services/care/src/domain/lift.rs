//! What a programme did (F-11): the difference of differences, with its interval.

use serde::{Deserialize, Serialize};

/// A share of answers, or a sum over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Numerator.
    pub numerator: i64,
    /// Denominator; at least 1.
    pub denominator: i64,
}

/// A recorded effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// What was measured.
    pub metric_id: String,
    /// How.
    pub method: String,
    /// Proof.
    pub evidence: String,
    /// Before, of those treated.
    pub treated_before: Option<Measure>,
    /// After, of those treated.
    pub treated_after: Option<Measure>,
    /// Before, of those held out.
    pub control_before: Option<Measure>,
    /// After, of those held out.
    pub control_after: Option<Measure>,
    /// Cost in cents.
    pub cost_cents: i64,
    /// Benefit in cents.
    pub benefit_cents: i64,
    /// How the benefit was reckoned.
    pub benefit_model: String,
}

/// The effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lift {
    /// In points: of a share, percentage points.
    pub points: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// There was no control.
    pub no_control: bool,
    /// (benefit − cost) ÷ cost.
    pub return_on_cost: Option<f64>,
}

impl Measure {
    #[expect(clippy::cast_precision_loss, reason = "counts of answers are far below 2^52")]
    fn mean(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// A share, as opposed to a sum of scores.
    fn is_share(self) -> bool {
        (0..=self.denominator).contains(&self.numerator)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of answers are far below 2^52")]
    fn variance(self) -> f64 {
        let mean = self.mean();
        mean * (1.0 - mean) / self.denominator as f64
    }
}

/// The effect of what was measured; `None` when there is not even a pair.
pub fn lift(evaluation: &Evaluation) -> Option<Lift> {
    let (before, after) = evaluation.treated_before.zip(evaluation.treated_after)?;
    let control = evaluation.control_before.zip(evaluation.control_after);
    let measures = [Some(before), Some(after), control.map(|pair| pair.0), control.map(|pair| pair.1)];
    let is_share = measures.iter().flatten().all(|measure| measure.is_share());
    let scale = if is_share { 100.0 } else { 1.0 };
    let difference = after.mean() - before.mean() - control.map_or(0.0, |(before, after)| after.mean() - before.mean());
    // Only of shares is the spread known from the counts alone.
    let spread = if is_share { 1.96 * measures.iter().flatten().map(|measure| measure.variance()).sum::<f64>().sqrt() } else { 0.0 };
    #[expect(clippy::cast_precision_loss, reason = "cents of a campaign are far below 2^52")]
    let return_on_cost =
        (evaluation.cost_cents > 0).then(|| (evaluation.benefit_cents - evaluation.cost_cents) as f64 / evaluation.cost_cents as f64);
    Some(Lift {
        points: difference * scale,
        low: (difference - spread) * scale,
        high: (difference + spread) * scale,
        no_control: control.is_none(),
        return_on_cost,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(numerator: i64, denominator: i64) -> Option<Measure> {
        Some(Measure { numerator, denominator })
    }

    /// F-11, CA-85: after less before, less the same of those who got nothing.
    #[test]
    fn a_lift_is_the_difference_of_differences() {
        let evaluation = Evaluation {
            metric_id: "csat_rate".to_owned(),
            method: "survey".to_owned(),
            evidence: String::new(),
            treated_before: measure(723, 1000),
            treated_after: measure(839, 1000),
            control_before: measure(72, 100),
            control_after: measure(74, 100),
            cost_cents: 10_000,
            benefit_cents: 25_000,
            benefit_model: String::new(),
        };
        let with_control = lift(&evaluation).expect("there is a pair");
        assert!((with_control.points - 9.6).abs() < 1e-9 && !with_control.no_control);
        assert!(with_control.low < 9.6 && with_control.high > 9.6);
        assert_eq!(with_control.return_on_cost, Some(1.5));
        let alone = lift(&Evaluation { control_before: None, control_after: None, ..evaluation.clone() }).expect("there is a pair");
        assert!((alone.points - 11.6).abs() < 1e-9 && alone.no_control);
        assert_eq!(lift(&Evaluation { treated_after: None, ..evaluation }), None);
    }
}
