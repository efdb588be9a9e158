//! The plans that ship, read as instances of the contract's ServicePlan.

use std::sync::Arc;

use steward_kit::calendar::Calendars;
use steward_kit::error::Violations;
use steward_kit::plan::read_plan;
use uuid::Uuid;

use crate::app::policy_documents;
use crate::domain::{
    CallbackPolicy, ClockRule, IntakePolicy, Layer, Milestone, Policies, PolicySource, PolicyVersionId, ScopeLevel, SlaPolicy,
    Surroundings, check_callback, check_intake, check_sla,
};

pub(super) const BASE: &str = include_str!("../../../../../gateway/plans/base.yaml");
pub(super) const UPLIFT: &str = include_str!("../../../../../gateway/plans/service-uplift.yaml");

const TEMPLATE: &str = include_str!("../../../../../gateway/plans/process-template.yaml");
const CARE: &str = include_str!("../../../../../gateway/plans/care-315.yaml");
const MANAGEMENT: &str = include_str!("../../../../../gateway/plans/service-management.yaml");

/// A plan's documents as the domain reads them.
pub(super) struct Plan {
    pub(super) intake: IntakePolicy,
    pub(super) sla: SlaPolicy,
    pub(super) callback: CallbackPolicy,
}

pub(super) fn read(yaml: &str) -> Plan {
    let plan = read_plan("gateway/plans", yaml).expect("is a ServicePlan");
    let mut bad = Violations::new();
    let read = (
        policy_documents::intake(&mut bad, "intake", &plan.intake.unwrap_or_default()),
        policy_documents::sla(&mut bad, "sla", &plan.sla.unwrap_or_default()),
        policy_documents::callback(&mut bad, "callback", &plan.callback.unwrap_or_default()),
    );
    assert!(bad.is_empty(), "{bad}");
    let (Some(intake), Some(sla), Some(callback)) = read else { panic!("no fault was told") };
    Plan { intake, sla, callback }
}

fn layer<D>(scope: ScopeLevel, document: D) -> Layer<D> {
    let source = PolicySource { version_id: PolicyVersionId::from(Uuid::from_u128(scope as u128 + 1)), scope, version: 1 };
    Layer { source, document: Arc::new(document) }
}

pub(super) fn add(policies: &mut Policies, scope: ScopeLevel, plan: Plan) {
    policies.intake.insert(0, layer(scope, plan.intake));
    policies.sla.insert(0, layer(scope, plan.sla));
    policies.callback.insert(0, layer(scope, plan.callback));
}

pub(super) fn base() -> Policies {
    let mut policies = Policies::default();
    add(&mut policies, ScopeLevel::Base, read(BASE));
    policies
}

pub(super) fn uplift() -> Policies {
    let mut policies = base();
    add(&mut policies, ScopeLevel::Group, read(UPLIFT));
    policies
}

/// Base with one more clock for the estate.
pub(super) fn base_with(rule: ClockRule) -> Policies {
    let mut policies = base();
    policies.sla.insert(0, layer(ScopeLevel::Estate, SlaPolicy { clock_rules: vec![rule], ..SlaPolicy::default() }));
    policies
}

/// The uplift plan with more for the estate.
pub(super) fn uplift_with(more: SlaPolicy) -> Policies {
    let mut policies = uplift();
    policies.sla.insert(0, layer(ScopeLevel::Estate, more));
    policies
}

/// A clock from receipt for every order.
pub(super) fn rule(clock: &str, limit: &str, stop_on: Milestone) -> ClockRule {
    ClockRule {
        applies_to: super::super::CaseFilter::default(),
        clock: clock.into(),
        start_on: Milestone::Received,
        stop_on: vec![stop_on],
        limit: Some(limit.parse().expect("is a span")),
        pauses_on: Vec::new(),
        steps: Vec::new(),
        off: false,
        first_cycle_only: false,
        moves_to_appointment: false,
        heeds_external_due: false,
    }
}

fn faults_of(plan: &Plan, below: &Policies) -> Vec<(String, String)> {
    let mut bad = Violations::new();
    let calendars = Calendars::shipped();
    let mut known = below.clone();
    check_intake(&mut bad, "intake", &plan.intake, Surroundings { below, calendars: &calendars });
    known.intake.insert(0, layer(ScopeLevel::Estate, plan.intake.clone()));
    let around = Surroundings { below: &known, calendars: &calendars };
    check_sla(&mut bad, "sla", &plan.sla, around);
    check_callback(&mut bad, "callback", &plan.callback, around);
    bad.iter().map(|fault| (fault.field.clone(), fault.description.clone())).collect()
}

/// XC-01
#[test]
fn the_plans_that_ship_are_accepted() {
    assert_eq!(faults_of(&read(BASE), &Policies::default()), []);
    for preset in [TEMPLATE, CARE, MANAGEMENT, UPLIFT] {
        assert_eq!(faults_of(&read(preset), &base()), []);
    }
}

/// WO-66
#[test]
fn the_default_tree_has_cleaning_security_greening_and_utilities() {
    let base = base();
    for code in ["cleaning", "security", "greening", "plumbing", "electrical"] {
        assert!(base.category(code).is_some(), "{code}");
    }
}

/// WO-09
#[test]
fn a_repair_leaf_without_a_limit_is_refused() {
    let mut plan = read(BASE);
    plan.sla.clock_rules.retain(|rule| rule.clock == "first_response");
    let faults = faults_of(&plan, &Policies::default());
    assert!(
        faults.iter().any(|(place, text)| place == "sla.clock_rules" && text.contains("`plumbing.burst_pipe` (l1, l2, l3)")),
        "{faults:?}"
    );
    assert!(!faults.iter().any(|(_, text)| text.contains("`plumbing`")), "branches are not leaves: {faults:?}");
}

/// WO-08, WO-09: what a plan promises to publish must be there.
#[test]
fn a_published_standard_without_a_limit_is_refused() {
    let template = read(TEMPLATE);
    assert_eq!(faults_of(&template, &base()), [], "base has limits for repairs");
    let mut plan = template;
    plan.sla.published_standards[0].kinds.push(crate::domain::Kind::Praise);
    let faults = faults_of(&plan, &base());
    assert!(faults.iter().any(|(_, text)| text.contains("praise `greening` (l1, l2, l3)") && !text.contains("repair")), "{faults:?}");
}

/// P-5, and every other contradiction by its place.
#[test]
fn every_contradiction_is_named_by_its_place() {
    let mut plan = read(BASE);
    plan.sla.clock_rules[0].limit = Some("4h@business".parse().expect("is a span"));
    plan.sla.clock_rules[1].limit = None;
    plan.sla.clock_rules[2].applies_to.categories = vec!["unicorns".into()];
    plan.sla.clock_rules[3].stop_on.push(Milestone::Received);
    let twin = plan.sla.clock_rules[4].clone();
    plan.sla.clock_rules.push(twin);
    plan.sla.escalation_steps.swap(0, 1);
    plan.callback.rules[0].due = None;
    plan.callback.rules[1].attempts.min_days = 4;
    plan.intake.rules[0].category = "unicorns".into();
    plan.intake.categories[1].code = "nowhere.burst_pipe".into();
    let places: Vec<String> = faults_of(&plan, &Policies::default()).into_iter().map(|(place, _)| place).collect();
    for place in [
        "intake.categories[1].code",
        "intake.rules[0].category",
        "sla.clock_rules[0].limit.calendar",
        "sla.clock_rules[1].limit",
        "sla.clock_rules[2].applies_to.categories[0]",
        "sla.clock_rules[3].stop_on[2]",
        "sla.clock_rules[9]",
        "sla.escalation_steps[1].percent",
        "callback.rules[0].due",
        "callback.rules[1].min_days",
    ] {
        assert!(places.iter().any(|found| found == place), "{place} is missing from {places:?}");
    }
}
