use super::super::*;
use super::plans::{base, uplift};
use super::story::{DISPATCHER, Story, World, local, report, staff};

/// A complaint that 12345 hands on at ten o'clock on a Monday; its own limit ends on 11 March.
fn handed_on(external_due: &str) -> Create {
    Create {
        channel: Channel::Government,
        origin: Some(Origin::Authority {
            organisation: "12345".into(),
            external_number: "GZ-2026-0301-77".into(),
            external_due: Some(local(external_due)),
        }),
        actor: staff("agent-1"),
        ..report(Kind::Complaint, "保洁不到位")
    }
}

fn begin(external_due: &str) -> Story {
    Story::begin(base(), "2026-03-02 10:00", &handed_on(external_due))
}

fn basis(story: &Story) -> DueBasis {
    explain(&story.order, story.clock("result_feedback"), &story.world.ctx(), story.now).expect("is explained").basis
}

/// WO-68: the stricter of two limits holds, and the other clocks do not hear of it.
#[test]
fn the_earlier_of_both_limits_decides() {
    let own = Story::begin(base(), "2026-03-02 10:00", &report(Kind::Complaint, "保洁不到位"));
    let own_due = own.clock("result_feedback").due_time;
    assert_eq!((own_due, basis(&own)), (Some(local("2026-03-12 00:00")), DueBasis::Limit));

    let story = begin("2026-03-04 18:00");
    let clock = story.clock("result_feedback");
    assert_eq!((clock.due_time, basis(&story)), (Some(local("2026-03-04 18:00")), DueBasis::External));
    assert_eq!(clock.steps.iter().find(|step| step.percent == 50).and_then(|step| step.due_time), Some(local("2026-03-03 14:00")));
    assert_eq!(story.clock("first_response").due_time, own.clock("first_response").due_time);
    let explained = explain(&story.order, clock, &story.world.ctx(), story.now).expect("is explained");
    let label = explained.stretches.iter().map(|stretch| (stretch.from, stretch.to, stretch.label.as_str())).collect::<Vec<_>>();
    assert_eq!(label, [(local("2026-03-02 10:00"), local("2026-03-04 18:00"), "external_due")]);

    let later = begin("2026-03-30 18:00");
    assert_eq!((later.clock("result_feedback").due_time, basis(&later)), (own_due, DueBasis::Limit));
}

/// WO-68: the authority waits for no parts: the breach comes to the second, and while the work stands still.
#[test]
fn a_pause_does_not_move_it() {
    let mut story = begin("2026-03-04 18:00");
    story.assign().expect("is allowed");
    story.at("2026-03-02 12:00").suspend(SuspensionReason::Parts).expect("is allowed");
    let clock = story.clock("result_feedback");
    assert_eq!((clock.state, clock.due_time), (ClockState::Running, Some(local("2026-03-04 18:00"))));
    story.at("2026-03-05 09:00").resume().expect("is allowed");
    assert!(story.steps_of("result_feedback").contains(&(100, local("2026-03-04 18:00"))), "{:?}", story.steps_of("result_feedback"));
    assert_eq!(story.clock("result_feedback").verdict, Some(Verdict::Late));
}

/// WO-68: a limit of its own that a pause moves gives way to it when the pause lasts, and not before.
#[test]
fn a_pause_moves_the_own_limit_up_to_it() {
    let mut story = begin("2026-03-13 12:00");
    story.assign().expect("is allowed");
    story.suspend(SuspensionReason::Parts).expect("is allowed");
    assert_eq!((story.clock("result_feedback").due_time, basis(&story)), (Some(local("2026-03-13 12:00")), DueBasis::External));
    story.at("2026-03-03 10:00").resume().expect("is allowed");
    assert_eq!(basis(&story), DueBasis::Limit, "a day later than it was, and still before");
    story.suspend(SuspensionReason::Parts).expect("is allowed");
    story.at("2026-03-06 10:00").resume().expect("is allowed");
    assert_eq!((story.clock("result_feedback").due_time, basis(&story)), (Some(local("2026-03-13 12:00")), DueBasis::External));
}

/// WO-68, WO-73: another category or urgency, even another kind of case, changes nothing of what the authority wants.
#[test]
fn reclassification_keeps_it() {
    let mut story = begin("2026-03-04 18:00");
    story.at("2026-03-02 11:00").classify("greening", Urgency::L2).expect("is allowed");
    assert_eq!((story.clock("result_feedback").due_time, basis(&story)), (Some(local("2026-03-04 18:00")), DueBasis::External));
    let inquiry = Create { kind: Kind::Inquiry, ..handed_on("2026-03-04 18:00") };
    let mut story = Story::begin(base(), "2026-03-02 10:00", &inquiry);
    story.at("2026-03-02 11:00").convert(Kind::Complaint).expect("is allowed");
    assert_eq!((story.clock("result_feedback").due_time, basis(&story)), (Some(local("2026-03-04 18:00")), DueBasis::External));
}

/// WO-68: what is opened again is between us and the customer.
#[test]
fn a_second_cycle_has_its_own_limit() {
    let mut story = begin("2026-03-04 18:00");
    story.contact_by(staff(DISPATCHER), None, true, None).expect("is allowed");
    story.assign().expect("is allowed");
    story.accept().expect("is allowed");
    story.at("2026-03-02 15:00").complete().expect("is allowed");
    assert_eq!(story.order.clock("result_feedback", 1).and_then(|clock| clock.verdict), Some(Verdict::Kept));
    story.reopen().expect("is allowed");
    let again = story.order.clock("result_feedback", 2).expect("runs again");
    assert_eq!((again.external_due, again.due_time), (None, Some(local("2026-03-12 00:00"))));
}

/// WO-68: what had passed when it came in is due at once, and told at once.
#[test]
fn a_time_that_has_passed_is_due_at_once() {
    let mut story = begin("2026-03-01 18:00");
    assert_eq!(story.clock("result_feedback").due_time, Some(local("2026-03-02 10:00")));
    story.at("2026-03-02 10:01");
    assert_eq!(story.clock("result_feedback").verdict, Some(Verdict::Late));
}

fn with_rule(required: &[OriginField]) -> Policies {
    let mut policies = uplift();
    let mut document = (*policies.intake[0].document).clone();
    document.origin_rules = vec![OriginRule { channel: Channel::Hotline, required: required.to_vec() }];
    policies.intake[0].document = document.into();
    policies
}

fn refused(policies: Policies, cmd: &Create) -> Option<Refusal> {
    create(cmd, &World::of(policies).ctx(), local("2026-03-02 03:00")).err()
}

/// WO-01: what the estate requires of the hotline is required of staff; of customers and of other services nothing is.
#[test]
fn staff_say_what_the_estate_requires() {
    let needs = || with_rule(&[OriginField::CallId, OriginField::RecordingRef]);
    let mut cmd = Create { channel: Channel::Hotline, actor: staff("agent-1"), ..report(Kind::Repair, "漏水") };
    let missing = vec![OriginField::CallId, OriginField::RecordingRef];
    assert_eq!(refused(needs(), &cmd), Some(Refusal::OriginIncomplete { missing }));
    cmd.origin = Some(Origin::Call { call_id: "c-1".into(), recording_ref: String::new(), agent: String::new() });
    assert_eq!(refused(needs(), &cmd), Some(Refusal::OriginIncomplete { missing: vec![OriginField::RecordingRef] }));
    cmd.origin = Some(Origin::Call { call_id: "c-1".into(), recording_ref: "calls/c-1.ogg".into(), agent: String::new() });
    assert_eq!(refused(needs(), &cmd), None);
    cmd.origin = None;
    assert_eq!(refused(base(), &cmd), None, "base requires nothing");
    cmd.actor = Actor::new(ActorKind::Service, "service.care");
    assert_eq!(refused(needs(), &cmd), None);
}

/// WO-02, WO-68: an origin goes with its channel; a customer does not speak for an authority.
#[test]
fn an_origin_is_of_its_channel_and_of_whoever_may_say_it() {
    let chat = Origin::Chat { session_id: "s-1".into(), transcript_ref: "chats/s-1.json".into() };
    let mut cmd = Create { channel: Channel::Hotline, origin: Some(chat), ..report(Kind::Inquiry, "几点开门") };
    assert_eq!(refused(base(), &cmd), Some(Refusal::OriginUnsuited));
    cmd.channel = Channel::Web;
    assert_eq!(refused(base(), &cmd), None);
    let by_customer = Create { actor: Actor::new(ActorKind::Customer, "customer-1"), ..handed_on("2026-03-04 18:00") };
    let order = create(&by_customer, &World::of(base()).ctx(), local("2026-03-02 03:00")).expect("is taken in").order;
    assert_eq!((order.origin.is_none(), order.external_due()), (true, None));
}
