//! Figures that care owns: from rows to counts, which add up over estates, and from counts to figures by the formulas of `kit::metric`.
//! The rows that make a figure explain it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use steward_kit::adds_up;
use steward_kit::metric::{
    AddsUp, CareCounts, DeliveryCounts, Figure, Part, Ratio, ShareCounts, Tally, VisitCounts, VisitProof, campaign_complaint_rate,
    care_coverage, delivery_rate, reach_lift, reach_rate, relationship_callback_coverage, visit_conformity,
};
use uuid::Uuid;

/// The rules that rows are counted by, as they are written (`kit_store::rollups`).
pub const RULES: &str = include_str!("figures.rs");

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
    /// What a visit met, defects and first visit of a unit, whether it is of the period before.
    pub detail: Detail,
}

/// What a formula needs of a row beside where it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// What a visit met.
    pub visit: VisitProof,
    /// Defects of a unit.
    pub defects: i64,
    /// A unit was accepted on the first visit.
    pub is_first_visit: bool,
    /// Of the period before.
    pub is_before: bool,
}

/// Whom a layer reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct CoveredCounts {
    covered: i64,
    opted_out: i64,
    held_out: i64,
}

adds_up!(CoveredCounts { covered, opted_out, held_out });

/// Messages that arrived, in the period and in the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct LiftCounts {
    reached: i64,
    targeted: i64,
    reached_before: i64,
    targeted_before: i64,
}

adds_up!(LiftCounts { reached, targeted, reached_before, targeted_before });

/// Complaints of a campaign that are no customer's whom it reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct BesideCounts {
    not_delivered: i64,
    out_of_scope: i64,
}

adds_up!(BesideCounts { not_delivered, out_of_scope });

/// What the rows of an estate come to.
pub fn tally(cohort: Cohort, rows: &[Row]) -> Tally {
    let count = |holds: &dyn Fn(&Row) -> bool| i64::try_from(rows.iter().filter(|row| holds(row)).count()).unwrap_or(i64::MAX);
    let of_reason = |code: &str| count(&|row| row.reason == code);
    match cohort {
        Cohort::Talks | Cohort::Targeted => {
            ShareCounts { numerator: count(&|row| row.in_numerator), denominator: count(&|row| row.in_denominator) }.tally()
        }
        Cohort::Covered => {
            let covered = count(&|row| row.in_numerator);
            CoveredCounts { covered, opted_out: of_reason("opted_out"), held_out: of_reason("held_out") }.tally()
        }
        Cohort::TargetedTwice => LiftCounts {
            reached: count(&|row| !row.detail.is_before && row.in_numerator),
            targeted: count(&|row| !row.detail.is_before && row.in_denominator),
            reached_before: count(&|row| row.detail.is_before && row.in_numerator),
            targeted_before: count(&|row| row.detail.is_before && row.in_denominator),
        }
        .tally(),
        Cohort::Handovers => DeliveryCounts {
            noticed: count(&|row| row.in_denominator),
            delivered: count(&|row| row.in_numerator),
            accepted_at_first_visit: count(&|row| row.in_numerator && row.detail.is_first_visit),
            defects: rows.iter().filter(|row| row.in_numerator).map(|row| row.detail.defects).sum(),
        }
        .tally(),
        Cohort::Visits => rows.iter().map(|row| &row.detail.visit).collect::<VisitCounts>().tally(),
        Cohort::Complained => {
            let who = |counts: fn(&Row) -> bool| rows.iter().filter(|row| counts(row)).map(|row| row.id).collect::<BTreeSet<_>>();
            let beside = BesideCounts { not_delivered: of_reason("not_delivered"), out_of_scope: of_reason("out_of_scope") };
            beside.tally().with_members(who(|row| row.in_denominator)).with_counted(who(|row| row.in_numerator))
        }
    }
}

/// The figure of what rows came to; `base` is the households of the estates, where a rate has them below the line.
pub fn figure(cohort: Cohort, tally: &Tally, base: Option<Ratio>) -> Figure {
    match cohort {
        Cohort::Talks => {
            let talks = ShareCounts::of_tally(tally);
            base.map_or_else(Figure::no_data, |base| relationship_callback_coverage(talks.numerator, base.floor()))
        }
        Cohort::Covered => base.map_or_else(Figure::no_data, |base| {
            let CoveredCounts { covered, opted_out, held_out } = CoveredCounts::of_tally(tally);
            care_coverage(&CareCounts { households: base.floor(), opted_out, held_out, covered })
        }),
        Cohort::Targeted => {
            let messages = ShareCounts::of_tally(tally);
            reach_rate(messages.numerator, messages.denominator)
        }
        Cohort::TargetedTwice => {
            let counts = LiftCounts::of_tally(tally);
            let share = |reached: i64, targeted: i64| Ratio::new(reached.into(), targeted.into());
            let before = share(counts.reached_before, counts.targeted_before);
            reach_lift(before, share(counts.reached, counts.targeted), counts.targeted)
        }
        Cohort::Handovers => delivery_rate(&DeliveryCounts::of_tally(tally)),
        Cohort::Visits => visit_conformity(&VisitCounts::of_tally(tally)),
        Cohort::Complained => {
            // Whoever has several estates counts in each, and once in the group.
            let of = |ids: &[Vec<u8>]| i64::try_from(ids.len()).unwrap_or(i64::MAX);
            let beside = BesideCounts::of_tally(tally);
            campaign_complaint_rate(of(&tally.counted), of(&tally.members))
                .beside([Part::count("not_delivered", beside.not_delivered), Part::count("out_of_scope", beside.out_of_scope)])
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
        figure(cohort, &tally(cohort, all), Some(Ratio::whole(base))).value()
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
        let both = Tally::sum([&tally(Cohort::Complained, &here), &tally(Cohort::Complained, &there)]);
        assert_eq!(figure(Cohort::Complained, &both, None).value(), Ratio::new(23, 100));
        let all = rows(3, false, false, "not_delivered");
        let made = figure(Cohort::Complained, &tally(Cohort::Complained, &all), None);
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
