//! What holds for the whole catalogue.

use std::collections::BTreeSet;

use super::super::{Source, metric, metrics};

#[test]
fn ids_are_told_apart_by_their_source_and_every_metric_has_a_method() {
    let mut seen = BTreeSet::new();
    for one in metrics() {
        assert!(seen.insert((one.id, format!("{:?}", one.source))), "{} twice", one.id);
        assert!(!one.methods.is_empty() && !one.name_zh.is_empty() && !one.name_en.is_empty(), "{}", one.id);
        assert!(one.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.".contains(&byte)), "{}", one.id);
    }
}

/// F-01 to F-22: every formula has a metric; F-12 plans and is none.
#[test]
fn every_formula_has_a_metric() {
    let known: BTreeSet<&str> = metrics().iter().map(|one| one.formula).collect();
    let formulas = [
        "F-01", "F-02", "F-02b", "F-03", "F-04", "F-05a", "F-05b", "F-05c", "F-06", "F-06b", "F-07", "F-07b", "F-07c", "F-08", "F-08b",
        "F-09", "F-10", "F-11", "F-13a", "F-13b", "F-14", "F-15", "F-16", "F-17", "F-18", "F-19", "F-20", "F-21", "F-22",
    ];
    for formula in formulas {
        assert!(known.contains(formula), "{formula}");
    }
}

/// C-02: one name, two definitions at once.
#[test]
fn the_complaint_rate_has_a_definition_by_operation_and_one_by_survey() {
    assert_eq!(metric("complaint_rate", None).map(|one| one.formula), Some("F-05a"));
    assert_eq!(metric("complaint_rate", Some(Source::Survey)).map(|one| one.formula), Some("F-05b"));
    assert_eq!(metric("complaint_rate", Some(Source::Import)), None);
}

/// plans.md: every figure that a preset names can be defined.
#[test]
fn every_metric_of_the_presets_is_in_the_catalogue() {
    let named = [
        "data_quality_dup_rate",
        "data_quality_completeness",
        "repair_wait_time",
        "feedback_loop_rate",
        "care_coverage",
        "interview_rounds_done",
        "improvement_plans_done",
        "csat_lift",
        "churn_rate",
        "reach_rate_lift",
        "campaign_complaint_rate",
        "csat_rate",
        "csat_score",
        "complaint_rate",
        "first_response_hours",
        "resolution_rate",
        "mean_handling_time",
        "repair_csat_rate",
        "complaint_callback_coverage",
        "handled_rate",
        "timely_rate.push",
        "timely_rate.contact",
        "timely_rate.arrive",
        "timely_rate.first_response",
        "timely_rate.owner_contact",
        "timely_rate.callback",
        "improvement_effect",
        "peak_share",
        "loyalty_rate",
        "complaint_timely_rate",
        "suggestions_count",
        "relationship_callback_coverage",
        "delivery_rate",
    ];
    for id in named {
        assert!(metric(id, None).is_some(), "{id}");
    }
}
