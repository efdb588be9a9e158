//! F-15: what the service costs and brings in a year, in whole units of a currency.

use super::figure::{Figure, Part};
use super::unit::Unit;

/// Unit costs and yearly benefits (WO-65, SV-50).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// One survey wave.
    pub survey_wave: i64,
    /// One complaint.
    pub per_complaint: i64,
    /// One callback.
    pub per_callback: i64,
    /// Loss avoided in a year.
    pub loss_avoided: i64,
    /// New revenue in a year.
    pub new_revenue: i64,
}

/// How often each happened, or is planned, in a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volumes {
    /// Survey waves.
    pub survey_waves: i64,
    /// Complaints.
    pub complaints: i64,
    /// Callbacks.
    pub callbacks: i64,
}

/// Cost of those volumes.
pub fn yearly_cost(costs: &Costs, volumes: &Volumes) -> i64 {
    let parts = parts_of(costs, volumes);
    parts[0].saturating_add(parts[1]).saturating_add(parts[2])
}

/// Benefit of a year.
pub fn yearly_benefit(costs: &Costs) -> i64 {
    costs.loss_avoided.saturating_add(costs.new_revenue)
}

/// F-15: benefit less cost, with both and their parts beside it.
pub fn net_benefit(costs: &Costs, volumes: &Volumes) -> Figure {
    let [surveys, complaints, callbacks] = parts_of(costs, volumes);
    let money = |code, amount: i64| Part { code, numerator: amount.into(), denominator: 1, unit: Unit::Currency };
    Figure::count(yearly_benefit(costs).saturating_sub(yearly_cost(costs, volumes))).beside([
        money("cost", yearly_cost(costs, volumes)),
        money("cost_surveys", surveys),
        money("cost_complaints", complaints),
        money("cost_callbacks", callbacks),
        money("benefit", yearly_benefit(costs)),
    ])
}

fn parts_of(costs: &Costs, volumes: &Volumes) -> [i64; 3] {
    [
        volumes.survey_waves.saturating_mul(costs.survey_wave),
        volumes.complaints.saturating_mul(costs.per_complaint),
        volumes.callbacks.saturating_mul(costs.per_callback),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-15, vector 8, GR-11
    #[test]
    fn the_year_of_002_nets_160_000() {
        let costs = Costs { survey_wave: 5_000, per_complaint: 100, per_callback: 50, loss_avoided: 100_000, new_revenue: 200_000 };
        let volumes = Volumes { survey_waves: 4, complaints: 12 * 50, callbacks: 12 * 100 };
        assert_eq!(yearly_cost(&costs, &volumes), 140_000);
        assert_eq!(yearly_benefit(&costs), 300_000);
        let figure = net_benefit(&costs, &volumes);
        assert_eq!(figure.numerator, 160_000);
        assert_eq!(figure.part("cost").map(|part| part.numerator), Some(140_000));
        // SV-50, WO-65
        assert_eq!(figure.part("cost_surveys").map(|part| part.numerator), Some(20_000));
        assert_eq!(figure.part("cost_complaints").map(|part| part.numerator), Some(60_000));
    }
}
