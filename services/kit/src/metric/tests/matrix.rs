//! The edge-case matrix of `metrics.md` §10.1, line by line.

use super::super::standing::Entry::{Counts, HouseholdOnly, Listed, Out};
use super::super::standing::Standing;

/// F-05a, F-06, F-07, F-07b, F-08, F-01: standing × figure. Columns: complaint rate, first response, other milestones,
/// resolution, handled, callback with a customer, callback without one, satisfaction.
#[test]
fn each_standing_enters_each_figure_as_the_matrix_says() {
    let table = [
        (Standing::Valid, [Counts, Counts, Counts, Counts, Counts, Counts, Out, Counts]),
        (Standing::Duplicate, [HouseholdOnly, Counts, Out, Out, Out, Counts, Out, Counts]),
        (Standing::Error, [Out, Out, Out, Out, Out, Out, Out, Out]),
        (Standing::Withdrawn, [Counts, Counts, Counts, Listed, Counts, Out, Out, Counts]),
        (Standing::Invalid, [Out, Counts, Out, Out, Out, Counts, Out, Counts]),
        (Standing::OutOfScope, [Listed, Counts, Out, Out, Counts, Counts, Out, Counts]),
        (Standing::Internal, [Out, Counts, Counts, Out, Out, Out, Out, Out]),
        (Standing::Transferred, [Counts, Counts, Counts, Out, Counts, Out, Out, Out]),
    ];
    for (standing, expected) in table {
        let found = [
            standing.in_complaint_rate(),
            standing.in_timely_rate(true),
            standing.in_timely_rate(false),
            standing.in_resolution_rate(),
            standing.in_handled_rate(),
            standing.in_callback_coverage(true),
            standing.in_callback_coverage(false),
            standing.in_satisfaction(),
        ];
        assert_eq!(found, expected, "{standing:?}");
    }
}
