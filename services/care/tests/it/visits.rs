//! Rounds of visits: drawn up, scheduled, announced, made, written down, reported, kept as a case.

use jiff::civil::date;
use steward_kit::predicate::{Fact, ask};
use steward_proto::care::v1 as pb;
use steward_proto::common::v1 as common;
use tonic::Code;

use crate::planning::after_delivery;
use crate::visiting::{KIT, create, get_round, make_visit, round_of, schedule, train, verb, visits};
use crate::words::futures_join;
use crate::world::{BASE, BUTLER, World, at, eventually, refused, request_id, time};

/// CA-34, CA-35, CA-36, CA-41, CA-42, CA-44, CA-46, CA-47, CA-48, CA-49: a visit from its schedule to its form, and what the round makes
/// of it.
#[tokio::test]
async fn a_visit_keeps_every_rule_from_notice_to_form() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 1, 15));
    world.publish_programme("lifecycle", vec![after_delivery("three_month", "3mo")]).await;
    let planned = world.until(household.id, pb::TouchpointState::Planned).await;
    let programme = planned.programme_id.clone();
    let request = pb::CreateVisitRoundRequest {
        programme_id: programme,
        definition_code: "three_month".to_owned(),
        audience: None,
        exclusions: Vec::new(),
        ..round_of(&world, pb::RoundKind::ThreeMonth, ("2026-04-01", "2026-04-30"))
    };
    let round = create(&world, request).await;
    assert_eq!(round.warnings, ["ROLE_MISSING:discipline_head"], "CA-34");
    let visit = visits(&world, &round.id).await.remove(0);
    assert_eq!((visit.touchpoint_id.as_str(), visit.due_date.as_str()), (planned.id.as_str(), "2026-04-15"));

    // CA-41: who was not trained is not sent.
    let start = "2026-04-15T02:00:00Z";
    refused(schedule(&world, &visit.id, "wang", start).await, Code::FailedPrecondition, "VISITOR_UNTRAINED");
    train(&world, &round.id, "wang", "discipline_head").await;
    let scheduled = schedule(&world, &visit.id, "wang", start).await.unwrap().into_inner().visit.unwrap();
    assert_eq!(scheduled.state(), pb::VisitState::Scheduled);

    // CA-35: a visit on the 15th is announced on the 8th.
    world.go_to("2026-04-08T00:59:00Z");
    assert_eq!(world.count_facts("VisitNoticeDue").await, 0);
    world.go_to("2026-04-08T01:00:00Z");
    world.until_told("VisitNoticeDue", 1).await;

    // CA-42, CA-44.
    verb!(world, confirm_appointment, ConfirmAppointmentRequest, visit.id).unwrap();
    world.go_to("2026-04-15T01:00:00Z");
    let twice = verb!(world, confirm_appointment, ConfirmAppointmentRequest, visit.id).unwrap().into_inner().visit.unwrap();
    assert!(twice.appoint_time.is_some() && twice.reconfirm_time.is_some());
    let brief = verb!(world, read_visit_brief, ReadVisitBriefRequest, visit.id).unwrap().into_inner();
    assert_eq!(brief.facts["household.has_major_complaint"], "false");
    verb!(world, check_visit_kit, CheckVisitKitRequest, visit.id, items: KIT.map(str::to_owned).to_vec()).unwrap();

    world.go_to(start);
    let begun = verb!(world, start_visit, StartVisitRequest, visit.id).unwrap().into_inner().visit.unwrap();
    assert!(begun.warnings.is_empty(), "{:?}", begun.warnings);
    world.advance(35);
    let over = verb!(world, end_visit, EndVisitRequest, visit.id).unwrap().into_inner().visit.unwrap();
    assert_eq!(time(over.form_due_time.as_ref()), at("2026-04-22T16:00:00Z"), "five working days");
    // CA-14: what the visit carries out is done.
    world.until(household.id, pb::TouchpointState::Confirmed).await;

    // CA-46, CA-47: two issues become two orders; what is important is told at once.
    let issue = |category: &str| pb::VisitIssue {
        kind: common::WorkOrderKind::Complaint.into(),
        category: category.to_owned(),
        description: "draughty window".to_owned(),
        ..Default::default()
    };
    let form = pb::VisitForm {
        score: 4,
        issues: vec![issue("windows"), issue("parking")],
        is_important: true,
        position: "executives".to_owned(),
        ..Default::default()
    };
    let closed = verb!(world, submit_visit_form, SubmitVisitFormRequest, visit.id, form: Some(form)).unwrap().into_inner().visit.unwrap();
    let all = pb::Conformity { notice: true, duration: true, form: true, training: true, kit: true };
    assert_eq!((closed.state(), closed.conformity), (pb::VisitState::Closed, Some(all)));
    world.until_told("VisitIssueRaised", 2).await;
    world.until_told("ImportantVisitReported", 1).await;

    // CA-48: three days after the end the report is late; its figures come from the forms.
    let end = pb::EndVisitRoundRequest { request_id: request_id(), visit_round_id: round.id.clone(), etag: String::new() };
    let ended = world.rounds().end_visit_round(world.manager().asks(end)).await.unwrap().into_inner().visit_round.unwrap();
    assert_eq!(time(ended.report_due_time.as_ref()), at("2026-04-18T16:00:00Z"));
    world.go_to("2026-04-18T16:00:01Z");
    world.until_told("RoundReportOverdue", 1).await;
    let report = pb::SubmitRoundReportRequest {
        request_id: request_id(),
        visit_round_id: round.id.clone(),
        etag: String::new(),
        analysis: "windows".to_owned(),
    };
    let reported = world.rounds().submit_round_report(world.manager().asks(report)).await.unwrap().into_inner().visit_round.unwrap();
    let report = reported.report.unwrap();
    assert_eq!((report.done_count, report.due_count, report.mean_score_hundredths, report.is_late), (1, 1, 400, true));
    assert_eq!(report.issue_counts["windows"], 1);

    // CA-49: a case names nobody.
    let archive = |lesson: &str| pb::ArchiveVisitRoundRequest {
        request_id: request_id(),
        visit_round_id: round.id.clone(),
        etag: String::new(),
        title: "Draughty windows".to_owned(),
        lesson: lesson.to_owned(),
    };
    let named = world.rounds().archive_visit_round(world.manager().asks(archive("Call Mr Li, 138 0013 8000"))).await;
    refused(named, Code::InvalidArgument, "PERSONAL_DATA");
    let archived = world.rounds().archive_visit_round(world.manager().asks(archive("Check the seals"))).await.unwrap().into_inner();
    assert_eq!(archived.visit_round.unwrap().state(), pb::RoundState::Archived);
}

/// CA-34, CA-35, CA-42, CA-44, CA-53: what was not kept is warned of and stands in the conformity (F-21).
#[tokio::test]
async fn what_a_visit_does_not_keep_is_written_down() {
    let world = World::new().await;
    world.households.add(date(2026, 1, 1));
    let round = create(&world, round_of(&world, pb::RoundKind::ThreeMonth, ("2026-03-01", "2026-03-31"))).await;
    train(&world, &round.id, "wang", "technician").await;
    let visit = visits(&world, &round.id).await.remove(0);
    // Tomorrow: too late for a notice of a week.
    schedule(&world, &visit.id, "wang", "2026-03-02T02:00:00Z").await.unwrap();
    eventually("the notice", || async {
        let request = pb::GetVisitRequest { visit_id: visit.id.clone() };
        let visit = world.visits().get_visit(world.manager().asks(request)).await.unwrap().into_inner().visit.unwrap();
        visit.is_without_notice.then_some(())
    })
    .await;
    world.go_to("2026-03-02T02:00:00Z");
    let begun = verb!(world, start_visit, StartVisitRequest, visit.id).unwrap().into_inner().visit.unwrap();
    assert_eq!(begun.warnings, ["ROLE_MISSING", "WITHOUT_NOTICE", "NOT_RECONFIRMED", "BRIEF_NOT_READ"]);
    world.advance(25);
    verb!(world, end_visit, EndVisitRequest, visit.id).unwrap();
    // Five working days from Monday the 2nd end with the 9th.
    world.go_to("2026-03-09T16:00:01Z");
    world.until_told("VisitFormOverdue", 1).await;
    let form = Some(pb::VisitForm::default());
    let closed = verb!(world, submit_visit_form, SubmitVisitFormRequest, visit.id, form: form).unwrap().into_inner().visit.unwrap();
    let kept = pb::Conformity { training: true, ..Default::default() };
    assert_eq!(closed.conformity, Some(kept));
    assert!(closed.form.unwrap().is_late);
}

/// CA-36: a visitor who is busy is refused, and of twenty who ask at once one gets the time. CA-43: a moved visit tells the coordinator.
#[tokio::test]
async fn nobody_is_in_two_homes_at_once() {
    let world = World::new().await;
    for _ in 0..21 {
        world.households.add(date(2026, 1, 1));
    }
    let round = create(&world, round_of(&world, pb::RoundKind::General, ("2026-03-01", "2026-03-31"))).await;
    train(&world, &round.id, "wang", "steward").await;
    let all = visits(&world, &round.id).await;
    assert_eq!(all.len(), 21);
    let asks = all[..20].iter().map(|visit| schedule(&world, &visit.id, "wang", "2026-03-10T02:00:00Z"));
    let answers = futures_join(asks).await;
    let (granted, refusals): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((granted.len(), refusals.len()), (1, 19));
    for refusal in refusals {
        refused(refusal, Code::FailedPrecondition, "VISITOR_BUSY");
    }
    // Half an hour later he is still there; after three quarters he is not.
    let last = &all[20].id;
    refused(schedule(&world, last, "wang", "2026-03-10T02:30:00Z").await, Code::FailedPrecondition, "VISITOR_BUSY");
    schedule(&world, last, "wang", "2026-03-10T02:45:00Z").await.unwrap();
    let moved = schedule(&world, last, "wang", "2026-03-10T03:00:00Z").await.unwrap().into_inner().visit.unwrap();
    assert_eq!(moved.reschedule_count, 1);
    world.until_told("VisitRescheduled", 1).await;
    // His day, in order.
    let request = pb::ListVisitsRequest { visitor: "wang".to_owned(), estate_id: world.estate.to_string(), ..Default::default() };
    let day = world.visits().list_visits(world.manager().asks(request)).await.unwrap().into_inner().visits;
    let starts: Vec<_> = day.iter().map(|visit| time(visit.start_time.as_ref())).collect();
    assert_eq!(starts, [at("2026-03-10T02:00:00Z"), at("2026-03-10T03:00:00Z")]);
    // A time that was given back can be taken.
    let granted = granted.into_iter().next().unwrap().unwrap().into_inner().visit.unwrap();
    let cancel = pb::CancelVisitRequest {
        request_id: request_id(),
        visit_id: granted.id.clone(),
        etag: String::new(),
        reason_code: "customer_declined".to_owned(),
    };
    world.visits().cancel_visit(world.manager().asks(cancel)).await.unwrap();
    let other = all[..20].iter().find(|visit| visit.id != granted.id).unwrap();
    schedule(&world, &other.id, "wang", "2026-03-10T02:00:00Z").await.unwrap();
}

/// CA-37, CA-39, CA-40: whoever is left out is in the round with the reason, is visited when the reason is over, and so is whoever moves in
/// meanwhile; each evening the coordinator hears how it goes. C-12: managers' visits to key customers leave nobody out.
#[tokio::test]
async fn a_round_follows_the_facts_until_it_ends() {
    let world = World::new().await;
    let complained = world.households.add(date(2026, 1, 1));
    world.households.set(complained.id, "household.has_major_complaint", Fact::Boolean(true));
    world.households.add(date(2026, 1, 1));
    let round = create(&world, round_of(&world, pb::RoundKind::ThreeMonth, ("2026-03-01", "2026-03-05"))).await;
    assert_eq!((round.visit_counts["open"], round.visit_counts["excluded"]), (1, 1));
    let left_out = visits(&world, &round.id).await.into_iter().find(|visit| visit.state() == pb::VisitState::Excluded).unwrap();
    assert_eq!(left_out.reason_code, "major_complaint");

    world.go_to("2026-03-01T10:00:00Z");
    world.until_told("VisitRoundDigest", 1).await;
    world.households.set(complained.id, "household.has_major_complaint", Fact::Boolean(false));
    let moved_in = world.households.add(date(2026, 1, 1));
    world.tell_changed(complained.id, "household.has_major_complaint").await;
    eventually("three homes", || async {
        let all = visits(&world, &round.id).await;
        (all.len() == 3 && all.iter().all(|visit| visit.state() == pb::VisitState::Open)).then_some(())
    })
    .await;
    assert!(visits(&world, &round.id).await.iter().any(|visit| visit.household_id == moved_in.id.to_string()));

    // After its last day the round is over, what was not made is not made, and the report is owed.
    for day in ["02", "03", "04", "05", "06"] {
        world.go_to(&format!("2026-03-{day}T10:00:00Z"));
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    }
    eventually("the round is over", || async {
        let round = get_round(&world, &round.id).await;
        (round.state() == pb::RoundState::Ended && round.visit_counts.get("cancelled") == Some(&3)).then_some(())
    })
    .await;

    // C-12.
    world.households.set(complained.id, "household.has_major_complaint", Fact::Boolean(true));
    let key = pb::CreateVisitRoundRequest {
        exclusions: Vec::new(),
        ..round_of(&world, pb::RoundKind::KeyCustomer, ("2026-03-10", "2026-03-20"))
    };
    let key = create(&world, key).await;
    assert_eq!(key.due_count, 3, "C-12");
}

/// A household that is left out by the time of the visit is not visited.
#[tokio::test]
async fn exclusions_are_asked_once_more_at_the_door() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 1, 1));
    let round = create(&world, round_of(&world, pb::RoundKind::General, ("2026-03-01", "2026-03-31"))).await;
    train(&world, &round.id, "wang", "steward").await;
    let visit = visits(&world, &round.id).await.remove(0);
    schedule(&world, &visit.id, "wang", "2026-03-10T02:00:00Z").await.unwrap();
    world.households.set(household.id, "household.is_renovating", Fact::Boolean(true));
    let answer = verb!(world, start_visit, StartVisitRequest, visit.id);
    refused(answer, Code::FailedPrecondition, "HOUSEHOLD_EXCLUDED");
}

/// A round needs one source of homes, and days in order.
#[tokio::test]
async fn a_round_that_contradicts_itself_is_refused() {
    let world = World::new().await;
    let reversed = round_of(&world, pb::RoundKind::General, ("2026-03-31", "2026-03-01"));
    refused(world.rounds().create_visit_round(world.manager().asks(reversed)).await, Code::InvalidArgument, "ROUND_INVALID");
    let nobody = pb::CreateVisitRoundRequest { audience: None, ..round_of(&world, pb::RoundKind::General, ("2026-03-01", "2026-03-02")) };
    refused(world.rounds().create_visit_round(world.manager().asks(nobody)).await, Code::InvalidArgument, "ROUND_INVALID");
}

/// CA-54: the contact form is due within five working days. Of a talk on Tuesday 24 February 2026 these are 25, 26 and 27 February, the
/// make-up Saturday 28 February, and Monday 2 March.
#[tokio::test]
async fn a_contact_form_is_due_after_five_working_days_of_the_official_calendar() {
    let world = World::starting("2026-02-24T01:00:00Z", &[BASE, BUTLER]).await;
    world.households.add(date(2025, 1, 1));
    let round = create(&world, round_of(&world, pb::RoundKind::General, ("2026-02-24", "2026-03-31"))).await;
    train(&world, &round.id, "wang", "steward").await;
    let visit = visits(&world, &round.id).await.remove(0);
    let over = make_visit(&world, &visit.id, "wang", "2026-02-24T02:00:00Z", 45).await;
    assert_eq!(time(over.form_due_time.as_ref()), at("2026-03-02T16:00:00Z"), "24:00 of 2 March in Shanghai");
    world.go_to("2026-03-02T15:59:59Z");
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(world.count_facts("VisitFormOverdue").await, 0);
    world.go_to("2026-03-02T16:00:01Z");
    world.until_told("VisitFormOverdue", 1).await;
}

/// CA-31, CA-59: of twenty visits to key customers eighteen are made: 90 %. Whoever is no key customer is not in the round, and half an
/// hour at home is what each of them is owed.
#[tokio::test]
async fn a_round_shows_how_much_of_its_plan_was_made() {
    let world = World::new().await;
    for position in 0..25 {
        let household = world.households.add(date(2025, 1, 1));
        if position < 20 {
            world.households.set(household.id, "tag", Fact::Codes(vec!["key_customer".to_owned()]));
        }
    }
    let audience = pb::Audience { kind: Some(pb::audience::Kind::Predicate(ask::has_any("tag", ["key_customer"]))) };
    let request = pb::CreateVisitRoundRequest {
        audience: Some(audience),
        exclusions: Vec::new(),
        ..round_of(&world, pb::RoundKind::KeyCustomer, ("2026-03-01", "2026-03-31"))
    };
    let round = create(&world, request).await;
    assert_eq!((round.done_count, round.due_count), (0, 20));
    assert_eq!(round.rules.unwrap().min_minutes, 30, "CA-59");
    train(&world, &round.id, "manager", "executives").await;
    let mut start = at("2026-03-02T01:00:00Z");
    for visit in &visits(&world, &round.id).await[..18] {
        make_visit(&world, &visit.id, "manager", &start.to_string(), 35).await;
        start += jiff::SignedDuration::from_mins(45);
    }
    let round = get_round(&world, &round.id).await;
    assert_eq!((round.done_count, round.due_count), (18, 20));
    assert_eq!(round.done_count * 100 / round.due_count, 90);
}
