//! How orders come to somebody: offers, rotation, grabbing, the duty manager, and the list that is written down.

use jiff::Timestamp;

use super::super::*;
use super::plans::uplift_with;
use super::story::{CLERK, Story, local, report, staff};

fn candidate(principal: &str, skills: &[&str], open: u32) -> Candidate {
    let shift = Shift { start: local("2026-03-02 08:00"), end: local("2026-03-02 20:00") };
    let worker = Worker {
        principal: principal.to_owned(),
        skills: skills.iter().map(|skill| (*skill).to_owned()).collect(),
        line_manager: None,
        shifts: vec![shift],
        open_limit: 4,
        distance_class: "on_site".to_owned(),
    };
    Candidate { worker, open, takes: 0, take_time: None }
}

fn since(candidate: Candidate, time: &str) -> Candidate {
    Candidate { take_time: Some(local(time)), ..candidate }
}

fn from_afar(mut candidate: Candidate) -> Candidate {
    candidate.worker.distance_class = "far".to_owned();
    candidate
}

/// A leak is reported at nine under a mode of the estate; everything else is said by the base.
fn leak(mode: DispatchMode, roster: Roster) -> Story {
    let rules = vec![DispatchRule { applies_to: CaseFilter::default(), mode }];
    let policies = uplift_with(SlaPolicy { dispatch: DispatchPolicy { rules, ..DispatchPolicy::default() }, ..SlaPolicy::default() });
    let mut story = Story::begin(policies, "2026-03-02 09:00", &report(Kind::Repair, "厨房漏水"));
    story.roster = roster;
    story.at("2026-03-02 09:00");
    story
}

/// Five who differ: the exact skill, much under way, far away, nothing to do with pipes, and the one who was there last.
fn roster() -> Roster {
    let candidates = vec![
        candidate("exact", &["plumbing.leak"], 2),
        candidate("idle", &["plumbing"], 0),
        from_afar(candidate("remote", &["plumbing"], 0)),
        candidate("gardener", &["greening"], 0),
        candidate("full", &["plumbing"], 4),
    ];
    Roster::new(candidates, Some("remote".to_owned()))
}

fn runs(story: &Story) -> Vec<DispatchRun> {
    story.history.iter().filter_map(dispatch_run).collect()
}

fn offered_to(story: &Story) -> Option<&str> {
    story.order.dispatch.offer.as_ref().map(|offer| offer.to.as_str())
}

fn printed(runs: &[DispatchRun], at: impl Fn(Timestamp) -> String) -> String {
    let mut out = String::new();
    for run in runs {
        let to = run.offered_to.as_deref().unwrap_or("-");
        let until = run.until.map_or("-".to_owned(), &at);
        let why = run.duty_reason.map_or("-", DutyReason::as_str);
        out.push_str(&format!("{} {} offered to {to} until {until}, duty manager {why}\n", at(run.at), run.mode));
        out.push_str("  who          score  skill   load  distance  last visitor  waits since\n");
        for one in &run.list.ranked {
            let Score { total, skill, load, distance, last_visitor } = one.score;
            let waits = one.waits_since.map_or("ever".to_owned(), &at);
            out.push_str(&format!(
                "  {:<12} {total:>5}  {skill:>5}  {load:>5}  {distance:>8}  {last_visitor:>12}  {waits}\n",
                one.principal
            ));
        }
        for (who, why) in &run.list.excluded {
            out.push_str(&format!("  {who:<12} left out: {}\n", why.join(", ")));
        }
    }
    out
}

/// WO-23: the list of every look is written down as it was, with the parts of each score and the reason of each exclusion:
/// `golden/dispatch_explanation.snap`. One does not answer, one declines, one is left, and then nobody.
#[test]
fn the_dispatch_explanation_is_the_golden_one() {
    let mut story = leak(DispatchMode::Offer, roster());
    assert_eq!(offered_to(&story), Some("exact"));
    story.at("2026-03-02 09:05");
    assert_eq!(offered_to(&story), Some("idle"), "the first did not answer in five minutes");
    story.at("2026-03-02 09:06");
    let decline = DeclineOffer { actor: staff("idle"), reason: "on a ladder".to_owned() };
    story.attempt(|order, ctx, now| decline_offer(order, &decline, ctx, now)).expect("is theirs to decline");
    story.at("2026-03-02 09:06");
    assert_eq!(offered_to(&story), Some("remote"));
    story.at("2026-03-02 09:11");
    assert_eq!((offered_to(&story), story.order.dispatch.queue_time), (None, Some(local("2026-03-02 09:11"))));
    let zone = super::story::shanghai();
    let at = |time: Timestamp| zone.to_datetime(time).strftime("%H:%M").to_string();
    insta::with_settings!({ snapshot_path => "../golden", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("dispatch_explanation", printed(&runs(&story), at));
    });
    let called = story.events.iter().filter_map(|event| {
        let Fact::DutyManagerCalled { reason, notify_roles } = &event.fact else { return None };
        Some((*reason, notify_roles.join(",")))
    });
    assert_eq!(called.collect::<Vec<_>>(), [(DutyReason::Exhausted, "estate_manager".to_owned())], "told once");
}

/// WO-23: nobody on shift, and nobody who may: the duty manager is called at the very look, which is due at once.
#[test]
fn nobody_to_be_found_calls_the_duty_manager_at_once() {
    let gardener = || vec![candidate("gardener", &["greening"], 0)];
    let mut late = candidate("late", &["plumbing"], 0);
    late.worker.shifts = vec![Shift { start: local("2026-03-02 20:00"), end: local("2026-03-03 04:00") }];
    let table =
        [(Vec::new(), DutyReason::NobodyOnShift), (vec![late], DutyReason::NobodyOnShift), (gardener(), DutyReason::NobodyEligible)];
    for (candidates, expected) in table {
        for mode in [DispatchMode::Offer, DispatchMode::Rotation, DispatchMode::Grab] {
            let story = leak(mode, Roster::new(candidates.clone(), None));
            assert_eq!(story.order.dispatch.queue_time, Some(local("2026-03-02 09:00")), "{mode}");
            let found: Vec<_> = runs(&story).iter().map(|run| run.duty_reason).collect();
            assert_eq!(found, [Some(expected)], "{mode}");
        }
    }
    let story = leak(DispatchMode::Manual, Roster::default());
    assert_eq!((runs(&story).len(), story.order.dispatch.due), (0, None), "a person assigns it");
}

/// WO-23: in a rotation whoever waited longest comes first, whoever never had an order before them, whatever the score.
#[test]
fn a_rotation_goes_by_the_longest_wait() {
    let candidates = vec![
        since(candidate("a", &["plumbing.leak"], 0), "2026-03-02 08:30"),
        since(candidate("b", &["plumbing"], 3), "2026-03-01 12:00"),
        candidate("never", &["plumbing"], 3),
    ];
    let story = leak(DispatchMode::Rotation, Roster::new(candidates, None));
    let order: Vec<_> = runs(&story)[0].list.ranked.iter().map(|one| one.principal.clone()).collect();
    assert_eq!((order, offered_to(&story)), (vec!["never".to_owned(), "b".to_owned(), "a".to_owned()], Some("never")));
}

/// WO-23: an offer is taken before its end by whoever has it; after it, noticed or not, it ran out; nobody else takes it.
#[test]
fn an_offer_is_taken_before_its_end_by_whoever_has_it() {
    let accept = |story: &Story, who: &str, at: &str| {
        let taker = story.roster.candidates.iter().find(|one| one.worker.principal == who);
        let ctx = Context { taker, ..story.world.ctx() };
        let accepted = accept_offer(&story.order, &AcceptOffer { actor: staff(who) }, &ctx, local(at));
        accepted.map(|taken| (taken.order.state, taken.order.assignee, taken.order.dispatch.offer)).map_err(|refusal| refusal.reason())
    };
    let mut story = leak(DispatchMode::Offer, roster());
    assert_eq!(accept(&story, "exact", "2026-03-02 09:04:59"), Ok((State::Accepted, Some("exact".to_owned()), None)));
    assert_eq!(accept(&story, "exact", "2026-03-02 09:05"), Err("OFFER_LAPSED"));
    assert_eq!(accept(&story, "idle", "2026-03-02 09:04"), Err("NOT_OFFERED"));
    story.at("2026-03-02 09:05");
    assert_eq!(accept(&story, "exact", "2026-03-02 09:06"), Err("OFFER_LAPSED"), "it is somebody else's now");
    let grab_by = |story: &Story, who: &str| {
        let taker = story.roster.candidates.iter().find(|one| one.worker.principal == who);
        let ctx = Context { taker, ..story.world.ctx() };
        grab(&story.order, &Grab { actor: staff(who) }, &ctx, story.now).map(drop).map_err(|refusal| refusal.reason())
    };
    assert_eq!(grab_by(&story, "remote"), Err("NOT_OFFERED"), "what is offered to one is not grabbed by another");
}

/// WO-23: an order that is assigned by hand, stands still or ends is no longer offered; taken up again, or made another, it looks anew.
#[test]
fn an_order_that_moves_on_takes_its_offer_along() {
    let mut story = leak(DispatchMode::Offer, roster());
    story.assign_to("li").expect("is allowed");
    assert_eq!((offered_to(&story), story.order.dispatch.due), (None, None));
    let mut story = leak(DispatchMode::Offer, roster());
    story.suspend(SuspensionReason::Customer).expect("is allowed");
    assert_eq!((offered_to(&story), story.order.dispatch.due), (None, None));
    story.resume().expect("is allowed");
    story.at("2026-03-02 09:00");
    assert_eq!(offered_to(&story), Some("idle"), "the first was asked");
    story.classify("greening", Urgency::L3).expect("is allowed");
    story.at("2026-03-02 09:00");
    assert_eq!(offered_to(&story), Some("gardener"));
    story.cancel(CloseCode::Withdrawn).expect("is allowed");
    assert_eq!((offered_to(&story), story.order.dispatch.due), (None, None));
}

/// WO-79: neither the accused nor anybody of their line is offered a complaint.
#[test]
fn a_complaint_is_never_offered_to_the_accused_or_their_line() {
    let cleaner = |who: &str, manager: &str| {
        let mut one = candidate(who, &["cleaning"], 0);
        one.worker.line_manager = Some(manager.to_owned());
        one
    };
    let candidates = vec![cleaner("accused", "lead"), cleaner("lead", "head"), cleaner("under", "accused"), cleaner("peer", "lead")];
    let rules = vec![DispatchRule { applies_to: CaseFilter::default(), mode: DispatchMode::Offer }];
    let policies = uplift_with(SlaPolicy { dispatch: DispatchPolicy { rules, ..DispatchPolicy::default() }, ..SlaPolicy::default() });
    let complaint =
        Create { accused: vec!["accused".to_owned()], actor: staff(CLERK), ..report(Kind::Complaint, "保洁不到位，阿姨态度差") };
    let mut story = Story::begin(policies, "2026-03-02 09:00", &complaint);
    story.roster = Roster::new(candidates, None);
    story.at("2026-03-02 09:00");
    assert_eq!(offered_to(&story), Some("peer"));
    let excluded: Vec<_> = runs(&story)[0].list.excluded.keys().cloned().collect();
    assert_eq!(excluded, ["accused", "lead", "under"]);
}

/// WO-23: what a mode needs stands in the document or below it; a class is named once.
#[test]
fn a_mode_without_its_numbers_is_refused() {
    use steward_kit::calendar::Calendars;
    use steward_kit::error::Violations;
    let rules = vec![DispatchRule { applies_to: CaseFilter::default(), mode: DispatchMode::Offer }];
    let alone = SlaPolicy { dispatch: DispatchPolicy { rules, ..DispatchPolicy::default() }, ..SlaPolicy::default() };
    let faults = |below: &Policies| {
        let mut bad = Violations::new();
        check_sla(&mut bad, "sla", &alone, Surroundings { below, calendars: &Calendars::shipped() });
        bad.iter().map(|fault| fault.field.to_string()).collect::<Vec<_>>()
    };
    let missing = ["accept_within", "max_offers", "weights", "escalate_roles"].map(|field| format!("sla.dispatch.{field}"));
    assert_eq!(faults(&Policies::default()), missing);
    assert_eq!(faults(&super::plans::base()), Vec::<String>::new());
}
