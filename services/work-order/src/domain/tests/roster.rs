//! Who may take an order, and who must not.

use jiff::Timestamp;

use super::super::*;
use super::story::{Story, report, staff};

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn shift(start: &str, end: &str) -> Shift {
    Shift { start: at(start), end: at(end) }
}

fn worker(principal: &str, skill: &str) -> Worker {
    Worker {
        principal: principal.to_owned(),
        skills: vec![skill.to_owned()],
        line_manager: None,
        shifts: vec![shift("2026-03-02T00:00:00Z", "2026-03-02T08:00:00Z")],
        open_limit: 2,
        distance_class: String::new(),
    }
}

fn candidate(worker: Worker, open: u32) -> Candidate {
    Candidate { worker, open, takes: 7, take_time: None }
}

fn by_desk() -> Assign {
    Assign { actor: staff("desk"), assignee: String::new(), over_limit_reason: String::new(), roles: Vec::new() }
}

/// `head` over `lead` over `accused` over `under`; `peer` has the same lead.
fn lines() -> Lines {
    let pairs = [("lead", "head"), ("accused", "lead"), ("under", "accused"), ("peer", "lead")];
    Lines::new(pairs.map(|(who, whose)| (who.to_owned(), whose.to_owned())))
}

/// WO-79: the accused, everybody above and everybody below them; a colleague under the same lead is not of their line.
#[test]
fn the_line_goes_up_and_down_and_not_aside() {
    let accused = ["accused".to_owned()];
    let involved = ["accused", "lead", "head", "under", "peer", "stranger"].map(|who| lines().involve(&accused, who));
    assert_eq!(involved, [true, true, true, true, false, false]);
    assert!(!lines().involve(&[], "accused"), "an order that complains about nobody keeps nobody away");
    // Managers of each other end no search in vain.
    let ring = Lines::new([("a", "b"), ("b", "a")].map(|(who, whose)| (who.to_owned(), whose.to_owned())));
    assert!(ring.involve(&["a".to_owned()], "b") && !ring.involve(&["a".to_owned()], "c"));
}

/// Shifts are half-open, a skill covers the categories below it, and the limit is what may be under way; every reason is told.
#[test]
fn whoever_is_off_shift_unskilled_or_at_the_limit_is_barred() {
    let begun = Story::begin(Policies::default(), "2026-03-02 09:00", &report(Kind::Repair, "水龙头滴水"));
    let order = WorkOrder { category: "plumbing.leak".to_owned(), accused: vec!["accused".to_owned()], ..begun.order.clone() };
    let noon = "2026-03-02T04:00:00Z";
    let table: [(&str, &str, &str, u32, &[Bar]); 8] = [
        ("free", "plumbing", noon, 0, &[]),
        ("free", "plumbing.leak", noon, 1, &[]),
        ("free", "plumb", noon, 0, &[Bar::LacksSkill]),
        ("free", "plumbing", noon, 2, &[Bar::AtLimit]),
        ("free", "plumbing", "2026-03-02T07:59:59Z", 0, &[]),
        ("free", "plumbing", "2026-03-02T08:00:00Z", 0, &[Bar::OffShift]),
        ("under", "plumbing", noon, 0, &[Bar::Accused]),
        ("lead", "greening", "2026-03-01T23:59:59Z", 5, &[Bar::Accused, Bar::OffShift, Bar::LacksSkill, Bar::AtLimit]),
    ];
    for (who, skill, now, open, expected) in table {
        assert_eq!(bars(&order, &candidate(worker(who, skill), open), &lines(), at(now)), expected, "{who}, {skill}, {now}, {open}");
    }
}

/// What is wrong with one worker of a batch is theirs alone.
#[test]
fn each_worker_of_a_batch_is_judged_alone() {
    let touching = vec![shift("2026-03-02T08:00:00Z", "2026-03-02T16:00:00Z"), shift("2026-03-02T00:00:00Z", "2026-03-02T08:00:00Z")];
    let overlapping = vec![shift("2026-03-02T00:00:00Z", "2026-03-02T08:00:00Z"), shift("2026-03-02T07:59:59Z", "2026-03-02T09:00:00Z")];
    let empty = vec![shift("2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z")];
    let batch = [
        Worker { shifts: touching, ..worker("a", "x") },
        Worker { shifts: overlapping, ..worker("b", "x") },
        Worker { shifts: empty, ..worker("c", "x") },
        Worker { line_manager: Some("d".to_owned()), ..worker("d", "x") },
        worker("a", "y"),
    ];
    assert_eq!(check_batch(&batch), [None, Some(Fault::Shift), Some(Fault::Shift), Some(Fault::Line), Some(Fault::Repeated)]);
}

/// WO-79: neither is the accused made accountable, nor may they or their line call back; whoever is accountable is not named.
#[test]
fn no_verb_brings_an_order_to_the_accused_or_their_line() {
    let begun = Story::begin(Policies::default(), "2026-03-02 09:00", &report(Kind::Complaint, "师傅态度差"));
    let (world, lines) = (&begun.world, lines());
    let ctx = Context { lines: &lines, ..world.ctx() };
    let order = |state| WorkOrder { state, accused: vec!["accused".to_owned()], ..begun.order.clone() };
    let barred = |answer: Result<Transition, Refusal>| match answer {
        Ok(_) => false,
        Err(refusal) => refusal.reason() == "STAFF_ACCUSED",
    };
    for (who, expected) in [("accused", true), ("lead", true), ("under", true), ("peer", false)] {
        let assigned = assign(&order(State::Classified), &Assign { assignee: who.to_owned(), ..by_desk() }, &ctx, begun.now);
        assert_eq!(barred(assigned), expected, "assigned to {who}");
        let call = RecordCallback {
            actor: staff(who),
            occur_time: None,
            outcome: CallbackOutcome::Reached,
            score: 5,
            improvement: String::new().into(),
            mode: CallbackMode::Phone,
        };
        assert_eq!(barred(record_callback(&order(State::Completed), &call, &ctx, begun.now)), expected, "called back by {who}");
    }
}

/// WO-23: whoever the roster has is given no more by hand than they may have, what they have already is no more, and somebody whom
/// the roster does not have is nobody's to count.
#[test]
fn nobody_is_given_more_than_their_limit_by_hand() {
    let begun = Story::begin(Policies::default(), "2026-03-02 09:00", &report(Kind::Repair, "水龙头滴水"));
    let order = WorkOrder { state: State::Classified, ..begun.order.clone() };
    let full = candidate(worker("full", "plumbing"), 2);
    let free = candidate(worker("free", "plumbing"), 1);
    let give = |order: &WorkOrder, assignee: &str, taker| {
        let ctx = Context { taker, ..begun.world.ctx() };
        assign(order, &Assign { assignee: assignee.to_owned(), ..by_desk() }, &ctx, begun.now)
    };
    assert_eq!(give(&order, "full", Some(&full)).expect_err("is at the limit").reason(), "AT_LIMIT");
    let given = give(&order, "free", Some(&free)).expect("is below it");
    assert_eq!(given.take, Some(Take { principal: "free".to_owned(), takes: 7 }));
    assert_eq!(give(&order, "guest", None).expect("is not counted").take, None);
    // Somebody in charge says why.
    let in_charge = Terms { limit_override_roles: vec!["estate_manager".to_owned()], ..order.terms.clone() };
    let urgent = WorkOrder { terms: in_charge, ..order.clone() };
    let ctx = Context { taker: Some(&full), ..begun.world.ctx() };
    for (role, reason, is_given) in [("estate_manager", "storm", true), ("estate_manager", "", false), ("dispatcher", "storm", false)] {
        let roles = vec![role.to_owned()];
        let cmd = Assign { assignee: "full".to_owned(), over_limit_reason: reason.to_owned(), roles, ..by_desk() };
        let given = assign(&urgent, &cmd, &ctx, begun.now);
        assert_eq!(given.as_ref().is_ok_and(|given| given.history[0].detail["over_limit_reason"] == reason), is_given, "{role}, {reason}");
    }
    let theirs = WorkOrder { state: State::Assigned, assignee: Some("full".to_owned()), ..order };
    assert_eq!(give(&theirs, "full", Some(&full)).expect("is theirs already").take, None);
}
