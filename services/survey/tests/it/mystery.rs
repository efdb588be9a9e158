//! SV-46: mystery visits.

use jiff::SignedDuration;
use steward_proto::plan::v1 as plan;
use steward_proto::survey::v1 as pb;
use tonic::Code;

use crate::words::{Answer, reasons, time, wire};
use crate::world::{World, eventually, refused, request_id};

fn item(code: &str, max_points: u32) -> pb::ChecklistItem {
    pb::ChecklistItem { code: code.to_owned(), text: "门岗应主动问候".to_owned(), max_points }
}

fn plan_of(world: &World) -> pb::PlanMysteryVisitRequest {
    pb::PlanMysteryVisitRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        scenario: "a tenant asks for a parking permit at 20:00".to_owned(),
        visitor_code: "V-7".to_owned(),
        training_ref: "training/2026-06".to_owned(),
        due_time: wire(world.now() + SignedDuration::from_hours(48)),
        checklist: vec![item("greeting", 40), item("answer", 40), item("badge", 20)],
    }
}

async fn planned(world: &World) -> pb::MysteryVisit {
    let answer = world.mystery_visits().plan_mystery_visit(world.operations().asks(plan_of(world))).await.unwrap();
    answer.into_inner().mystery_visit.unwrap()
}

fn score(code: &str, points: u32) -> pb::ItemScore {
    pb::ItemScore { code: code.to_owned(), points, note: "没有问候".to_owned(), evidence_refs: vec!["photo/1".to_owned()] }
}

async fn recorded(world: &World, id: &str, scores: Vec<pb::ItemScore>) -> Answer<pb::RecordMysteryVisitResponse> {
    let record = pb::RecordMysteryVisitRequest {
        request_id: request_id(),
        mystery_visit_id: id.to_owned(),
        etag: String::new(),
        visit_time: wire(world.now()),
        scores,
    };
    Ok(world.mystery_visits().record_mystery_visit(world.operations().asks(record)).await?.into_inner())
}

/// A visit of 68 of 100 points, and the one that looks at it again.
async fn failed(world: &World) -> (pb::MysteryVisit, pb::MysteryVisit) {
    let visit = planned(world).await;
    let scores = vec![score("badge", 20), score("greeting", 20), score("answer", 28)];
    let made = recorded(world, &visit.id, scores).await.unwrap();
    (made.mystery_visit.unwrap(), made.recheck.unwrap())
}

async fn get(world: &World, id: &str) -> Answer<pb::MysteryVisit> {
    let get = pb::GetMysteryVisitRequest { mystery_visit_id: id.to_owned() };
    Ok(world.mystery_visits().get_mystery_visit(world.manager().asks(get)).await?.into_inner().mystery_visit.unwrap())
}

async fn to_be_made(world: &World) -> Vec<pb::MysteryVisit> {
    let list = pb::ListPlannedMysteryVisitsRequest { estate_id: world.estate.to_string(), ..Default::default() };
    let answer = world.mystery_visits().list_planned_mystery_visits(world.operations().asks(list)).await.unwrap();
    answer.into_inner().mystery_visits
}

fn appeal(id: &str) -> pb::AppealMysteryVisitRequest {
    let reason = "当班人员正在处理突发事件".to_owned();
    pb::AppealMysteryVisitRequest { request_id: request_id(), mystery_visit_id: id.to_owned(), etag: String::new(), reason }
}

fn decision(id: &str, is_upheld: bool, corrections: Vec<pb::ItemScore>) -> pb::DecideMysteryAppealRequest {
    pb::DecideMysteryAppealRequest {
        request_id: request_id(),
        mystery_visit_id: id.to_owned(),
        etag: String::new(),
        is_upheld,
        reason: "录像已核实".to_owned(),
        corrections,
    }
}

/// SV-46: below 70 a second visit is planned, due fifteen days later.
#[tokio::test]
async fn a_visit_below_the_threshold_gets_a_second_one() {
    let world = World::of(0).await;
    let (visit, second) = failed(&world).await;
    assert_eq!((visit.state(), visit.points, visit.max_points, visit.score.as_str()), (pb::MysteryVisitState::Scored, 68, 100, "68.0"));
    assert!(!visit.has_passed);
    // In the order of the checklist, whatever the order of the card.
    assert_eq!(visit.scores.iter().map(|score| score.code.as_str()).collect::<Vec<_>>(), ["greeting", "answer", "badge"]);
    assert_eq!((second.recheck_of_id.as_str(), visit.recheck_id.as_str()), (visit.id.as_str(), second.id.as_str()));
    // 15 days: to 24:00 of 16 July.
    assert_eq!(time(second.due_time.as_ref()).to_string(), "2026-07-16T16:00:00Z");
    // 5 working days: Thursday to Wednesday.
    assert_eq!(time(visit.appeal_due_time.as_ref()).to_string(), "2026-07-08T16:00:00Z");
    let told: Vec<pb::MysteryRecheckDue> = world.told("MysteryRecheckDue").await;
    assert_eq!((told.len(), told[0].recheck_of_id.as_str()), (1, visit.id.as_str()));
    assert_eq!(to_be_made(&world).await.iter().map(|visit| visit.id.as_str()).collect::<Vec<_>>(), [second.id.as_str()]);
    // It is made in its turn, and when it passes there is no third one.
    let made = recorded(&world, &second.id, vec![score("greeting", 40), score("answer", 30), score("badge", 0)]).await.unwrap();
    assert!(made.mystery_visit.unwrap().has_passed && made.recheck.is_none());
}

/// SV-46: the numbers are the policy's; exactly the threshold passes.
#[tokio::test]
async fn the_threshold_is_the_policys() {
    let world = World::of(0).await;
    let terms = plan::MysteryVisitTerms { pass_points: 68, ..Default::default() };
    world.estate_policy(plan::SurveyPolicy { mystery_visits: Some(terms), ..Default::default() }).await;
    let visit = planned(&world).await;
    let made = recorded(&world, &visit.id, vec![score("greeting", 20), score("answer", 28), score("badge", 20)]).await.unwrap();
    assert!(made.mystery_visit.unwrap().has_passed && made.recheck.is_none());
}

/// SV-46: the estate sees nothing of a visit before it is made.
#[tokio::test]
async fn a_visit_is_seen_when_it_was_made() {
    let world = World::of(0).await;
    let visit = planned(&world).await;
    refused(get(&world, &visit.id).await, Code::NotFound, "MYSTERY_VISIT_NOT_FOUND");
    let list = || pb::ListMysteryVisitsRequest { estate_id: world.estate.to_string(), ..Default::default() };
    let listed = async || world.mystery_visits().list_mystery_visits(world.manager().asks(list())).await.unwrap().into_inner();
    assert!(listed().await.mystery_visits.is_empty());
    let planned = pb::ListPlannedMysteryVisitsRequest { estate_id: world.estate.to_string(), ..Default::default() };
    let refusal = world.mystery_visits().list_planned_mystery_visits(world.manager().asks(planned)).await;
    refused(refusal, Code::PermissionDenied, "PERMISSION_DENIED");
    let unknown = world.mystery_visits().appeal_mystery_visit(world.manager().asks(appeal(&visit.id))).await;
    refused(unknown, Code::NotFound, "MYSTERY_VISIT_NOT_FOUND");
    recorded(&world, &visit.id, vec![score("greeting", 40), score("answer", 40), score("badge", 20)]).await.unwrap();
    assert_eq!(listed().await.mystery_visits[0].id, visit.id);
    assert_eq!(get(&world, &visit.id).await.unwrap().score, "100.0");
}

/// SV-46: an appeal within five working days, decided by somebody else; one that is right corrects the score, and the second visit
/// is not needed any more.
#[tokio::test]
async fn an_appeal_that_is_right_corrects_the_score() {
    let world = World::of(0).await;
    let (visit, second) = failed(&world).await;
    world.advance(24 * 6);
    let appealed = world.mystery_visits().appeal_mystery_visit(world.manager().asks(appeal(&visit.id))).await.unwrap().into_inner();
    let appealed = appealed.mystery_visit.unwrap();
    assert_eq!((appealed.state(), appealed.appeal.unwrap().appellant.as_str()), (pb::MysteryVisitState::Appealed, "manager-1"));
    let own = decision(&visit.id, true, vec![score("greeting", 40)]);
    let own = world.mystery_visits().decide_mystery_appeal(world.manager().asks(own)).await;
    refused(own, Code::PermissionDenied, "PERMISSION_DENIED");
    let wrong = decision(&visit.id, true, Vec::new());
    let wrong = world.mystery_visits().decide_mystery_appeal(world.operations().asks(wrong)).await;
    refused(wrong, Code::InvalidArgument, "SCORECARD_INVALID");
    // While it is open the score does not become final by itself.
    world.advance(24 * 3);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(get(&world, &visit.id).await.unwrap().state(), pb::MysteryVisitState::Appealed);
    let right = decision(&visit.id, true, vec![score("greeting", 40)]);
    let decided = world.mystery_visits().decide_mystery_appeal(world.operations().asks(right.clone())).await.unwrap().into_inner();
    let decided = decided.mystery_visit.unwrap();
    assert_eq!((decided.state(), decided.score.as_str(), decided.has_passed), (pb::MysteryVisitState::Final, "88.0", true));
    let told: Vec<pb::MysteryVisitFinal> = world.told("MysteryVisitFinal").await;
    assert!(told.len() == 1 && told[0].is_corrected);
    assert!(to_be_made(&world).await.is_empty(), "the second visit {} is given up", second.id);
    let again = world.mystery_visits().decide_mystery_appeal(world.operations().asks(right)).await.unwrap().into_inner();
    assert_eq!(again.mystery_visit.unwrap(), decided, "the same request again");
}

/// SV-46: after five working days the score stands.
#[tokio::test]
async fn after_its_time_a_score_stands_and_an_appeal_comes_too_late() {
    let world = World::of(0).await;
    let (visit, second) = failed(&world).await;
    world.advance(24 * 8);
    eventually("the score to stand", || async {
        (get(&world, &visit.id).await.unwrap().state() == pb::MysteryVisitState::Final).then_some(())
    })
    .await;
    let late = world.mystery_visits().appeal_mystery_visit(world.manager().asks(appeal(&visit.id))).await;
    refused(late, Code::FailedPrecondition, "STATE_FORBIDS");
    // Where the policy grants no appeal the score stands at once; where it is rejected it stands as it was.
    assert_eq!(to_be_made(&world).await[0].id, second.id);
    // The second visit is not made in time: whoever sends visitors is told.
    world.advance(24 * 10);
    eventually("the visit to be overdue", || async { (world.facts("MysteryVisitOverdue").await == 1).then_some(()) }).await;
    let cancel = pb::CancelMysteryVisitRequest { request_id: request_id(), mystery_visit_id: second.id.clone(), etag: String::new() };
    world.mystery_visits().cancel_mystery_visit(world.operations().asks(cancel)).await.unwrap();
    assert!(to_be_made(&world).await.is_empty());
}

/// SV-46: every item once, within its points, with evidence where points were lost; each fault at its place.
#[tokio::test]
async fn a_scorecard_is_refused_with_each_place() {
    let world = World::of(0).await;
    let visit = planned(&world).await;
    let bare = pb::ItemScore { evidence_refs: Vec::new(), ..score("answer", 10) };
    let card = vec![score("greeting", 41), bare, score("greeting", 1), score("lobby", 1)];
    let status = refused(recorded(&world, &visit.id, card).await, Code::InvalidArgument, "SCORECARD_INVALID");
    let places: Vec<String> = reasons(&status).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["scores[0].points", "scores[1].evidence_refs", "scores[2].code", "scores[3].code", "scores"]);
    let twice = pb::PlanMysteryVisitRequest { checklist: vec![item("a", 1), item("a", 1)], ..plan_of(&world) };
    let status = refused(
        world.mystery_visits().plan_mystery_visit(world.operations().asks(twice)).await,
        Code::InvalidArgument,
        "CHECKLIST_INVALID",
    );
    assert_eq!(reasons(&status)[0].0, "checklist[1].code");
    let past = pb::PlanMysteryVisitRequest { due_time: wire(world.now()), ..plan_of(&world) };
    let past = world.mystery_visits().plan_mystery_visit(world.operations().asks(past)).await;
    refused(past, Code::InvalidArgument, "TIME_NOT_PLAUSIBLE");
}

/// What visitors and estates write is sealed.
#[tokio::test]
async fn what_was_seen_stands_nowhere_in_clear() {
    let world = World::of(0).await;
    let (visit, _) = failed(&world).await;
    world.mystery_visits().appeal_mystery_visit(world.manager().asks(appeal(&visit.id))).await.unwrap();
    let read = get(&world, &visit.id).await.unwrap();
    assert_eq!((read.scores[0].note.as_str(), read.appeal.unwrap().reason.as_str()), ("没有问候", "当班人员正在处理突发事件"));
    let clear: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM survey.mystery_visits v WHERE v::text LIKE '%问候%' AND v::text NOT LIKE '%应主动问候%'
             OR v::text LIKE '%突发%' OR encode(v.texts, 'escape') LIKE '%问候%'",
    )
    .fetch_one(&world.db)
    .await
    .unwrap();
    assert_eq!(clear, 0);
}
