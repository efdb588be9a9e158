use super::super::*;
use super::plans::{base, uplift};
use super::story::{Story, World, local, report, staff};

fn taken_in(policies: Policies, cmd: &Create) -> WorkOrder {
    create(cmd, &World::of(policies).ctx(), local("2026-03-02 10:00")).expect("is taken in").order
}

/// WO-11
#[test]
fn a_burst_pipe_is_urgent_whatever_the_spelling() {
    for text in ["厨房水管爆漏，快来", "水 管 爆 漏", "the ＢＵＲＳＴ Pipe is flooding us", "家里爆管了", "burst　pipe"]
    {
        let order = taken_in(uplift(), &report(Kind::Repair, text));
        assert_eq!((order.category.as_str(), order.urgency), ("plumbing.burst_pipe", Urgency::L1), "{text}");
        assert_eq!((order.classified_by.as_str(), order.state), ("burst_pipe", State::Classified));
    }
}

/// WO-70
#[test]
fn a_lift_entrapment_is_about_life() {
    let order = taken_in(base(), &report(Kind::Repair, "有老人被困电梯"));
    assert_eq!(order.urgency, Urgency::L0);
    let due = order.clock("first_response", 1).and_then(|clock| clock.due_time);
    assert_eq!(due, Some(local("2026-03-02 10:05")));
}

#[test]
fn words_that_no_rule_knows_wait_for_a_person() {
    let order = taken_in(base(), &report(Kind::Suggestion, "希望多一些长椅"));
    assert_eq!((order.state, order.category.as_str(), order.urgency), (State::Received, "", Urgency::L3));
    assert_eq!(order.milestone_time(Milestone::Pushed), None);
}

/// WO-11
#[test]
fn staff_have_the_last_word_and_customers_do_not_hide_an_emergency() {
    let mut cmd = report(Kind::Repair, "水管爆漏");
    cmd.category = Some("other".into());
    cmd.urgency = Some(Urgency::L3);
    assert_eq!(taken_in(base(), &cmd).classified_by, "burst_pipe");
    cmd.actor = staff("agent-1");
    let order = taken_in(base(), &cmd);
    assert_eq!((order.category.as_str(), order.urgency, order.classified_by.as_str()), ("other", Urgency::L3, MANUAL));
    assert_eq!(order.first_receiver.as_deref(), Some("agent-1"));
}

#[test]
fn a_category_outside_the_tree_is_refused() {
    let mut cmd = report(Kind::Repair, "x");
    cmd.category = Some("unicorns".into());
    let refused = create(&cmd, &World::of(base()).ctx(), local("2026-03-02 10:00"));
    assert_eq!(refused.expect_err("is refused").reason(), "CATEGORY_UNKNOWN");
}

/// WO-16
#[test]
fn a_classified_repair_is_pushed_by_the_write_that_takes_it_in() {
    let story = Story::begin(uplift(), "2026-03-02 10:00", &report(Kind::Repair, "水管爆漏"));
    assert_eq!(story.clock("push").verdict, Some(Verdict::Kept));
}

/// WO-16
#[test]
fn an_unclassified_repair_is_pushed_when_somebody_classifies_it() {
    let mut story = Story::begin(uplift(), "2026-03-02 10:00", &report(Kind::Repair, "有个怪声"));
    story.at("2026-03-02 10:03").classify("facility", Urgency::L3).expect("is allowed");
    assert_eq!(story.clock("push").verdict, Some(Verdict::Late));
}

/// XC-63
#[test]
fn a_late_entry_keeps_its_own_time_and_the_future_is_refused() {
    let mut cmd = report(Kind::Complaint, "保洁不到位");
    cmd.occur_time = Some(local("2026-02-28 09:00"));
    let order = taken_in(base(), &cmd);
    assert_eq!((order.occur_time, order.receive_time), (local("2026-02-28 09:00"), local("2026-03-02 10:00")));
    cmd.occur_time = Some(local("2026-03-02 10:01"));
    let refused = create(&cmd, &World::of(base()).ctx(), local("2026-03-02 10:00"));
    assert_eq!(refused.expect_err("is refused").reason(), "TIME_NOT_PLAUSIBLE");
}

#[test]
fn the_first_layer_with_a_matching_rule_decides() {
    let order = taken_in(uplift(), &report(Kind::Complaint, "没什么特别的"));
    let scope = |name: &str| order.clock(name, 1).map(|clock| clock.terms.source.scope);
    // The uplift plan has first responses for L1 and L2 only; an L3 complaint falls through to base.
    assert_eq!((order.urgency, scope("first_response")), (Urgency::L3, Some(ScopeLevel::Base)));
}
