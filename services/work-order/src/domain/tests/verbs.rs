use steward_kit::Error;

use super::super::*;
use super::plans::{base, uplift};
use super::story::{CLERK, Story, local, photo, report, staff};

fn repair() -> Story {
    Story::begin(uplift(), "2026-03-02 10:00", &report(Kind::Repair, "水管爆漏"))
}

fn completed() -> Story {
    let mut story = repair();
    story.assign().expect("is allowed");
    story.accept().expect("is allowed");
    story.contact(true, None).expect("is allowed");
    story.arrive().expect("is allowed");
    story.complete().expect("is allowed");
    story
}

/// WO-42
#[test]
fn a_case_goes_from_report_to_close_step_by_step() {
    let mut story = completed();
    story.call_back(CLERK, CallbackOutcome::Reached, 5).expect("is allowed");
    story.close().expect("is allowed");
    let states: Vec<_> = story.history.iter().map(|entry| entry.state.as_str()).collect();
    assert_eq!(states, ["classified", "assigned", "accepted", "contacted", "on_site", "completed", "completed", "closed"]);
    assert_eq!(story.order.open_clocks().count(), 0);
    assert_eq!(story.order.close_code, Some(CloseCode::Resolved));
}

/// WO-42
#[test]
fn a_refusal_by_state_says_what_would_be_allowed() {
    let mut story = completed();
    story.close().expect("is allowed");
    let refusal = story.assign().expect_err("is refused");
    let Error::WrongState(told) = Error::from(refusal) else { panic!("is a refusal by state") };
    assert_eq!((told.reason, told.state.as_str()), ("STATE_FORBIDS", "closed"));
    assert_eq!(told.allowed, ["record_callback", "reopen"]);
}

/// WO-14
#[test]
fn a_contact_without_a_promise_is_refused_where_the_plan_demands_one() {
    let complaint = report(Kind::Complaint, "保洁不到位");
    let mut strict = Story::begin(uplift(), "2026-03-02 10:00", &complaint);
    strict.assign().expect("is allowed");
    assert_eq!(strict.contact(true, None), Err(Refusal::PromiseRequired));
    strict.contact(false, None).expect("nobody was there to be promised anything");
    strict.contact(true, Some("2h")).expect("is allowed");
    strict.contact(true, None).expect("the promise stands");
    let mut silent = Story::begin(base(), "2026-03-02 10:00", &complaint);
    silent.assign().expect("is allowed");
    silent.contact(true, None).expect("the base plan demands none");
    let unknown = strict.contact(true, Some("4h@business")).expect_err("is refused");
    assert_eq!(unknown.reason(), "CALENDAR_UNKNOWN");
}

#[test]
fn only_the_assignee_accepts_arrives_and_completes() {
    let mut story = repair();
    story.assign_to("tech-2").expect("is allowed");
    for refused in [story.accept(), story.arrive()] {
        assert_eq!(refused.expect_err("is refused").reason(), "NOT_THE_ASSIGNEE");
    }
}

#[test]
fn whoever_answers_first_stops_the_response_clock_and_no_more() {
    let mut story = repair();
    story.assign().expect("is allowed");
    story.contact_by(staff(CLERK), None, true, None).expect("is allowed");
    assert_eq!(story.clock("first_response").verdict, Some(Verdict::Kept));
    assert_eq!((story.clock("contact_customer").state, story.order.state), (ClockState::Running, State::Assigned));
    story.contact(true, None).expect("is allowed");
    assert_eq!((story.clock("contact_customer").state, story.order.state), (ClockState::Stopped, State::Contacted));
    assert!(story.order.milestone_time(Milestone::Accepted).is_some(), "who calls the customer has taken the order");
}

/// WO-48
#[test]
fn a_repair_is_not_done_without_a_photo_from_after_it() {
    let mut story = repair();
    story.assign().expect("is allowed");
    story.arrive().expect("is allowed");
    let refusal = story.complete_with(vec![photo(MediaKind::Before)]).expect_err("is refused");
    assert_eq!(refusal.reason(), "PROOF_INCOMPLETE");
    story.complete().expect("is allowed");
    assert_eq!(story.order.proof().map(|proof| proof.media.len()), Some(1));
}

/// WO-43
#[test]
fn suspended_work_is_resumed_before_it_is_done() {
    let mut story = repair();
    story.assign().expect("is allowed");
    story.suspend(SuspensionReason::Customer).expect("is allowed");
    for refused in [story.arrive(), story.suspend(SuspensionReason::Parts)] {
        assert_eq!(refused.expect_err("is refused").reason(), "STATE_FORBIDS");
    }
    story.contact(true, None).expect("talking is always allowed");
    story.resume().expect("is allowed");
    story.arrive().expect("is allowed");
}

/// WO-75
#[test]
fn urging_twice_escalates_once_in_each_cycle() {
    let mut story = repair();
    story.urge().expect("is allowed");
    story.at("2026-03-02 11:00").urge().expect("is allowed");
    let escalations = |story: &Story| story.steps_of("").len();
    assert_eq!((story.order.urge_count, escalations(&story)), (2, 1));
    story.assign().expect("is allowed");
    story.arrive().expect("is allowed");
    story.complete().expect("is allowed");
    story.reopen().expect("is allowed");
    story.urge().expect("is allowed");
    assert_eq!((story.order.urge_count, escalations(&story)), (3, 2));
}

/// WO-41
#[test]
fn cancelling_voids_open_clocks_and_keeps_what_was_late() {
    let mut story = repair();
    story.at("2026-03-02 10:20").cancel(CloseCode::Withdrawn).expect("is allowed");
    assert_eq!(story.clock("first_response").verdict, Some(Verdict::Late));
    assert_eq!((story.clock("arrive").state, story.clock("arrive").verdict), (ClockState::Void, None));
    assert_eq!(story.order.pending_timers().len(), 0);
    assert_eq!((story.order.state, story.order.allowed_actions()), (State::Cancelled, vec![Verb::RecordCallback]));
}

/// WO-39, WO-41: each reporter of a merged matter is owed a callback, and so is whoever is told that it is none of ours.
#[test]
fn who_reported_what_ends_without_work_is_called_back() {
    for (close_code, is_owed) in [
        (CloseCode::Duplicate, true),
        (CloseCode::Invalid, true),
        (CloseCode::OutOfScope, true),
        (CloseCode::Withdrawn, false),
        (CloseCode::Transferred, false),
    ] {
        let mut story = repair();
        story.at("2026-03-02 10:20").cancel(close_code).expect("is allowed");
        let due = story.order.clock("callback", 0).and_then(|clock| clock.due_time);
        assert_eq!(due, is_owed.then(|| local("2026-03-03 10:20")), "{close_code:?}");
        story.at("2026-03-02 12:00").call_back(CLERK, CallbackOutcome::Reached, 1).expect("is allowed");
        assert_eq!((story.order.state, story.order.cycle), (State::Cancelled, 1), "nothing is worked anew");
        assert_eq!(case_facts(&story.order)[0].end_time, Some(local("2026-03-02 10:20")));
    }
}

/// WO-41, WO-78
#[test]
fn ways_of_ending_are_kept_apart() {
    assert_eq!(repair().cancel(CloseCode::Resolved).expect_err("is refused").reason(), "CLOSE_CODE_UNSUITED");
    let mut story = completed();
    assert_eq!(story.close_as(staff(CLERK), CloseCode::AutoClosed).expect_err("is refused").reason(), "CLOSE_CODE_UNSUITED");
    assert_eq!(story.close_as(actor::system(), CloseCode::Resolved).expect_err("is refused").reason(), "CLOSE_CODE_UNSUITED");
    story.close_as(actor::system(), CloseCode::AutoClosed).expect("is allowed");
    assert_eq!(story.order.close_code, Some(CloseCode::AutoClosed));
}

/// WO-31, WO-45
#[test]
fn reopening_a_closed_order_starts_new_clocks() {
    let mut story = completed();
    story.close().expect("is allowed");
    let first_cycle: Vec<Clock> = story.order.clocks.iter().filter(|clock| clock.verdict.is_some()).cloned().collect();
    story.at("2026-03-04 09:00").reopen().expect("is allowed");
    assert_eq!((story.order.cycle, story.order.state), (2, State::Reopened));
    assert_eq!((story.order.assignee.clone(), story.order.close_code, story.order.promise_time), (None, None, None));
    assert_eq!(story.clock("arrive").due_time, Some(local("2026-03-04 09:30")), "from the reopening");
    assert_eq!(story.clock("first_response").cycle, 1, "first milestones keep their first result");
    for clock in first_cycle {
        assert!(story.order.clocks.contains(&clock), "verdicts stay: {}", clock.name);
    }
    assert_eq!(story.order.proof(), None);
}

#[test]
fn the_reopening_window_of_the_policy_is_closed_after_it() {
    let mut story = completed();
    story.order.terms.reopen_window = Some("7d".parse().expect("is a span"));
    story.close().expect("is allowed");
    let mut late = story.order.clone();
    story.at("2026-03-09 23:59").reopen().expect("24:00 of the seventh day is not over");
    std::mem::swap(&mut late, &mut story.order);
    let refused = reopen(&story.order, &Reopen { actor: staff(CLERK), reason: "x".into() }, &story.world.ctx(), local("2026-03-10 00:01"));
    assert_eq!(refused.expect_err("is refused").reason(), "REOPEN_WINDOW_OVER");
}

/// WO-42
#[test]
fn a_changed_past_does_not_verify() {
    let story = completed();
    let mut forged = story.history.clone();
    forged[2].actor.subject = "somebody-else".into();
    assert_eq!(verify(story.order.id, [0; 32], &forged), Err(3));
    let mut shortened = story.history.clone();
    shortened.remove(1);
    assert_eq!(verify(story.order.id, [0; 32], &shortened), Err(3));
    assert_eq!(verify(story.order.id, story.history[2].hash, &story.history[3..]), Ok(story.order.history_hash));
}
