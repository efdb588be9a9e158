use steward_kit::calendar::Factor;

use super::super::*;
use super::plans::{uplift, uplift_with};
use super::story::{CLERK, Story, TECHNICIAN, local, photo, report, staff};

fn leak(policies: Policies) -> Story {
    let mut story = Story::begin(policies, "2026-03-02 10:00", &report(Kind::Repair, "漏水"));
    story.assign().expect("is allowed");
    story
}

impl Story {
    fn appoint(&mut self, start: &str, end: &str, apology_call: bool) -> Result<(), Refusal> {
        let cmd = Appoint { actor: staff(TECHNICIAN), start: local(start), end: local(end), apology_call };
        self.attempt(|order, ctx, now| appoint(order, &cmd, ctx, now))
    }

    fn start_work(&mut self, checked: &[&str]) -> Result<(), Refusal> {
        let checked = checked.iter().map(|point| (*point).to_owned()).collect();
        let cmd = StartWork { actor: staff(TECHNICIAN), occur_time: None, checked };
        self.attempt(|order, ctx, now| start_work(order, &cmd, ctx, now))
    }

    fn quote(&mut self, items: &[(&str, u32)]) -> Result<(), Refusal> {
        let items = items.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect();
        let cmd = QuoteWork { actor: staff(TECHNICIAN), items };
        self.attempt(|order, ctx, now| quote_work(order, &cmd, ctx, now))
    }

    fn confirm(&mut self, actor: Actor, total_fen: i64, media: Vec<MediaRef>) -> Result<(), Refusal> {
        let cmd = ConfirmQuote { actor, total_fen, media };
        self.attempt(|order, ctx, now| confirm_quote(order, &cmd, ctx, now))
    }

    fn approve(&mut self, subject: &str) -> Result<(), Refusal> {
        let cmd = ApproveSuspension { actor: staff(subject) };
        self.attempt(|order, ctx, now| approve_suspension(order, &cmd, ctx, now))
    }
}

/// WO-18: a later appointment was agreed: the clock is due at its end, and late one second after.
#[test]
fn a_later_appointment_moves_the_arrival_to_its_end() {
    let mut story = leak(uplift());
    assert_eq!(story.clock("arrive").due_time, Some(local("2026-03-02 12:00")));
    story.appoint("2026-03-02 15:00", "2026-03-02 17:00", false).expect("is agreed");
    assert_eq!(story.clock("arrive").due_time, Some(local("2026-03-02 17:00")));
    assert_eq!(story.clock("contact_customer").due_time, Some(local("2026-03-02 10:30")), "which does not move");
    story.contact(true, None).expect("is allowed");
    story.at("2026-03-02 17:00:01").arrive().expect("is allowed");
    assert_eq!(story.clock("arrive").verdict, Some(Verdict::Late));
    // Half the way and four fifths of it are warned of on the way that holds now.
    assert!(story.steps_of("arrive").contains(&(50, local("2026-03-02 13:30"))), "{:?}", story.steps_of("arrive"));
    assert!(story.steps_of("arrive").contains(&(100, local("2026-03-02 17:00"))));
}

/// WO-18: an earlier appointment makes no limit shorter, and one agreed too late heals nothing.
#[test]
fn an_appointment_neither_shortens_a_limit_nor_heals_a_breach() {
    let mut early = leak(uplift());
    early.appoint("2026-03-02 10:30", "2026-03-02 11:00", false).expect("is agreed");
    assert_eq!(early.clock("arrive").due_time, Some(local("2026-03-02 12:00")));
    let mut late = leak(uplift());
    late.at("2026-03-02 12:10").appoint("2026-03-02 15:00", "2026-03-02 17:00", false).expect("is agreed");
    assert_eq!((late.clock("arrive").verdict, late.clock("arrive").due_time), (Some(Verdict::Late), Some(local("2026-03-02 12:00"))));
}

/// WO-46: cannot come: the customer is called before the old start, which is what is told and recorded.
#[test]
fn a_visit_is_put_off_with_a_call_before_its_start() {
    let mut story = leak(uplift());
    story.appoint("2026-03-02 15:00", "2026-03-02 17:00", false).expect("is agreed");
    story.at("2026-03-02 14:30");
    assert_eq!(story.appoint("2026-03-03 09:00", "2026-03-03 11:00", false), Err(Refusal::ApologyCallRequired));
    story.appoint("2026-03-03 09:00", "2026-03-03 11:00", true).expect("is agreed");
    let told = story.events.iter().rev().find_map(|event| {
        let Fact::AppointmentAgreed { old_start, told_in_time, notify_roles, .. } = &event.fact else { return None };
        Some((event.occur_time, *old_start, *told_in_time, notify_roles.clone()))
    });
    let (at, old_start, in_time, roles) = told.expect("is told");
    assert!(Some(at) < old_start && in_time, "before the old start");
    assert_eq!(roles, ["estate_manager"], "the coordinators hear of it");
    assert_eq!(story.order.field.appointments.len(), 2, "the log keeps both");
    assert_eq!(story.clock("arrive").due_time, Some(local("2026-03-03 11:00")));
    story.at("2026-03-03 09:10").appoint("2026-03-03 14:00", "2026-03-03 15:00", true).expect("is agreed");
    assert!(!story.order.field.appointments[2].told_in_time, "nobody called before nine");
    let faulty = story.appoint("2026-03-03 16:00", "2026-03-03 16:00", true).expect_err("is refused");
    assert_eq!(faulty.reason(), "APPOINTMENT_INVALID");
}

fn conduct() -> SlaPolicy {
    let rule = ConductRule { applies_to: CaseFilter::default(), checklist: vec!["badge".into(), "shoe_covers".into()] };
    SlaPolicy { conduct_rules: vec![rule], ..SlaPolicy::default() }
}

/// WO-47: without shoe covers nobody begins, and what never began is not done.
#[test]
fn an_incomplete_checklist_blocks_the_start() {
    let mut story = leak(uplift_with(conduct()));
    story.contact(true, None).expect("is allowed");
    story.arrive().expect("is allowed");
    assert_eq!(story.start_work(&["badge"]), Err(Refusal::ChecklistIncomplete { missing: vec!["shoe_covers".into()] }));
    assert_eq!(story.complete().expect_err("is refused").reason(), "WORK_NOT_STARTED");
    story.start_work(&["shoe_covers", "badge"]).expect("is complete");
    story.complete().expect("is allowed");
}

fn priced() -> SlaPolicy {
    let item = |code: &str, unit_price_fen, is_material| PriceItem { code: code.into(), unit_price_fen, is_material };
    let items = vec![item("labour_hour", 8_000, false), item("tap", 5_500, true)];
    SlaPolicy { price_rules: vec![PriceRule { applies_to: CaseFilter::default(), items }], ..SlaPolicy::default() }
}

/// WO-49: a paid item does not begin before the customer has agreed to its price.
#[test]
fn paid_work_waits_for_the_customer() {
    let mut story = leak(uplift_with(priced()));
    story.contact(true, None).expect("is allowed");
    story.arrive().expect("is allowed");
    assert_eq!(story.start_work(&[]).expect_err("is refused").reason(), "QUOTE_UNCONFIRMED");
    assert_eq!(story.complete().expect_err("is refused").reason(), "QUOTE_UNCONFIRMED");
    assert_eq!(story.quote(&[("tap", 1), ("gold", 1)]), Err(Refusal::PriceItemUnknown { index: 1 }));
    story.quote(&[("labour_hour", 2), ("tap", 1)]).expect("is told");
    assert_eq!(story.start_work(&[]).expect_err("is refused").reason(), "QUOTE_UNCONFIRMED");
    let customer = Actor::new(ActorKind::Customer, "customer-1");
    assert_eq!(story.confirm(customer.clone(), 20_000, Vec::new()).expect_err("is refused").reason(), "QUOTE_UNCONFIRMED");
    assert_eq!(story.confirm(staff(TECHNICIAN), 21_500, Vec::new()), Err(Refusal::ConfirmationUnproven));
    story.confirm(staff(TECHNICIAN), 21_500, vec![photo(MediaKind::Signature)]).expect("the customer signed");
    // Another quote is another sum to agree to.
    story.quote(&[("tap", 2)]).expect("is told");
    assert_eq!(story.start_work(&[]).expect_err("is refused").reason(), "QUOTE_UNCONFIRMED");
    story.confirm(customer, 11_000, Vec::new()).expect("is allowed");
    story.start_work(&[]).expect("is allowed");
    story.complete().expect("is allowed");
}

/// WO-43: the longest pause is over: the work is taken up again at that instant, however late that is noticed.
#[test]
fn a_pause_ends_by_itself_at_its_longest() {
    let rule =
        |reason, max: &str, needs_approval| SuspensionRule { reason, max_duration: Some(max.parse().expect("is a span")), needs_approval };
    let sla = SlaPolicy { suspension_rules: vec![rule(SuspensionReason::Customer, "5h", false)], ..SlaPolicy::default() };
    let mut noticed = leak(uplift_with(sla));
    noticed.suspend(SuspensionReason::Customer).expect("is allowed");
    assert_eq!(noticed.clock("arrive").state, ClockState::Paused);
    let mut slept = leak(uplift());
    slept.order = noticed.order.clone();
    noticed.at("2026-03-02 15:00");
    assert!(!noticed.order.is_suspended());
    assert_eq!(noticed.clock("arrive").due_time, Some(local("2026-03-02 17:00")));
    let resumed = noticed.events.iter().find(|event| event.fact == Fact::Resumed).map(|event| event.occur_time);
    assert_eq!(resumed, Some(local("2026-03-02 15:00")));
    let late = pause_over(&slept.order, &slept.world.ctx(), local("2026-03-02 16:00")).expect("is computed");
    assert_eq!(late.order.suspensions.last().and_then(|last| last.to), Some(local("2026-03-02 15:00")));
}

/// WO-43: a pause that needs approval stops no clock before it is given, by somebody else, and then from when it was asked for.
#[test]
fn a_pause_counts_once_a_second_person_agrees() {
    let rule = SuspensionRule { reason: SuspensionReason::Customer, max_duration: None, needs_approval: true };
    let mut story = leak(uplift_with(SlaPolicy { suspension_rules: vec![rule], ..SlaPolicy::default() }));
    story.suspend(SuspensionReason::Customer).expect("is asked for");
    assert_eq!(story.clock("arrive").state, ClockState::Running);
    story.at("2026-03-02 10:20");
    assert_eq!(story.approve(TECHNICIAN).expect_err("is refused").reason(), "APPROVER_ASKED");
    story.approve(CLERK).expect("is allowed");
    assert_eq!(story.clock("arrive").state, ClockState::Paused);
    assert_eq!(story.approve(CLERK).expect_err("is refused").reason(), "NOTHING_TO_APPROVE");
    story.at("2026-03-02 13:00").resume().expect("is allowed");
    assert_eq!(story.clock("arrive").due_time, Some(local("2026-03-02 15:00")), "three hours from ten o'clock");
}

/// WO-71: factor 1.5: an L2 order taken in during the mode is answered within 45 minutes; L1, and orders before and after, are not.
#[test]
fn extreme_weather_makes_limits_longer() {
    let mode = WeatherMode {
        code: "typhoon".into(),
        applies_to: CaseFilter { urgencies: vec![Urgency::L2, Urgency::L3], ..CaseFilter::default() },
        from: local("2026-03-02 08:00"),
        to: local("2026-03-02 20:00"),
        factor: Factor::new(3, 2).expect("is a factor"),
    };
    let sla = SlaPolicy { weather_modes: vec![mode], ..SlaPolicy::default() };
    let begin = |at: &str, text: &str| Story::begin(uplift_with(sla.clone()), at, &report(Kind::Complaint, text));
    let l2 = begin("2026-03-02 10:00", "保洁不到位");
    assert_eq!(l2.order.urgency, Urgency::L2);
    assert_eq!(l2.clock("first_response").due_time, Some(local("2026-03-02 10:45")));
    assert_eq!(l2.order.terms.weather.as_ref().map(|weather| weather.code.as_str()), Some("typhoon"));
    assert_eq!(l2.history[0].detail["weather"], "typhoon");
    let after = begin("2026-03-02 20:00", "保洁不到位");
    assert_eq!(after.clock("first_response").due_time, Some(local("2026-03-02 20:30")));
    assert_eq!(after.order.terms.weather, None);
    let l1 = begin("2026-03-02 10:00", "水管爆漏");
    assert_eq!(l1.clock("first_response").due_time, Some(local("2026-03-02 10:15")));
}
