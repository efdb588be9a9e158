//! Figures that care owns: from facts to counts, by the formulas of `kit::metric`. The rows that make a figure explain it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use steward_kit::metric::{
    CareCounts, DeliveryCounts, Figure, Part, Ratio, VisitProof, campaign_complaint_rate, care_coverage, delivery_rate, reach_lift,
    reach_rate, relationship_callback_coverage, visit_conformity,
};
use uuid::Uuid;

/// What a figure is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cohort {
    /// Households that answered in a talk of the relationship (F-08b).
    Talks,
    /// Households that the layer reached, that were held out, that opted out (F-09).
    Covered,
    /// Messages that were to go in the period (F-10).
    Targeted,
    /// The same of the period before too (F-10, lift).
    TargetedTwice,
    /// Units of batches whose window begins in the period (F-14).
    Handovers,
    /// Visits that were over in the period (F-21).
    Visits,
    /// Customers whom a campaign reached, and who complained of it (F-05c).
    Complained,
}

/// The cohort of a metric; `None` for one that is not care's.
pub fn cohort(metric: &str) -> Option<Cohort> {
    Some(match metric {
        "relationship_callback_coverage" => Cohort::Talks,
        "care_coverage" => Cohort::Covered,
        "reach_rate" => Cohort::Targeted,
        "reach_rate_lift" => Cohort::TargetedTwice,
        "delivery_rate" => Cohort::Handovers,
        "visit_conformity" => Cohort::Visits,
        "campaign_complaint_rate" => Cohort::Complained,
        _ => return None,
    })
}

/// A row behind a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is: `household`, `customer`, `touchpoint`, `unit`, `visit`, `work_order`.
    pub kind: &'static str,
    /// Its id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// It counts above the line.
    pub in_numerator: bool,
    /// It counts below it.
    pub in_denominator: bool,
    /// Why.
    pub reason: String,
    /// Flags of a visit, defects and first visit of a unit, whether it is of the period before.
    pub detail: Detail,
}

/// What a formula needs of a row beside where it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// The rules that a visit kept: notice, duration, form, training, kit.
    pub kept: [bool; 5],
    /// Defects of a unit.
    pub defects: i64,
    /// A unit was accepted on the first visit.
    pub is_first_visit: bool,
    /// Of the period before.
    pub is_before: bool,
}

/// The figure of rows; `base` is the households of the estates, where a rate has them below the line.
pub fn figure(cohort: Cohort, rows: &[&Row], base: Option<Ratio>) -> Figure {
    let count = |holds: &dyn Fn(&Row) -> bool| i64::try_from(rows.iter().filter(|row| holds(row)).count()).unwrap_or(i64::MAX);
    match cohort {
        Cohort::Talks => {
            base.map_or_else(Figure::no_data, |base| relationship_callback_coverage(count(&|row| row.in_numerator), base.floor()))
        }
        Cohort::Covered => base.map_or_else(Figure::no_data, |base| {
            care_coverage(&CareCounts {
                households: base.floor(),
                opted_out: count(&|row| row.reason == "opted_out"),
                held_out: count(&|row| row.reason == "held_out"),
                covered: count(&|row| row.in_numerator),
            })
        }),
        Cohort::Targeted => reach_rate(count(&|row| row.in_numerator), count(&|row| row.in_denominator)),
        Cohort::TargetedTwice => {
            let share = |before: bool| {
                let reached = count(&|row| row.detail.is_before == before && row.in_numerator);
                let targeted = count(&|row| row.detail.is_before == before && row.in_denominator);
                Ratio::new(reached.into(), targeted.into())
            };
            reach_lift(share(true), share(false), count(&|row| !row.detail.is_before && row.in_denominator))
        }
        Cohort::Handovers => {
            let delivered: Vec<&&Row> = rows.iter().filter(|row| row.in_numerator).collect();
            delivery_rate(&DeliveryCounts {
                noticed: count(&|row| row.in_denominator),
                delivered: i64::try_from(delivered.len()).unwrap_or(i64::MAX),
                accepted_at_first_visit: count(&|row| row.in_numerator && row.detail.is_first_visit),
                defects: delivered.iter().map(|row| row.detail.defects).sum(),
            })
        }
        Cohort::Visits => {
            let proof = |row: &&Row| {
                let [notice_in_time, long_enough, form_in_time, is_trained, has_kit] = row.detail.kept;
                VisitProof { notice_in_time, long_enough, form_in_time, is_trained, has_kit }
            };
            visit_conformity(&rows.iter().map(proof).collect::<Vec<_>>())
        }
        Cohort::Complained => {
            // Whoever has several estates counts in each, and once in the group.
            let mut customers = BTreeMap::new();
            for row in rows.iter().filter(|row| row.in_denominator) {
                *customers.entry(row.id).or_insert(false) |= row.in_numerator;
            }
            let of = |complained: usize| i64::try_from(complained).unwrap_or(i64::MAX);
            let beside = ["not_delivered", "out_of_scope"].map(|code| Part::count(code, count(&|row| row.reason == code)));
            campaign_complaint_rate(of(customers.values().filter(|complained| **complained).count()), of(customers.len())).beside(beside)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize, in_numerator: bool, in_denominator: bool, reason: &str) -> Vec<Row> {
        let row = |at: usize| Row {
            kind: "household",
            id: Uuid::from_u128(at as u128 + 1),
            at: Timestamp::UNIX_EPOCH,
            in_numerator,
            in_denominator,
            reason: reason.to_owned(),
            detail: Detail::default(),
        };
        (0..count).map(row).collect()
    }

    fn of(cohort: Cohort, all: &[Row], base: i64) -> Option<Ratio> {
        figure(cohort, &all.iter().collect::<Vec<_>>(), Some(Ratio::whole(base))).value()
    }

    /// Vectors 5 and 6 of domain/metrics.md §10.2.
    #[test]
    fn the_vectors_of_care_come_out() {
        assert_eq!(of(Cohort::Talks, &rows(852, true, true, "two_way"), 1000), Ratio::new(852, 1000));
        let mut covered = rows(980, true, true, "reached");
        covered.extend(rows(10, false, false, "opted_out"));
        covered.extend(rows(10, false, false, "held_out"));
        assert_eq!(of(Cohort::Covered, &covered, 1020), Ratio::new(980, 1000));
    }

    /// F-05c, §10.1: who was reached in two estates counts in each, and once in the group.
    #[test]
    fn a_customer_of_two_estates_complains_once_in_the_group() {
        let mut here = rows(23, true, true, "complained");
        here.extend(rows(100, false, true, "delivered").split_off(23));
        assert_eq!(of(Cohort::Complained, &here, 0), Ratio::new(23, 100));
        let there = rows(2, false, true, "delivered");
        assert_eq!(of(Cohort::Complained, &there, 0), Ratio::new(0, 2));
        assert_eq!(of(Cohort::Complained, &[here, there].concat(), 0), Ratio::new(23, 100));
        let all = rows(3, false, false, "not_delivered");
        let made = figure(Cohort::Complained, &all.iter().collect::<Vec<_>>(), None);
        assert_eq!((made.value(), made.part("not_delivered")), (None, Some(&Part::count("not_delivered", 3))), "never 0 or 100");
    }

    /// Vector 9: 50 % to 70 % is +40 % relative.
    #[test]
    fn a_lift_of_the_reach_rate_is_relative() {
        let half = |of: usize, is_before: bool| {
            let mut all = rows(of, true, true, "delivered");
            all.extend(rows(100 - of, false, true, "sent"));
            for row in &mut all {
                row.detail.is_before = is_before;
            }
            all
        };
        let mut all = half(50, true);
        all.extend(half(70, false));
        assert_eq!(of(Cohort::TargetedTwice, &all, 0), Ratio::new(40, 100));
    }
}
