use super::super::*;
use super::plans::{base, uplift};
use super::story::{CLERK, Story, local, report};

/// Completed on Monday 2 March at 10:00: silent until 24:00 of the 9th.
fn completed() -> Story {
    let mut story = Story::begin(uplift(), "2026-03-02 09:00", &report(Kind::Repair, "漏水"));
    finish(&mut story, "2026-03-02 10:00");
    story
}

fn finish(story: &mut Story, at: &str) {
    story.at(at).assign().expect("is allowed");
    story.contact(true, None).expect("is allowed");
    story.complete().expect("is allowed");
}

const OVER: &str = "2026-03-10 00:00";

/// WO-78
#[test]
fn a_silent_order_closes_by_itself_and_is_told_apart() {
    let mut story = completed();
    assert_eq!(story.order.auto_close_time, Some(local(OVER)));
    story.at("2026-03-09 23:59");
    assert_eq!(story.order.state, State::Completed);
    story.at(OVER);
    assert_eq!((story.order.state, story.order.close_code), (State::Closed, Some(CloseCode::AutoClosed)));
    let told = story.events.last().expect("was told");
    assert_eq!(told.fact, Fact::Closed { close_code: CloseCode::AutoClosed });
    assert_eq!((told.occur_time, &told.actor), (local(OVER), &actor::system()));
    assert_eq!(story.history.last().map(|entry| (entry.action, &entry.actor)), Some((Action::Close, &actor::system())));
    assert_eq!(story.order.auto_close_time, None);
    assert_eq!(story.clock("callback").verdict, Some(Verdict::Late), "silence is no callback");
}

/// WO-78: an objection is a reopening; the next completion is waited for anew.
#[test]
fn reopening_ends_the_waiting() {
    let mut story = completed();
    story.at("2026-03-05 10:00").reopen().expect("is allowed");
    assert_eq!(story.order.auto_close_time, None);
    story.at("2026-03-12 10:00");
    assert_eq!(story.order.state, State::Reopened);
    finish(&mut story, "2026-03-12 11:00");
    assert_eq!(story.order.auto_close_time, Some(local("2026-03-20 00:00")));
    story.at("2026-03-20 00:00");
    assert_eq!((story.order.state, story.order.cycle), (State::Closed, 2));
}

/// WO-78: who confirms before is not closed by silence.
#[test]
fn a_confirmed_order_stays_confirmed() {
    let mut story = completed();
    story.at("2026-03-05 10:00").close().expect("is allowed");
    story.at("2026-03-12 10:00");
    assert_eq!(story.order.close_code, Some(CloseCode::Resolved));
}

/// XC-26: down over the end of the silence; what is done before the timer is noticed finds the order closed.
#[test]
fn a_late_timer_changes_nothing() {
    let mut story = completed();
    story.asleep_until("2026-03-11 10:00");
    let refusal = story.close().expect_err("is closed already");
    assert_eq!(refusal.reason(), "STATE_FORBIDS");
    story.call_back(CLERK, CallbackOutcome::Reached, 5).expect("is allowed");
    assert_eq!((story.order.state, story.order.close_code), (State::Closed, Some(CloseCode::AutoClosed)));
    let told: Vec<_> = story.events.iter().filter(|event| matches!(event.fact, Fact::Closed { .. })).collect();
    assert_eq!(told.iter().map(|event| event.occur_time).collect::<Vec<_>>(), [local(OVER)]);
    story.fire_timer(TimerKey::AutoClose { cycle: 1 });
    assert_eq!(story.events.iter().filter(|event| matches!(event.fact, Fact::Closed { .. })).count(), 1, "once");
}

/// WO-73, WO-78: bound at creation; another edition of the policy is for other orders.
#[test]
fn the_silence_is_bound_at_creation() {
    let mut story = Story::begin(uplift(), "2026-03-02 09:00", &report(Kind::Repair, "漏水"));
    for layer in &mut story.world.policies.sla {
        layer.document = SlaPolicy { auto_close: Some("1d".parse().expect("is a span")), ..(*layer.document).clone() }.into();
    }
    finish(&mut story, "2026-03-02 10:00");
    assert_eq!(story.order.auto_close_time, Some(local(OVER)));
}

#[test]
fn without_a_policy_nothing_closes_by_itself() {
    let mut policies = base();
    let silent = SlaPolicy { auto_close: None, ..SlaPolicy::clone(&policies.sla[0].document) };
    policies.sla[0].document = silent.into();
    let mut story = Story::begin(policies, "2026-03-02 09:00", &report(Kind::Repair, "漏水"));
    finish(&mut story, "2026-03-02 10:00");
    story.at("2027-03-02 10:00");
    assert_eq!(story.order.state, State::Completed);
}
