use super::super::*;
use super::plans::{base, uplift};
use super::story::{CLERK, Story, TECHNICIAN, local, report};

fn completed(policies: Policies, kind: Kind, at: &str) -> Story {
    let mut story = Story::begin(policies, at, &report(kind, "漏水"));
    story.assign().expect("is allowed");
    story.contact(true, (kind == Kind::Complaint).then_some("2h")).expect("is allowed");
    story.complete().expect("is allowed");
    story
}

/// WO-25
#[test]
fn a_callback_in_days_is_due_at_the_end_of_the_last_day() {
    let mut policies = base();
    let mut document = CallbackPolicy::clone(&policies.callback[0].document);
    document.rules[0].due = Some("7d".parse().expect("is a span"));
    policies.callback[0].document = document.into();
    let story = completed(policies, Kind::Complaint, "2026-03-01 10:00");
    assert_eq!(story.clock("callback").due_time, Some(local("2026-03-09 00:00")), "24:00 of 8 March");
}

/// WO-26, WO-27
#[test]
fn a_repair_done_at_eleven_at_night_is_called_back_by_eleven_the_next() {
    let story = completed(uplift(), Kind::Repair, "2026-03-02 23:00");
    assert_eq!(story.clock("callback").due_time, Some(local("2026-03-03 23:00")));
}

/// WO-28
#[test]
fn a_reached_callback_without_a_score_is_refused() {
    let mut story = completed(uplift(), Kind::Repair, "2026-03-02 10:00");
    for score in [0, 6] {
        assert_eq!(story.call_back(CLERK, CallbackOutcome::Reached, score), Err(Refusal::ScoreRequired));
    }
    story.call_back(CLERK, CallbackOutcome::Reached, 4).expect("is allowed");
    assert_eq!(story.clock("callback").verdict, Some(Verdict::Kept));
}

/// C-16
#[test]
fn nobody_calls_back_on_their_own_work() {
    let mut story = completed(uplift(), Kind::Repair, "2026-03-02 10:00");
    let refusal = story.call_back(TECHNICIAN, CallbackOutcome::Reached, 5).expect_err("is refused");
    assert_eq!(refusal.reason(), "CALLBACK_BY_WORKER");
}

/// WO-30
#[test]
fn three_failed_attempts_in_two_bands_on_two_days_make_a_customer_unreachable() {
    let mut story = completed(base(), Kind::Complaint, "2026-03-02 09:00");
    story.at("2026-03-02 10:00").call_back(CLERK, CallbackOutcome::NoAnswer, 0).expect("is allowed");
    story.at("2026-03-02 11:00").call_back(CLERK, CallbackOutcome::NoAnswer, 0).expect("is allowed");
    story.at("2026-03-02 11:30").call_back(CLERK, CallbackOutcome::WrongNumber, 0).expect("is allowed");
    assert_eq!(story.clock("callback").state, ClockState::Running, "one band, one day");
    story.at("2026-03-03 10:00").call_back(CLERK, CallbackOutcome::NoAnswer, 0).expect("is allowed");
    assert_eq!(story.clock("callback").state, ClockState::Running, "two days, one band");
    story.at("2026-03-03 19:00").call_back(CLERK, CallbackOutcome::NoAnswer, 0).expect("is allowed");
    assert_eq!(story.clock("callback").verdict, Some(Verdict::Kept));
    let last = story.history.last().expect("has lines");
    assert_eq!(last.detail.get("result").map(String::as_str), Some("unreachable"));
    assert!(story.order.callbacks.iter().all(|callback| callback.score == 0));
}

/// WO-30
#[test]
fn who_does_not_wish_to_answer_was_called_back() {
    let mut story = completed(uplift(), Kind::Repair, "2026-03-02 09:00");
    story.call_back(CLERK, CallbackOutcome::Refused, 0).expect("is allowed");
    assert_eq!(story.clock("callback").verdict, Some(Verdict::Kept));
}

/// WO-31
#[test]
fn a_dissatisfied_customer_reopens_the_order_in_the_same_step() {
    let mut story = completed(uplift(), Kind::Repair, "2026-03-02 10:00");
    let before = story.events.len();
    story.at("2026-03-02 15:00").call_back(CLERK, CallbackOutcome::Reached, 2).expect("is allowed");
    assert_eq!((story.order.state, story.order.cycle), (State::Reopened, 2));
    let facts: Vec<_> = story.events[before..].iter().map(|event| (&event.fact, event.order.cycle, event.order.state)).collect();
    let recorded = Fact::CallbackRecorded { outcome: CallbackOutcome::Reached, score: 2 };
    assert_eq!(facts, [(&recorded, 1, State::Completed), (&Fact::Reopened, 2, State::Reopened)]);
    assert_eq!(story.order.clock("callback", 1).and_then(|clock| clock.verdict), Some(Verdict::Kept));
    story.assign().expect("is allowed");
    story.contact(true, None).expect("is allowed");
    story.complete().expect("is allowed");
    assert_eq!(
        (story.clock("callback").cycle, story.clock("callback").due_time),
        (2, Some(local("2026-03-03 15:00"))),
        "a second callback"
    );
    story.call_back(CLERK, CallbackOutcome::Reached, 3).expect("is allowed");
    assert_eq!(story.order.state, State::Completed);
}

/// WO-29: nobody answers in the app for twelve hours: a phone call is owed, and told once.
#[test]
fn a_form_that_is_not_answered_becomes_a_phone_call() {
    let mut story = completed(uplift(), Kind::Complaint, "2026-03-02 10:00");
    assert_eq!(story.order.awaited_form().map(|form| form.expire_time), Some(local("2026-03-02 22:00")));
    assert_eq!(story.at("2026-03-02 21:59").order.call_due_time(), None);
    assert_eq!(story.at("2026-03-02 22:00").order.call_due_time(), Some(local("2026-03-03 10:00")));
    let told = |event: &DomainEvent| matches!(&event.fact, Fact::CallbackFormExpired { notify_roles, .. } if notify_roles == &["customer_service"]);
    let told: Vec<_> = story.events.iter().filter(|event| told(event)).map(|event| event.occur_time).collect();
    assert_eq!(told, [local("2026-03-02 22:00")]);
    story.call_back(CLERK, CallbackOutcome::Reached, 4).expect("is allowed");
    assert_eq!((story.order.call_due_time(), story.order.awaited_form()), (None, None));
}

/// WO-29: whoever is called before the form expired is asked no second time, and a form of an earlier cycle is nobody's.
#[test]
fn a_form_ends_with_the_callback_and_with_its_cycle() {
    let mut story = completed(uplift(), Kind::Complaint, "2026-03-02 10:00");
    story.at("2026-03-02 12:00").call_back(CLERK, CallbackOutcome::Reached, 1).expect("is allowed");
    assert_eq!((story.order.state, story.order.awaited_form()), (State::Reopened, None));
    story.at("2026-03-02 23:00");
    assert!(story.events.iter().all(|event| !matches!(event.fact, Fact::CallbackFormExpired { .. })));
    assert_eq!(story.order.call_due_time(), None);
}

/// WO-29: without a form a phone call is owed from completion on.
#[test]
fn a_repair_without_a_form_is_phoned() {
    let story = completed(uplift(), Kind::Repair, "2026-03-02 10:00");
    assert_eq!((story.order.awaited_form(), story.order.call_due_time()), (None, Some(local("2026-03-03 10:00"))));
}

#[test]
fn closing_first_does_not_end_the_duty_to_call_back() {
    let mut story = completed(uplift(), Kind::Repair, "2026-03-02 10:00");
    story.close().expect("is allowed");
    assert_eq!(story.order.pending_timers().len(), 1);
    story.at("2026-03-03 10:01");
    assert_eq!(story.clock("callback").verdict, Some(Verdict::Late));
    story.call_back(CLERK, CallbackOutcome::Reached, 1).expect("is allowed");
    assert_eq!(story.order.state, State::Reopened);
}

#[test]
fn an_anonymous_report_is_owed_no_callback() {
    let mut cmd = report(Kind::Repair, "漏水");
    cmd.customer_id = None;
    let story = Story::begin(uplift(), "2026-03-02 10:00", &cmd);
    assert!(story.order.terms.clocks.iter().all(|clock| clock.clock != CALLBACK_CLOCK));
}

/// `base`: three repairs in ten are called back, drawn by their ids; nobody is owed the others, and a call is taken all the
/// same.
#[test]
fn a_sample_of_the_orders_is_called_back() {
    let coverage = Coverage { numerator: 30, denominator: 100 };
    let owed = |story: &Story| story.order.clocks.iter().any(|clock| clock.terms.clock == "callback");
    let (policies, mut drawn) = (base(), 0);
    for _ in 0..400 {
        let story = Story::begin(policies.clone(), "2026-03-02 10:00", &report(Kind::Repair, "漏水"));
        let is_drawn = coverage.draws(story.order.id);
        assert_eq!(story.order.terms.clocks.iter().any(|clock| clock.clock == "callback"), is_drawn);
        assert!(story.order.terms.callback.is_some() && !owed(&story));
        drawn += u32::from(is_drawn);
    }
    assert!((70..=170).contains(&drawn), "{drawn} of 400");
    let order = steward_kit::ids::WorkOrderId::new();
    assert!(Coverage { numerator: 100, denominator: 100 }.draws(order) && !Coverage { numerator: 0, denominator: 100 }.draws(order));
}
