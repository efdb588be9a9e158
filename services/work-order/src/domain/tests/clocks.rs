use steward_kit::calendar::{Calendars, HolidayYear};

use super::super::*;
use super::plans::{base, base_with, rule, uplift};
use super::story::{DISPATCHER, Story, TECHNICIAN, local, report, staff};

fn burst_pipe(at: &str) -> Story {
    Story::begin(uplift(), at, &report(Kind::Repair, "水管爆漏"))
}

/// WO-12
#[test]
fn an_l1_report_at_two_in_the_night_breaches_at_two_fifteen() {
    let mut story = burst_pipe("2026-03-02 02:00");
    story.at("2026-03-02 02:15:05");
    assert!(story.steps_of("first_response").contains(&(100, local("2026-03-02 02:15"))));
    assert_eq!(story.clock("first_response").verdict, Some(Verdict::Late));
}

/// WO-13
#[test]
fn an_l2_response_is_in_time_to_the_last_second() {
    for (at, verdict) in
        [("2026-03-02 10:29:59", Verdict::Kept), ("2026-03-02 10:30:00", Verdict::Kept), ("2026-03-02 10:30:01", Verdict::Late)]
    {
        let mut story = Story::begin(uplift(), "2026-03-02 10:00", &report(Kind::Complaint, "保洁不到位"));
        story.at(at).contact_by(staff(DISPATCHER), None, true, Some("2h")).expect("is allowed");
        assert_eq!(story.clock("first_response").verdict, Some(verdict), "{at}");
    }
}

/// WO-15
#[test]
fn a_promise_of_two_hours_is_kept_after_one_fifty() {
    let mut story = Story::begin(uplift(), "2026-03-02 10:00", &report(Kind::Complaint, "保洁不到位"));
    story.assign().expect("is allowed");
    story.contact(true, Some("2h")).expect("is allowed");
    assert_eq!(story.order.promise_time, Some(local("2026-03-02 12:00")));
    story.at("2026-03-02 11:50").complete().expect("is allowed");
    assert_eq!(story.clock("promise").verdict, Some(Verdict::Kept));
}

/// WO-17
#[test]
fn an_unanswered_attempt_is_kept_and_stops_nothing() {
    let mut story = burst_pipe("2026-03-02 02:00");
    story.assign().expect("is allowed");
    story.at("2026-03-02 02:10").contact(false, None).expect("is allowed");
    assert_eq!((story.order.contacts.len(), story.order.state), (1, State::Assigned));
    assert_eq!(story.clock("contact_customer").state, ClockState::Running);
    story.at("2026-03-02 02:31");
    assert_eq!(story.clock("contact_customer").verdict, Some(Verdict::Late));
}

/// WO-18, WO-19
#[test]
fn a_technician_is_on_site_in_two_hours_and_for_a_burst_pipe_in_thirty_minutes() {
    assert_eq!(burst_pipe("2026-03-02 02:00").clock("arrive").due_time, Some(local("2026-03-02 02:30")));
    let story = Story::begin(uplift(), "2026-03-02 10:00", &report(Kind::Repair, "漏水"));
    assert_eq!(story.clock("arrive").due_time, Some(local("2026-03-02 12:00")));
}

/// WO-21
#[test]
fn an_automatic_answer_is_no_response() {
    let mut story = Story::begin(base(), "2026-03-02 10:00", &report(Kind::Complaint, "保洁不到位"));
    story.contact_by(Actor::new(ActorKind::Service, "assistant"), None, true, None).expect("is allowed");
    assert_eq!(story.clock("first_response").state, ClockState::Running);
}

/// WO-24, WO-72
#[test]
fn three_working_days_skip_the_spring_festival() {
    let policies = base_with(rule("result_feedback", "3wd", Milestone::Completed));
    let story = Story::begin(policies, "2026-02-13 15:00", &report(Kind::Complaint, "保洁不到位"));
    assert_eq!(story.clock("result_feedback").due_time, Some(local("2026-02-26 00:00")), "24:00 of 25 February");
}

/// WO-43
#[test]
fn waiting_for_parts_pauses_the_clocks_that_name_it_and_no_other() {
    let done = ClockRule { pauses_on: vec![SuspensionReason::Parts], ..rule("done", "8h", Milestone::Completed) };
    let mut story = Story::begin(base_with(done), "2026-03-02 08:00", &report(Kind::Repair, "漏水"));
    story.assign().expect("is allowed");
    let arrive_due = story.clock("arrive").due_time;
    story.at("2026-03-02 09:00").suspend(SuspensionReason::Parts).expect("is allowed");
    assert_eq!((story.clock("done").state, story.clock("done").due_time), (ClockState::Paused, None));
    assert_eq!((story.clock("arrive").state, story.clock("arrive").due_time), (ClockState::Running, arrive_due));
    story.at("2026-03-02 14:00").resume().expect("is allowed");
    assert_eq!(story.clock("done").due_time, Some(local("2026-03-02 21:00")), "five hours later");
    assert_eq!(story.clock("arrive").due_time, arrive_due);
    assert_eq!(story.steps_of("done"), []);
    story.at("2026-03-02 17:00");
    assert_eq!(story.steps_of("done"), [(50, local("2026-03-02 17:00"))]);
}

/// WO-44
#[test]
fn every_level_of_the_ladder_is_reached_once_at_its_instant() {
    let mut story = burst_pipe("2026-03-02 02:00");
    story.at("2026-03-03 02:00");
    let expected: Vec<_> =
        [(50, "02:07:30"), (80, "02:12"), (100, "02:15"), (150, "02:22:30")].map(|(p, t)| (p, local(&format!("2026-03-02 {t}")))).into();
    assert_eq!(story.steps_of("first_response"), expected);
    let roles: Vec<_> = story.clock("first_response").steps.iter().map(|step| step.notify_roles.join(",")).collect();
    assert_eq!(roles, ["assignee", "estate_manager", "city_manager", "group_operations"]);
}

/// WO-44, XC-26
#[test]
fn after_a_night_without_timers_no_level_is_lost_and_each_has_its_own_time() {
    let mut awake = burst_pipe("2026-03-02 02:00");
    awake.at("2026-03-02 06:00");
    let mut asleep = burst_pipe("2026-03-02 02:00");
    asleep.asleep_until("2026-03-02 06:00").fire("first_response", 1);
    assert_eq!(asleep.steps_of("first_response"), awake.steps_of("first_response"));
    asleep.fire("first_response", 1);
    assert_eq!(asleep.steps_of("first_response").len(), 4, "a timer that fires twice does nothing twice");
}

/// WO-44
#[test]
fn a_late_stop_that_no_timer_noticed_is_a_breach_all_the_same() {
    let mut story = burst_pipe("2026-03-02 02:00");
    story.asleep_until("2026-03-02 02:20").contact_by(staff(DISPATCHER), None, true, None).expect("is allowed");
    assert_eq!(story.clock("first_response").verdict, Some(Verdict::Late));
    assert!(story.steps_of("first_response").contains(&(100, local("2026-03-02 02:15"))));
}

/// XC-63
#[test]
fn an_event_in_time_that_is_told_late_takes_the_breach_back() {
    let mut story = burst_pipe("2026-03-02 02:00");
    story.at("2026-03-02 02:16");
    assert_eq!(story.clock("first_response").verdict, Some(Verdict::Late));
    story.contact_by(staff(DISPATCHER), Some(local("2026-03-02 02:14")), true, None).expect("is allowed");
    let clock = story.clock("first_response");
    assert_eq!((clock.verdict, clock.stop_time), (Some(Verdict::Kept), Some(local("2026-03-02 02:14"))));
    assert!(story.history.iter().any(|entry| entry.action == Action::ClockCorrected));
}

/// XC-64
#[test]
fn times_in_the_future_before_the_order_or_too_far_back_are_refused() {
    let mut story = burst_pipe("2026-03-02 02:00");
    story.asleep_until("2026-03-02 02:40");
    for (told, allowed) in
        [("2026-03-02 02:41", false), ("2026-03-02 01:59", false), ("2026-03-02 02:24:59", false), ("2026-03-02 02:25", true)]
    {
        let refused = story.contact_by(staff(DISPATCHER), Some(local(told)), false, None);
        assert_eq!(refused.is_ok(), allowed, "{told}");
        assert!(refused.err().is_none_or(|refusal| refusal.reason() == "TIME_NOT_PLAUSIBLE"));
    }
}

/// WO-14
#[test]
fn a_clock_from_assignment_starts_anew_with_each_hand_over_and_keeps_what_was_late() {
    let mut story = Story::begin(uplift(), "2026-03-02 10:00", &report(Kind::Complaint, "保洁不到位"));
    story.assign().expect("is allowed");
    story.at("2026-03-02 10:20").assign_to("tech-2").expect("is allowed");
    let runs: Vec<_> = story.order.clocks.iter().filter(|clock| clock.name == "owner_contact").collect();
    assert_eq!((runs[0].state, runs[0].verdict), (ClockState::Void, Some(Verdict::Late)));
    assert_eq!((runs[1].generation, runs[1].due_time), (2, Some(local("2026-03-02 10:35"))));
    story.at("2026-03-02 10:30").assign_to("tech-2").expect("is allowed");
    assert_eq!(story.clock("owner_contact").due_time, Some(local("2026-03-02 10:35")), "no clock is turned back");
}

/// A notice for 2027 as it might be: the days that are holidays by law, generously, and these days of January.
fn invented_notice(january: &[&str]) -> HolidayYear {
    let mut days: Vec<String> = january.iter().map(|day| format!("2027-{day}")).collect();
    for (month, range) in [(2, 4..13), (4, 3..7), (5, 1..6), (6, 8..11), (9, 14..18), (10, 1..8)] {
        days.extend(range.map(|day| format!("2027-{month:02}-{day:02}")));
    }
    let days: Vec<_> = days.iter().map(|date| serde_json::json!({"name": "假日", "date": date, "isOffDay": true})).collect();
    let notice = serde_json::json!({"year": 2027, "papers": ["https://www.gov.cn/example"], "days": days});
    HolidayYear::parse(&notice.to_string()).expect("is a year")
}

/// XC-20
#[test]
fn a_deadline_over_an_unannounced_year_is_provisional_until_the_year_is_loaded() {
    let policies = base_with(rule("result_feedback", "7wd", Milestone::Completed));
    let mut story = Story::begin(policies, "2026-12-28 15:00", &report(Kind::Complaint, "保洁不到位"));
    let guessed = story.clock("result_feedback").clone();
    assert_eq!(guessed.provisional_years, [2027]);
    let year = invented_notice(&["01-01", "01-04"]);
    story.world.calendars = Calendars::shipped().with_year(year);
    story.load_year(2027);
    let known = story.clock("result_feedback");
    assert!(!known.is_provisional());
    assert_eq!(known.due_time, Some(local("2027-01-09 00:00")), "29, 30, 31 December, 5, 6, 7, 8 January");
    assert_eq!(guessed.due_time, Some(local("2027-01-07 00:00")), "by the weekend rule, the 1st and the 4th counted");
    assert!(story.history.iter().any(|entry| entry.action == Action::ClockRecomputed));
}

/// XC-20
#[test]
fn a_breach_that_the_loaded_year_revokes_is_taken_back_and_can_come_again() {
    let policies = base_with(rule("result_feedback", "7wd", Milestone::Completed));
    let mut story = Story::begin(policies, "2026-12-28 15:00", &report(Kind::Complaint, "保洁不到位"));
    story.at("2027-01-07 12:00");
    assert_eq!(story.clock("result_feedback").verdict, Some(Verdict::Late));
    story.world.calendars = Calendars::shipped().with_year(invented_notice(&["01-01", "01-04"]));
    story.load_year(2027);
    assert_eq!(story.clock("result_feedback").verdict, None);
    assert!(story.history.iter().any(|entry| entry.action == Action::ClockCorrected));
    story.at("2027-01-09 12:00");
    assert_eq!(story.clock("result_feedback").verdict, Some(Verdict::Late));
    let breaches: Vec<_> = story.steps_of("result_feedback").into_iter().filter(|(percent, _)| *percent == BREACH).collect();
    assert_eq!(breaches, [(100, local("2027-01-07 00:00")), (100, local("2027-01-09 00:00"))]);
}

/// WO-43
#[test]
fn a_clock_explains_its_due_time_interval_by_interval() {
    let done = ClockRule { pauses_on: vec![SuspensionReason::Parts], ..rule("done", "2h", Milestone::Completed) };
    let mut story = Story::begin(base_with(done), "2026-03-02 08:00", &report(Kind::Repair, "漏水"));
    story.at("2026-03-02 09:00").suspend(SuspensionReason::Parts).expect("is allowed");
    story.at("2026-03-02 10:00").resume().expect("is allowed");
    story.at("2026-03-02 12:00");
    let explained = explain(&story.order, story.clock("done"), &story.world.ctx(), story.now).expect("is explained");
    let kinds: Vec<_> = explained.stretches.iter().map(|stretch| (stretch.kind, stretch.label.as_str())).collect();
    assert_eq!(
        kinds,
        [(StretchKind::Counted, ""), (StretchKind::Paused, "parts"), (StretchKind::Counted, ""), (StretchKind::Counted, "late")]
    );
    assert!(explained.stretches.windows(2).all(|pair| pair[0].to == pair[1].from), "no gaps");
    assert_eq!(explained.source.scope, ScopeLevel::Estate);
}

/// WO-73
#[test]
fn later_editions_of_a_policy_do_not_touch_an_order() {
    let mut story = burst_pipe("2026-03-02 02:00");
    story.world.policies = base();
    story.assign().expect("is allowed");
    story.contact(true, None).expect("is allowed");
    story.arrive().expect("is allowed");
    story.complete().expect("is allowed");
    assert_eq!(story.clock("callback").limit.to_string(), "24h");
    assert!(story.order.workers.contains(&TECHNICIAN.to_owned()));
}
