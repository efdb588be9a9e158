//! What other products of the field got wrong, each as a test. Those that need a database are in `tests/it`: a policy and a holiday
//! previewed (`previews`), orders grabbed and reassigned, lists that agree.

use std::collections::BTreeSet;

use steward_kit::calendar::{Calendars, HoursError, WorkingHours};
use steward_kit::ids::WorkOrderId;
use uuid::Uuid;

use super::super::*;
use super::plans::{BASE, add, base, base_with, read, rule, uplift};
use super::story::{CLERK, Story, local, report};

fn with_response(limit: &str) -> Story {
    let policies = base_with(rule("answer", limit, Milestone::Completed));
    Story::begin(policies, "2026-03-02 10:00", &report(Kind::Repair, "漏水"))
}

/// Lesson 1: due at T, done at T and a second: missed, and done at T: kept, however often anybody looked before.
#[test]
fn what_is_done_a_second_late_is_missed_however_often_anybody_looks() {
    for (done, verdict) in [("2026-03-02 12:00", Verdict::Kept), ("2026-03-02 12:00:01", Verdict::Late)] {
        for looks in [&[][..], &["2026-03-02 11:55", "2026-03-02 11:59:59"], &["2026-03-02 12:00"]] {
            let mut story = with_response("2h@24x7");
            story.assign().expect("is allowed");
            story.contact(true, None).expect("is allowed");
            for look in looks {
                story.at(look).fire("answer", 1);
            }
            story.asleep_until(done).complete().expect("is allowed");
            assert_eq!(story.clock("answer").verdict, Some(verdict), "{done}, looked at {looks:?}");
        }
    }
}

/// Lesson 2: paused, classified anew while it stands still, resumed: the pause is kept, and what stands still is never late.
#[test]
fn a_pause_outlives_a_reclassification_and_what_stands_still_is_never_late() {
    let mut paused = rule("answer", "2h@24x7", Milestone::Completed);
    paused.pauses_on = vec![SuspensionReason::Customer];
    let mut story = Story::begin(base_with(paused), "2026-03-02 10:00", &report(Kind::Repair, "漏水"));
    story.assign().expect("is allowed");
    story.at("2026-03-02 11:00").suspend(SuspensionReason::Customer).expect("is allowed");
    story.at("2026-03-04 09:00").classify("plumbing.leak", Urgency::L1).expect("is allowed");
    let clock = story.clock("answer");
    assert_eq!((clock.state, clock.due_time, clock.verdict), (ClockState::Paused, None, None), "46 hours later it is not late");
    story.at("2026-03-04 11:00").resume().expect("is allowed");
    assert_eq!(story.clock("answer").due_time, Some(local("2026-03-04 12:00")), "one hour was used, one is left");
    assert_eq!(story.steps_of("answer"), story.steps_of("answer").into_iter().filter(|(percent, _)| *percent <= 50).collect::<Vec<_>>());
}

/// Lesson 3: a warning that falls after closing time comes when the doors open, and hours that never open are refused. Lunch, night
/// shifts, make-up days and changes of the clock are in the tables of the calendar.
#[test]
fn a_warning_waits_for_opening_time() {
    let office: WorkingHours = serde_json::from_str(
        r#"{"name": "office", "windows": [{"days": "working", "hours": "09:00-12:00"}, {"days": "working", "hours": "13:00-18:00"}]}"#,
    )
    .expect("are hours");
    let mut policies = base_with(rule("answer", "4h@office", Milestone::Completed));
    let mut document = SlaPolicy::clone(&policies.sla[0].document);
    let step = |percent| EscalationStep { percent, notify_roles: vec!["estate_manager".to_owned()] };
    document.clock_rules[0].steps = vec![step(50), step(75), step(100)];
    policies.sla[0].document = document.into();
    let world = Calendars::shipped().with_hours(office);
    let (zone, now) = (super::story::shanghai(), local("2026-03-02 15:30"));
    let ctx = Context { policies: &policies, calendars: &world, zone: &zone, lines: &NO_LINES, taker: None };
    let begun = create(&report(Kind::Repair, "漏水"), &ctx, now).expect("is taken in").order;
    let clock = begun.clock("answer", 0).expect("runs");
    let steps: Vec<_> = clock.steps.iter().map(|step| (step.percent, step.due_time)).collect();
    // 2.5 hours on Monday; half past nine on Tuesday is three hours, half past ten is four.
    let expected = [(50, "2026-03-02 17:30"), (75, "2026-03-03 09:30"), (100, "2026-03-03 10:30")];
    assert_eq!(steps, expected.map(|(percent, at)| (percent, Some(local(at)))));
    assert_eq!(WorkingHours::new("never", Vec::new()), Err(HoursError::NoWindows("never".to_owned())));
}

/// Lesson 5: three levels missed while nothing worked are each told once, by the instants at which they were due; a second look tells
/// nothing; after the end of an order no level is told.
#[test]
fn levels_missed_meanwhile_are_told_once_and_none_after_the_end() {
    let pipe = || Story::begin(uplift(), "2026-03-02 02:00", &report(Kind::Repair, "厨房水管爆漏"));
    let mut story = pipe();
    story.asleep_until("2026-03-02 02:16").fire("first_response", 1);
    story.fire("first_response", 1);
    let told: Vec<u32> = story.steps_of("first_response").iter().map(|(percent, _)| *percent).collect();
    assert_eq!(told, [50, 80, 100]);
    let mut story = pipe();
    story.at("2026-03-02 02:01").cancel(CloseCode::Withdrawn).expect("is allowed");
    story.at("2026-03-03 02:00").fire("first_response", 1);
    assert_eq!(story.steps_of("first_response"), []);
}

/// Lesson 6: reopened three times: four cycles, a callback for each that was done, verdicts of their own, and the case was not fixed at
/// the first attempt.
#[test]
fn a_case_reopened_three_times_has_a_callback_for_each_cycle() {
    let mut story = Story::begin(uplift(), "2026-03-02 08:00", &report(Kind::Repair, "水龙头漏水"));
    for cycle in 1..=4_u32 {
        story.assign().expect("is allowed");
        story.contact(true, None).expect("is allowed");
        story.complete().expect("is allowed");
        assert_eq!(story.order.cycle, cycle);
        assert_eq!(story.clock("callback").cycle, cycle);
        let score = if cycle < 4 { 1 } else { 5 };
        story.call_back(CLERK, CallbackOutcome::Reached, score).expect("is allowed");
    }
    let callbacks = story.order.clocks.iter().filter(|clock| clock.name == CALLBACK_CLOCK);
    let verdicts: Vec<_> = callbacks.map(|clock| (clock.cycle, clock.verdict)).collect();
    assert_eq!(verdicts, (1..=4).map(|cycle| (cycle, Some(Verdict::Kept))).collect::<Vec<_>>());
    let facts = case_facts(&story.order);
    assert_eq!(facts.iter().map(|fact| (fact.cycle, fact.is_last)).collect::<Vec<_>>(), [(1, false), (2, false), (3, false), (4, true)]);
}

/// The clocks of each preset over the base, as every kind and urgency gets them: `golden/clock_table.snap`. A changed number of a
/// plan shows there first.
#[test]
fn the_clock_table_of_each_preset_is_the_golden_one() {
    insta::with_settings!({ snapshot_path => "../golden", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("clock_table", table());
    });
}

fn table() -> String {
    use std::fmt::Write;
    const PRESETS: [(&str, &str); 6] = [
        ("base", BASE),
        ("process-template", include_str!("../../../../../gateway/plans/process-template.yaml")),
        ("care-315", include_str!("../../../../../gateway/plans/care-315.yaml")),
        ("service-management", include_str!("../../../../../gateway/plans/service-management.yaml")),
        ("service-uplift", include_str!("../../../../../gateway/plans/service-uplift.yaml")),
        ("lifecycle-butler", include_str!("../../../../../gateway/plans/lifecycle-butler.yaml")),
    ];
    let mut out = String::new();
    for (code, yaml) in PRESETS {
        let mut policies = base();
        if code != "base" {
            add(&mut policies, ScopeLevel::Group, read(yaml));
        }
        writeln!(out, "{code}").expect("a string takes it");
        let filters = policies.sla.iter().flat_map(|layer| &layer.document.clock_rules).flat_map(|rule| &rule.applies_to.categories);
        let named: BTreeSet<&str> = filters.map(String::as_str).collect();
        for (kind, urgency) in Kind::ALL.iter().flat_map(|kind| Urgency::ALL.iter().map(move |urgency| (*kind, *urgency))) {
            let usual = clocks_of(&policies, Case { kind, category: "other", urgency, liability: None });
            writeln!(out, "  {kind} {urgency}\n{usual}").expect("a string takes it");
            for category in &named {
                let clocks = clocks_of(&policies, Case { kind, category, urgency, liability: None });
                if clocks != usual {
                    writeln!(out, "  {kind} {urgency}, {category}\n{clocks}").expect("a string takes it");
                }
            }
        }
    }
    out
}

/// Name, limit, what starts and stops it, what pauses it, and the ladder with the roles told.
fn clocks_of(policies: &Policies, case: Case<'_>) -> String {
    // Whether a sampled callback is owed depends on the order's id: this one is in every sample.
    let sampled = WorkOrderId::from(Uuid::from_u64_pair(0x0198_0000_0000_7000, 0x8000_0000_0000_0000));
    let terms = Terms::bind(policies, case, Some(sampled));
    let line = |clock: &ClockTerms| {
        let codes = |codes: Vec<&str>| codes.join(" or ");
        let limit = clock.limit.as_ref().map_or_else(|| "as promised".to_owned(), ToString::to_string);
        let stops = codes(clock.stop_on.iter().map(|milestone| milestone.as_str()).collect());
        let pauses = codes(clock.pauses_on.iter().map(|reason| reason.as_str()).collect());
        let steps: Vec<String> = clock.steps.iter().map(|step| format!("{} % {}", step.percent, step.notify_roles.join("+"))).collect();
        let pauses = if pauses.is_empty() { String::new() } else { format!(", pauses on {pauses}") };
        let once = if clock.first_cycle_only { ", first cycle only" } else { "" };
        format!("    {} {limit}: {} to {stops}{pauses}{once}; {}", clock.clock, clock.start_on, steps.join(", "))
    };
    terms.clocks.iter().map(line).collect::<Vec<_>>().join("\n")
}
