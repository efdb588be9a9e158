//! Which policy documents are refused at activation: every contradiction, named by its place.
//!
//! A document is checked against the layers below its scope, because that is what it will be laid over: a category may
//! come from there, and so may the limit that a repair must have (WO-09).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use steward_kit::calendar::{CalendarId, Calendars, Span};
use steward_kit::error::Violations;
use uuid::Uuid;

use super::case::{Case, CaseFilter, Kind, Milestone, Urgency};
use super::clock::ClockTerms;
use super::dispatch_check::check_dispatch;
use super::intake::normalised;
use super::major::MajorRules;
use super::policy::{
    CallbackPolicy, ClockRule, Coverage, EscalationStep, IntakePolicy, Layer, Policies, PolicySource, PolicyVersionId, ScopeLevel,
    SlaPolicy,
};
use super::terms::{CALLBACK_CLOCK, Terms};

/// Reason of every violation noted here.
pub(super) const REASON: &str = "POLICY_INVALID";

/// What a document is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The layers below the document's scope, most specific first; for a base document none. Its own scope counts for the
    /// kinds that the document is not.
    pub below: &'a Policies,
    /// Calendars that limits may name.
    pub calendars: &'a Calendars,
}

/// Checks clocks and escalation. `at` is the place of the document in the request, such as `document.sla`.
pub fn check_sla(bad: &mut Violations, at: &str, policy: &SlaPolicy, around: Surroundings<'_>) {
    let codes = codes_of(around.below);
    for (index, rule) in policy.clock_rules.iter().enumerate() {
        let place = format!("{at}.clock_rules[{index}]");
        check_filter(bad, &format!("{place}.applies_to"), &rule.applies_to, &codes);
        check_clock(bad, &place, rule, around.calendars);
        let twin =
            policy.clock_rules[..index].iter().position(|earlier| earlier.clock == rule.clock && earlier.applies_to == rule.applies_to);
        refuse_twin(bad, &place, "clock_rules", twin);
    }
    check_steps(bad, &format!("{at}.escalation_steps"), &policy.escalation_steps);
    let spans = [("reopen_window", &policy.reopen_window), ("max_backdate", &policy.max_backdate), ("auto_close", &policy.auto_close)];
    for (field, span) in spans {
        check_calendar(bad, &format!("{at}.{field}"), span.as_ref(), around.calendars);
    }
    for (index, rule) in policy.proof_rules.iter().enumerate() {
        let place = format!("{at}.proof_rules[{index}]");
        check_filter(bad, &format!("{place}.applies_to"), &rule.applies_to, &codes);
        let twin = policy.proof_rules[..index].iter().position(|earlier| earlier.applies_to == rule.applies_to);
        refuse_twin(bad, &place, "proof_rules", twin);
    }
    for (index, filter) in policy.published_standards.iter().enumerate() {
        let place = format!("{at}.published_standards[{index}]");
        check_filter(bad, &place, filter, &codes);
    }
    check_field_work(bad, at, policy, &codes, around.calendars);
    check_warranty(bad, at, policy, &codes);
    if let Some(rule) = &policy.quality.spot_check {
        let place = format!("{at}.quality.spot_check");
        check_filter(bad, &format!("{place}.applies_to"), &rule.applies_to, &codes);
        check_calendar(bad, &format!("{place}.due"), Some(&rule.due), around.calendars);
        if rule.share.exceeds_all() {
            bad.add(format!("{place}.share"), REASON, "is more than all");
        }
    }
    check_dispatch(bad, &format!("{at}.dispatch"), policy, around, &codes);
    check_limits(bad, at, policy, around.below);
}

/// Checks what is asked of work on site, what it costs, how it may stand still, and in which weather it may take longer.
fn check_field_work(bad: &mut Violations, at: &str, policy: &SlaPolicy, codes: &BTreeSet<&str>, calendars: &Calendars) {
    for (index, rule) in policy.conduct_rules.iter().enumerate() {
        let place = format!("{at}.conduct_rules[{index}]");
        check_filter(bad, &format!("{place}.applies_to"), &rule.applies_to, codes);
        for (point, code) in rule.checklist.iter().enumerate() {
            if !is_code(code) || rule.checklist[..point].contains(code) {
                bad.add(format!("{place}.checklist[{point}]"), REASON, "must be lower snake case, each point once");
            }
        }
        let twin = policy.conduct_rules[..index].iter().position(|earlier| earlier.applies_to == rule.applies_to);
        refuse_twin(bad, &place, "conduct_rules", twin);
    }
    for (index, rule) in policy.price_rules.iter().enumerate() {
        let place = format!("{at}.price_rules[{index}]");
        check_filter(bad, &format!("{place}.applies_to"), &rule.applies_to, codes);
        for (item, price) in rule.items.iter().enumerate() {
            if !is_code(&price.code) || rule.items[..item].iter().any(|earlier| earlier.code == price.code) {
                bad.add(format!("{place}.items[{item}].code"), REASON, "must be lower snake case, each item once");
            }
        }
        let twin = policy.price_rules[..index].iter().position(|earlier| earlier.applies_to == rule.applies_to);
        refuse_twin(bad, &place, "price_rules", twin);
    }
    for (index, rule) in policy.suspension_rules.iter().enumerate() {
        let place = format!("{at}.suspension_rules[{index}]");
        check_calendar(bad, &format!("{place}.max_duration"), rule.max_duration.as_ref(), calendars);
        let twin = policy.suspension_rules[..index].iter().position(|earlier| earlier.reason == rule.reason);
        refuse_twin(bad, &place, "suspension_rules", twin);
    }
    for (index, mode) in policy.weather_modes.iter().enumerate() {
        let place = format!("{at}.weather_modes[{index}]");
        check_filter(bad, &format!("{place}.applies_to"), &mode.applies_to, codes);
        if mode.applies_to.urgencies.is_empty() || mode.applies_to.urgencies.contains(&Urgency::L0) {
            bad.add(format!("{place}.applies_to.urgencies"), REASON, "must be named, and life safety is none of them");
        }
        if mode.to <= mode.from {
            bad.add(format!("{place}.to_time"), REASON, "must be after the beginning");
        }
        let twin = policy.weather_modes[..index].iter().position(|earlier| earlier.code == mode.code);
        refuse_twin(bad, &place, "weather_modes", twin);
    }
}

/// Checks warranties; what a period is made of was read before.
fn check_warranty(bad: &mut Violations, at: &str, policy: &SlaPolicy, codes: &BTreeSet<&str>) {
    for (index, rule) in policy.warranty_rules.iter().enumerate() {
        let place = format!("{at}.warranty_rules[{index}]");
        check_filter(bad, &format!("{place}.applies_to"), &rule.applies_to, codes);
        if !rule.applies_to.liabilities.is_empty() {
            bad.add(format!("{place}.applies_to.liabilities"), REASON, "a warranty suggests a liability: it cannot wait for one");
        }
        let twin = policy.warranty_rules[..index].iter().position(|earlier| earlier.applies_to == rule.applies_to);
        refuse_twin(bad, &place, "warranty_rules", twin);
    }
}

/// Checks categories and classification.
pub fn check_intake(bad: &mut Violations, at: &str, policy: &IntakePolicy, around: Surroundings<'_>) {
    let mut codes = codes_of(around.below);
    codes.extend(policy.categories.iter().map(|category| category.code.as_str()));
    let mut seen = BTreeMap::new();
    for (index, category) in policy.categories.iter().enumerate() {
        let place = format!("{at}.categories[{index}]");
        if !is_code(&category.code) {
            bad.add(format!("{place}.code"), REASON, "must be lower snake case, levels divided by dots");
        }
        if let Some((parent, _)) = category.code.rsplit_once('.')
            && !codes.contains(parent)
        {
            bad.add(format!("{place}.code"), REASON, format!("its branch `{parent}` is not in the tree"));
        }
        refuse_twin(bad, &place, "categories", seen.insert(&category.code, index));
    }
    let mut seen = BTreeMap::new();
    for (index, rule) in policy.rules.iter().enumerate() {
        let place = format!("{at}.rules[{index}]");
        if !codes.contains(rule.category.as_str()) {
            bad.add(format!("{place}.category"), REASON, format!("`{}` is not in the tree", rule.category));
        }
        for (word, text) in rule.any_words.iter().enumerate() {
            if normalised(text).is_empty() {
                bad.add(format!("{place}.any_words[{word}]"), REASON, "is blank");
            }
        }
        refuse_twin(bad, &place, "rules", seen.insert(&rule.code, index));
    }
    check_major(bad, at, &policy.major, &codes, around.calendars);
    let mut seen = BTreeMap::new();
    for (index, rule) in policy.hotspots.iter().enumerate() {
        let place = format!("{at}.hotspot_rules[{index}]");
        if rule.min_share.is_none() && rule.min_z_score_milli == 0 {
            bad.add(&place, REASON, "needs a share or a score from which on a category stands out");
        }
        if rule.min_z_score_milli > 0 && rule.usual_days == 0 {
            bad.add(format!("{place}.usual_days"), REASON, "a score needs a time before to compare with");
        }
        refuse_twin(bad, &place, "hotspot_rules", seen.insert(&rule.code, index));
    }
    for (index, rule) in policy.origin_rules.iter().enumerate() {
        let place = format!("{at}.origin_rules[{index}]");
        for (field, required) in rule.required.iter().enumerate() {
            if !required.is_of(rule.channel) {
                bad.add(format!("{place}.required[{field}]"), REASON, format!("reports of channel {} do not say it", rule.channel));
            }
        }
        refuse_twin(bad, &place, "origin_rules", policy.origin_rules[..index].iter().position(|earlier| earlier.channel == rule.channel));
    }
}

/// Checks what makes a case a major complaint.
fn check_major(bad: &mut Violations, at: &str, major: &MajorRules, codes: &BTreeSet<&str>, calendars: &Calendars) {
    check_calendar(bad, &format!("{at}.major_flag_window"), major.window.as_ref(), calendars);
    let mut seen = BTreeMap::new();
    for (index, rule) in major.rules.iter().enumerate() {
        let place = format!("{at}.major_rules[{index}]");
        if rule.says_nothing() {
            bad.add(&place, REASON, "says nothing: every case would be major");
        }
        if rule.counts_around() && rule.within_days == 0 {
            bad.add(format!("{place}.within_days"), REASON, "says how far back cases are counted");
        }
        for (category, code) in rule.categories.iter().enumerate() {
            if !codes.contains(code.as_str()) {
                bad.add(format!("{place}.categories[{category}]"), REASON, format!("`{code}` is not in the tree"));
            }
        }
        for (word, text) in rule.any_words.iter().enumerate() {
            if normalised(text).is_empty() {
                bad.add(format!("{place}.any_words[{word}]"), REASON, "is blank");
            }
        }
        refuse_twin(bad, &place, "major_rules", seen.insert(&rule.code, index));
    }
}

/// Checks callbacks.
pub fn check_callback(bad: &mut Violations, at: &str, policy: &CallbackPolicy, around: Surroundings<'_>) {
    let codes = codes_of(around.below);
    for (index, rule) in policy.rules.iter().enumerate() {
        let place = format!("{at}.rules[{index}]");
        check_filter(bad, &format!("{place}.applies_to"), &rule.applies_to, &codes);
        if rule.due.is_none() {
            bad.add(format!("{place}.due"), REASON, "a callback needs a limit");
        }
        check_calendar(bad, &format!("{place}.due"), rule.due.as_ref(), around.calendars);
        let expiry = rule.form.as_ref().map(|form| &form.expiry);
        check_calendar(bad, &format!("{place}.app_form_expiry"), expiry, around.calendars);
        check_steps(bad, &format!("{place}.steps"), &rule.steps);
        if rule.coverage.is_some_and(Coverage::exceeds_all) {
            bad.add(format!("{place}.coverage"), REASON, "is more than all");
        }
        for (field, wanted) in [("min_time_bands", rule.attempts.min_time_bands), ("min_days", rule.attempts.min_days)] {
            if wanted > rule.attempts.min_count {
                bad.add(format!("{place}.{field}"), REASON, "more than `min_attempts` attempts can cover");
            }
        }
        let twin = policy.rules[..index].iter().position(|earlier| earlier.applies_to == rule.applies_to);
        refuse_twin(bad, &place, "rules", twin);
    }
}

fn check_clock(bad: &mut Violations, place: &str, rule: &ClockRule, calendars: &Calendars) {
    if !is_code(&rule.clock) || rule.clock.contains('.') {
        bad.add(format!("{place}.clock"), REASON, "must be lower snake case");
    }
    if rule.clock == CALLBACK_CLOCK {
        bad.add(format!("{place}.clock"), REASON, "the callback's clock comes from the callback policy");
    }
    if rule.off {
        return;
    }
    match (&rule.limit, rule.start_on) {
        (Some(_), Milestone::Promised) => bad.add(format!("{place}.limit"), REASON, "a clock of promises has the promise as its limit"),
        (None, start) if start != Milestone::Promised => bad.add(format!("{place}.limit"), REASON, "must be given"),
        (Some(_) | None, _) => {}
    }
    if rule.heeds_external_due && rule.start_on == Milestone::Promised {
        bad.add(format!("{place}.heeds_external_due"), REASON, "a clock of promises is due when it was promised");
    }
    check_calendar(bad, &format!("{place}.limit"), rule.limit.as_ref(), calendars);
    if rule.stop_on.is_empty() {
        bad.add(format!("{place}.stop_on"), REASON, "must be given");
    }
    for (index, stop) in rule.stop_on.iter().enumerate() {
        if *stop == rule.start_on {
            bad.add(format!("{place}.stop_on[{index}]"), REASON, "stops the clock as it starts");
        }
        if rule.stop_on[..index].contains(stop) {
            bad.add(format!("{place}.stop_on[{index}]"), REASON, "is given twice");
        }
    }
    check_steps(bad, &format!("{place}.steps"), &rule.steps);
}

fn check_steps(bad: &mut Violations, place: &str, steps: &[EscalationStep]) {
    for (index, pair) in steps.windows(2).enumerate() {
        if pair[0].percent >= pair[1].percent {
            bad.add(format!("{place}[{}].percent", index + 1), REASON, "steps must ascend");
        }
    }
}

pub(super) fn check_calendar(bad: &mut Violations, place: &str, span: Option<&Span>, calendars: &Calendars) {
    let Some(CalendarId::Hours(name)) = span.map(Span::calendar) else { return };
    if calendars.hours(name).is_err() {
        bad.add(format!("{place}.calendar"), REASON, format!("working-hours calendar `{name}` is not loaded"));
    }
}

pub(super) fn check_filter(bad: &mut Violations, place: &str, filter: &CaseFilter, codes: &BTreeSet<&str>) {
    for (index, code) in filter.categories.iter().enumerate() {
        if !codes.contains(code.as_str()) {
            bad.add(format!("{place}.categories[{index}]"), REASON, format!("`{code}` is not in the tree"));
        }
    }
}

pub(super) fn refuse_twin(bad: &mut Violations, place: &str, list: &str, twin: Option<usize>) {
    if let Some(twin) = twin {
        bad.add(place, REASON, format!("is for the same as {list}[{twin}]"));
    }
}

/// A process whose standard is published must have a limit, and a repair always (WO-09): in every leaf of the tree, however
/// urgent, some clock from receipt.
fn check_limits(bad: &mut Violations, at: &str, policy: &SlaPolicy, below: &Policies) {
    let source = PolicySource { version_id: PolicyVersionId::from(Uuid::nil()), scope: ScopeLevel::Estate, version: 0 };
    let mut chain =
        Policies { intake: below.intake.clone(), sla: vec![Layer { source, document: Arc::new(policy.clone()) }], callback: Vec::new() };
    chain.sla.extend(below.sla.iter().cloned());
    let codes = codes_of(below);
    let is_leaf = |code: &&&str| !codes.iter().any(|other| other.len() > code.len() && super::case::is_at_or_below(other, code));
    let is_published = |case: Case<'_>| case.kind == Kind::Repair || policy.published_standards.iter().any(|filter| filter.matches(case));
    let mut without = Vec::new();
    for (kind, leaf) in Kind::ALL.iter().flat_map(|kind| codes.iter().filter(is_leaf).map(move |leaf| (*kind, *leaf))) {
        let unlimited = |urgency: &&Urgency| {
            let case = Case { kind, category: leaf, urgency: **urgency, liability: None };
            let from_receipt = |clock: &ClockTerms| clock.start_on == Milestone::Received && clock.limit.is_some();
            is_published(case) && !Terms::bind(&chain, case, None).clocks.iter().any(from_receipt)
        };
        let urgencies: Vec<&str> = Urgency::ALL.iter().filter(unlimited).map(|urgency| urgency.as_str()).collect();
        if !urgencies.is_empty() {
            without.push(format!("{} `{leaf}` ({})", kind.as_str(), urgencies.join(", ")));
        }
    }
    if !without.is_empty() {
        bad.add(format!("{at}.clock_rules"), REASON, format!("would have no limit from receipt: {}", without.join("; ")));
    }
}

fn codes_of(policies: &Policies) -> BTreeSet<&str> {
    let categories = policies.intake.iter().flat_map(|layer| &layer.document.categories);
    categories.map(|category| category.code.as_str()).collect()
}

/// Lower snake case, levels divided by dots.
pub(super) fn is_code(text: &str) -> bool {
    let is_level = |level: &str| {
        level.starts_with(|c: char| c.is_ascii_lowercase())
            && level.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    text.split('.').all(is_level)
}
