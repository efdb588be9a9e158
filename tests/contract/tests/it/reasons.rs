//! The catalogue of refusals, as a file that a person reads.

use std::fmt::Write as _;

use crate::golden::assert_golden;

#[test]
fn the_catalogue_of_reasons_is_the_one_reviewed() {
    let mut out = String::from("# Reasons of refusal, by service. Meaning and code are in each service's error_reason.proto.\n");
    let mut enums: Vec<_> = steward_proto::descriptor_pool().all_enums().filter(|e| e.name() == "ErrorReason").collect();
    enums.sort_by(|a, b| a.full_name().cmp(b.full_name()));
    for reasons in enums {
        writeln!(out, "\n{}", reasons.package_name()).expect("a string");
        for value in reasons.values().filter(|value| value.number() != 0) {
            writeln!(out, "  {:>3} {}", value.number(), value.name().trim_start_matches("ERROR_REASON_")).expect("a string");
        }
    }
    assert_golden("reasons.txt", &out);
}
