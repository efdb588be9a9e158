use super::super::*;
use super::plans::uplift;
use super::story::{DISPATCHER, Story, local, report, staff};

fn complaint() -> Story {
    Story::begin(uplift(), "2026-03-02 10:00", &report(Kind::Complaint, "保洁不到位"))
}

/// WO-73
#[test]
fn raising_the_urgency_after_twenty_minutes_finds_the_limit_breached() {
    let mut story = complaint();
    assert_eq!(story.clock("first_response").due_time, Some(local("2026-03-02 10:30")));
    story.at("2026-03-02 10:20").classify("cleaning.poor_cleaning", Urgency::L1).expect("is allowed");
    let clock = story.clock("first_response");
    assert_eq!(clock.due_time, Some(local("2026-03-02 10:15")), "from the original receipt");
    assert_eq!((clock.verdict, clock.breach_reason), (Some(Verdict::Late), Some(BreachReason::Reclassified)));
    let breaches: Vec<_> = story.steps_of("first_response").into_iter().filter(|(percent, _)| *percent == 100).collect();
    assert_eq!(breaches, [(100, local("2026-03-02 10:15"))]);
    assert_eq!(story.order.classified_by, MANUAL);
    let line = story.history.iter().find(|entry| entry.action == Action::ClockLate).expect("is in the history");
    assert_eq!(line.detail.get("reason").map(String::as_str), Some("reclassified"));
}

/// WO-73
#[test]
fn lowering_the_urgency_extends_a_running_limit_but_unsays_no_breach() {
    let mut story = complaint();
    story.classify("cleaning.poor_cleaning", Urgency::L1).expect("is allowed");
    story.at("2026-03-02 10:10").classify("cleaning.poor_cleaning", Urgency::L2).expect("is allowed");
    assert_eq!(story.clock("first_response").due_time, Some(local("2026-03-02 10:30")));
    story.at("2026-03-02 10:40").classify("cleaning.poor_cleaning", Urgency::L3).expect("is allowed");
    assert_eq!(story.clock("first_response").verdict, Some(Verdict::Late));
}

/// WO-73
#[test]
fn pauses_and_settled_verdicts_survive() {
    let mut story = Story::begin(uplift(), "2026-03-02 10:00", &report(Kind::Repair, "漏水"));
    story.at("2026-03-02 10:10").contact_by(staff(DISPATCHER), None, true, None).expect("is allowed");
    story.assign().expect("is allowed");
    story.suspend(SuspensionReason::Customer).expect("is allowed");
    story.at("2026-03-02 11:10").resume().expect("is allowed");
    assert_eq!(story.clock("arrive").due_time, Some(local("2026-03-02 13:00")));
    story.classify("plumbing.leak", Urgency::L2).expect("is allowed");
    assert_eq!(story.clock("arrive").due_time, Some(local("2026-03-02 13:00")), "the pause stays");
    let response = story.clock("first_response");
    assert_eq!(
        (response.verdict, response.stop_time),
        (Some(Verdict::Kept), Some(local("2026-03-02 10:10"))),
        "answered before it was due"
    );
    story.classify("plumbing.burst_pipe", Urgency::L1).expect("is allowed");
    assert_eq!(story.clock("arrive").due_time, Some(local("2026-03-02 10:30")), "the burst pipe's own limit, which nothing pauses");
    assert_eq!(story.clock("first_response").verdict, Some(Verdict::Kept));
}

#[test]
fn a_clock_that_the_new_class_does_not_have_is_void() {
    let mut story = Story::begin(uplift(), "2026-03-02 10:00", &report(Kind::Repair, "停水"));
    assert_eq!(story.clock("first_response").state, ClockState::Running);
    story.classify("plumbing.no_water", Urgency::L3).expect("is allowed");
    let clock = story.clock("first_response");
    assert_eq!((clock.state, clock.verdict), (ClockState::Void, None));
    story.classify("plumbing.no_water", Urgency::L2).expect("is allowed");
    assert_eq!((story.clock("first_response").state, story.clock("first_response").generation), (ClockState::Running, 2));
}

#[test]
fn an_unknown_category_is_refused() {
    let refused = complaint().classify("unicorns", Urgency::L1);
    assert_eq!(refused, Err(Refusal::CategoryUnknown));
}

/// WO-07: the clocks of the new kind start at the conversion; what the old ones were late with stays in the history; when it was
/// reported stays.
#[test]
fn a_converted_case_is_timed_from_its_conversion() {
    let mut story = Story::begin(uplift(), "2026-03-02 10:00", &report(Kind::Inquiry, "保洁不到位"));
    story.at("2026-03-02 10:40").convert(Kind::Complaint).expect("is allowed");
    let clock = story.clock("first_response");
    assert_eq!((clock.generation, clock.start_time, clock.verdict), (2, local("2026-03-02 10:40"), None));
    assert_eq!(clock.due_time, Some(local("2026-03-02 11:10")));
    assert!(story.history.iter().any(|entry| entry.action == Action::ClockLate), "nobody answered the inquiry in time");
    assert_eq!((story.order.kind, story.order.receive_time), (Kind::Complaint, local("2026-03-02 10:00")));
    let facts = case_facts(&story.order);
    assert_eq!((facts[0].occur_time, facts[0].receive_time), (local("2026-03-02 10:40"), local("2026-03-02 10:40")));
    // The same kind again converts nothing.
    story.at("2026-03-02 10:50").convert(Kind::Complaint).expect("is allowed");
    assert_eq!(story.clock("first_response").due_time, Some(local("2026-03-02 11:10")));
}
