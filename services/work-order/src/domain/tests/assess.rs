use super::super::*;
use super::plans::{base_with, rule};
use super::story::{Story, local, report};

/// A complaint of Monday 09:00, to be assessed within 24 hours.
fn complaint() -> Story {
    let policies = base_with(rule("initial_assessment", "24h", Milestone::Assessed));
    Story::begin(policies, "2026-03-02 09:00", &report(Kind::Complaint, "保洁不到位"))
}

/// WO-20
#[test]
fn assessed_but_not_informed_at_24_hours_is_late() {
    let mut story = complaint();
    story.at("2026-03-02 15:00").assess(false).expect("is allowed");
    assert_eq!(story.clock("initial_assessment").state, ClockState::Running);
    story.at("2026-03-03 09:00");
    assert_eq!(story.clock("initial_assessment").verdict, Some(Verdict::Late));
    story.at("2026-03-03 10:00").assess(true).expect("is allowed");
    let clock = story.clock("initial_assessment");
    assert_eq!((clock.verdict, clock.stop_time), (Some(Verdict::Late), Some(local("2026-03-03 10:00"))));
}

/// WO-20, WO-21: whoever tells the customer the assessment has answered them.
#[test]
fn assessed_and_informed_in_time_is_kept() {
    let mut story = complaint();
    story.at("2026-03-03 08:59").assess(true).expect("is allowed");
    assert_eq!(story.clock("initial_assessment").verdict, Some(Verdict::Kept));
    assert_eq!(story.clock("first_response").verdict, Some(Verdict::Kept));
    assert_eq!(story.events.last().map(|event| &event.fact), Some(&Fact::Assessed { customer_informed: true }));
    story.at("2026-03-03 12:00").assess(true).expect("is allowed");
    assert_eq!(story.order.milestone_time(Milestone::Assessed), Some(local("2026-03-03 08:59")), "the first counts");
}

/// WO-20: category and severity come first.
#[test]
fn what_is_not_classified_is_not_assessed() {
    let policies = base_with(rule("initial_assessment", "24h", Milestone::Assessed));
    let mut story = Story::begin(policies, "2026-03-02 09:00", &report(Kind::Complaint, "不知道是什么"));
    assert_eq!(story.order.state, State::Received);
    assert_eq!(story.assess(true).expect_err("is refused").reason(), "STATE_FORBIDS");
}

#[test]
fn each_cycle_is_assessed_anew() {
    let mut story = complaint();
    story.assess(true).expect("is allowed");
    story.assign().expect("is allowed");
    story.contact(true, Some("2h")).expect("is allowed");
    story.complete().expect("is allowed");
    story.at("2026-03-04 09:00").reopen().expect("is allowed");
    assert_eq!((story.clock("initial_assessment").cycle, story.clock("initial_assessment").state), (2, ClockState::Running));
    story.at("2026-03-04 10:00").assess(true).expect("is allowed");
    assert_eq!(story.clock("initial_assessment").verdict, Some(Verdict::Kept));
}
