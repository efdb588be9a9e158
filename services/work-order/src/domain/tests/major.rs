//! Major complaints (WO-38).

use super::super::*;
use super::plans::base;
use super::story::{Story, local, report};

fn told(story: &Story) -> Vec<&Fact> {
    let is_major = |fact: &&Fact| matches!(fact, Fact::MajorFlagged { .. } | Fact::MajorCleared);
    story.events.iter().map(|event| &event.fact).filter(is_major).collect()
}

fn complaint(text: &str) -> Story {
    let mut story = Story::begin(base(), "2026-03-02 09:00", &report(Kind::Complaint, text));
    story.at("2026-03-02 09:00");
    story
}

/// WO-38: the judgement is there in the second of the report, with every reason and those who are told.
#[test]
fn a_complaint_that_the_press_knows_of_is_major_at_once() {
    let story = complaint("电梯伤人，家人受伤，我已联系记者");
    let notify_roles = vec!["city_manager".to_owned(), "group_operations".to_owned()];
    assert_eq!(told(&story), [&Fact::MajorFlagged { reasons: vec!["media".to_owned(), "safety".to_owned()], notify_roles }]);
    assert_eq!(story.order.major.flag.as_ref().map(|flag| flag.flag_time), Some(local("2026-03-02 09:00")));
}

/// WO-38: what is not a complaint, or breaks no rule, is not major.
#[test]
fn ordinary_complaints_and_other_cases_are_not_major() {
    assert_eq!(told(&complaint("保洁不到位，赔偿200元")), Vec::<&Fact>::new());
    let mut repair = Story::begin(base(), "2026-03-02 09:00", &report(Kind::Repair, "灯坏了，我要找记者"));
    repair.at("2026-03-02 10:00");
    assert_eq!(told(&repair), Vec::<&Fact>::new());
}

/// WO-38: an amount, a regulator's channel and the cases around it count too.
#[test]
fn amounts_channels_and_neighbours_make_a_complaint_major() {
    assert_eq!(told(&complaint("要求赔偿3万元")).len(), 1);
    let by_government = Create { channel: Channel::Government, ..report(Kind::Complaint, "噪音") };
    let mut story = Story::begin(base(), "2026-03-02 09:00", &by_government);
    story.at("2026-03-02 09:00");
    assert_eq!(told(&story).len(), 1);

    let story = Story::begin(base(), "2026-03-02 09:00", &report(Kind::Complaint, "噪音"));
    let judged = |households, reports| {
        let around = [("many_households", Around { households, reports }), ("repeated", Around { households, reports })];
        let around = around.map(|(code, around)| (code.to_owned(), around)).into();
        let judged = judge_major(&story.order, &around, &story.world.ctx(), story.now).expect("is judged");
        judged.order.major.flag.map(|flag| flag.reasons).unwrap_or_default()
    };
    assert_eq!(judged(4, 2), Vec::<String>::new());
    assert_eq!(judged(5, 2), ["many_households"]);
    assert_eq!(judged(5, 3), ["many_households", "repeated"]);
}

/// WO-38, C-12: it counts until twelve months after closure; reopening stops the window, cancelling ends it at once.
#[test]
fn it_counts_until_twelve_months_after_closure() {
    let mut story = complaint("保洁不到位，我已联系记者");
    story.at("2026-03-02 10:00").assign().expect("is allowed");
    story.contact(true, None).expect("is allowed");
    story.complete().expect("is allowed");
    story.at("2027-03-09 23:00");
    let flag = story.order.major.flag.clone().expect("is flagged");
    assert_eq!((story.order.state, flag.is_cleared), (State::Closed, false));
    let closed = story.order.milestone_time(Milestone::Closed).expect("is closed");
    assert!(flag.clear_time.is_some_and(|clear| clear > closed));
    story.at("2027-03-12 00:00");
    assert_eq!(told(&story).last(), Some(&&Fact::MajorCleared));
    assert_eq!(story.events.iter().filter(|event| event.fact == Fact::MajorCleared).count(), 1);
    assert!(story.order.major.flag.as_ref().is_some_and(|flag| flag.is_cleared));
}
