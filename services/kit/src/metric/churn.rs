//! F-13a, F-13b and F-14: estates and customers lost, units handed over.

use super::figure::{Figure, Part};
use super::ratio::Ratio;
use super::unit::Unit;

/// A total and what of it was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Lost in the period.
    pub lost: i64,
    /// There at its start.
    pub at_start: i64,
}

impl Lost {
    fn value(self) -> Option<Ratio> {
        Ratio::new(self.lost.into(), self.at_start.into())
    }
}

/// F-13a: estates lost, by estates at the start; by households and by area beside it.
pub fn estate_churn(estates: Lost, households: Lost, area: Lost) -> Figure {
    Figure::rate(estates.lost, estates.at_start)
        .beside([Part::of("by_households", households.value(), Unit::Rate), Part::of("by_area", area.value(), Unit::Rate)])
}

/// F-13b: customers lost by an exit that the service is answerable for, by those active at the start. Who moved away is
/// shown apart.
pub fn customer_churn(lost: i64, natural_exits: i64, active_at_start: i64) -> Figure {
    Figure::rate(lost, active_at_start).beside([Part::count("natural_exit", natural_exits)])
}

/// A handover batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCounts {
    /// Units whose owners were told of the batch.
    pub noticed: i64,
    /// Handed over within its window.
    pub delivered: i64,
    /// Of them, accepted at the first visit.
    pub accepted_at_first_visit: i64,
    /// Defects noted.
    pub defects: i64,
}

crate::adds_up!(DeliveryCounts { noticed, delivered, accepted_at_first_visit, defects });

/// F-14
pub fn delivery_rate(counts: &DeliveryCounts) -> Figure {
    Figure::rate(counts.delivered, counts.noticed).beside([
        Part::rate("first_visit_acceptance", counts.accepted_at_first_visit, counts.delivered),
        Part::of("defects_per_unit", Ratio::new(counts.defects.into(), counts.delivered.into()), Unit::Index),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-13a, F-13b
    #[test]
    fn churn_is_of_what_was_there_at_the_start() {
        let figure = estate_churn(
            Lost { lost: 1, at_start: 51 },
            Lost { lost: 1_800, at_start: 45_800 },
            Lost { lost: 150_000, at_start: 8_000_000 },
        );
        assert_eq!(Unit::Rate.show(figure.value().unwrap()), "2.0");
        assert_eq!(Unit::Rate.show(figure.part("by_households").unwrap().value().unwrap()), "3.9");
        let customers = customer_churn(23, 40, 1000);
        assert_eq!(Unit::Rate.show(customers.value().unwrap()), "2.3");
        assert_eq!(customers.part("natural_exit"), Some(&Part::count("natural_exit", 40)));
    }

    /// F-14
    #[test]
    fn a_batch_is_handed_over_by_its_window() {
        let figure = delivery_rate(&DeliveryCounts { noticed: 200, delivered: 190, accepted_at_first_visit: 171, defects: 380 });
        assert_eq!(Unit::Rate.show(figure.value().unwrap()), "95.0");
        assert_eq!(Unit::Rate.show(figure.part("first_visit_acceptance").unwrap().value().unwrap()), "90.0");
        assert_eq!(figure.part("defects_per_unit").unwrap().value(), Some(Ratio::whole(2)));
    }
}
