//! Answers of identified waves: validity, amendments, low scores, replays.

use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::answer::Value;
use tonic::Code;

use crate::content::{answer, answers, content, only, short};
use crate::words::{reasons, wire};
use crate::world::{World, census, refused, request_id};

fn rules(response: &pb::Response) -> Vec<&str> {
    response.findings.iter().map(|finding| finding.rule_code.as_str()).collect()
}

/// SV-52
#[tokio::test]
async fn an_answer_is_taken_in_and_told_of() {
    let world = World::of(3).await;
    let wave = world.census().await;
    let invitation = world.invitation(&wave, 0).await;
    let open = pb::OpenInvitationRequest { request_id: request_id(), invitation_id: invitation.id.clone() };
    world.responses().open_invitation(world.resident(0).asks(open)).await.unwrap();
    let start = pb::StartResponseRequest { request_id: request_id(), invitation_id: invitation.id.clone() };
    world.responses().start_response(world.resident(0).asks(start)).await.unwrap();
    let response = world.submit(&wave, 0, answers(5)).await;
    assert_eq!((response.verdict(), response.revision, response.mode()), (pb::ResponseVerdict::Valid, 1, pb::SurveyMode::Online));
    assert_eq!(response.household_id, world.household(0).id.to_string());
    let numbers = world.wave(&wave.id).await.numbers.unwrap();
    assert_eq!((numbers.invited_count, numbers.opened_count, numbers.started_count, numbers.valid_count), (3, 1, 1, 1));
    assert_eq!(world.invitation(&wave, 0).await.state(), pb::InvitationState::Responded);
    let told: Vec<pb::ResponseAccepted> = world.told("ResponseAccepted").await;
    assert_eq!((told[0].response_id.as_str(), told[0].overall_score), (response.id.as_str(), 5));
}

#[tokio::test]
async fn an_answer_off_its_path_is_refused_and_its_question_named() {
    let world = World::of(1).await;
    let wave = world.census().await;
    let mut given = answers(4);
    // Nobody complained, so nobody is asked whether it was handled in time.
    given.push(answer("timely", Value::Yes(true)));
    given[0] = answer("q_service_quality", Value::Scale(6));
    let request = world.submission(&wave, 0, given.clone()).await;
    let status = refused(world.send(0, request).await, Code::InvalidArgument, "ANSWERS_INVALID");
    let fields: Vec<String> = reasons(&status).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["answers[0]", "answers[14]"]);
    let details = tonic_types::StatusExt::get_error_details(&status);
    let words: Vec<String> = details.bad_request().unwrap().field_violations.iter().map(|bad| bad.description.clone()).collect();
    assert!(words[0].contains("q_service_quality") && words[1].contains("timely"), "{words:?}");
    assert!(!format!("{:?}", given[11]).contains("9"), "and no answer prints");
}

/// SV-35
#[tokio::test]
async fn an_invalid_response_is_kept_with_its_reasons_and_not_counted() {
    let world = World::of(3).await;
    let wave = world.census().await;
    // Half of it is missing.
    let short: Vec<pb::Answer> = answers(5).into_iter().filter(|answer| answer.question_code.starts_with("q_")).collect();
    let incomplete = world.submit(&wave, 0, short).await;
    assert_eq!((incomplete.verdict(), rules(&incomplete)), (pb::ResponseVerdict::Invalid, vec!["incomplete"]));
    // Fourteen answers in five seconds were not read.
    let mut request = world.submission(&wave, 1, answers(5)).await;
    request.start_time = wire(world.now() - jiff::SignedDuration::from_secs(5));
    assert_eq!(rules(&world.send(1, request).await.unwrap()), ["too_fast"]);
    // The same answer to everything.
    let straight = answers(3).into_iter().map(|answer| match answer.value {
        Some(Value::Scale(_)) if answer.question_code != "recommend" => pb::Answer { value: Some(Value::Scale(3)), ..answer },
        _ => answer,
    });
    let straight = world.submit(&wave, 2, straight.collect()).await;
    assert_eq!(rules(&straight), ["straight_line"]);
    let numbers = world.wave(&wave.id).await.numbers.unwrap();
    assert_eq!((numbers.responded_count, numbers.valid_count, numbers.invalid_count), (3, 0, 3));
}

/// SV-35, SV-39
#[tokio::test]
async fn of_two_members_of_a_household_the_first_counts() {
    let world = World::of(1).await;
    let wave = world.census().await;
    let first = world.submit(&wave, 0, answers(5)).await;
    let second = world.submit(&wave, 0, answers(1)).await;
    assert_eq!((first.verdict(), second.verdict()), (pb::ResponseVerdict::Valid, pb::ResponseVerdict::Invalid));
    assert_eq!(rules(&second), ["duplicate_household"]);
    assert_eq!(world.wave(&wave.id).await.numbers.unwrap().valid_count, 1);
}

/// SV-39: at the same instant, too.
#[tokio::test]
async fn of_members_that_race_exactly_one_counts() {
    let world = World::of(1).await;
    let wave = world.census().await;
    let mut requests = Vec::new();
    for _ in 0..8 {
        requests.push(world.submission(&wave, 0, answers(5)).await);
    }
    let sent = futures::future::join_all(requests.into_iter().map(|request| world.send(0, request))).await;
    let valid = sent.iter().flatten().filter(|response| response.verdict() == pb::ResponseVerdict::Valid).count();
    assert_eq!(valid, 1, "{sent:?}");
    assert_eq!(world.wave(&wave.id).await.numbers.unwrap().valid_count, 1);
}

#[tokio::test]
async fn an_amendment_is_kept_beside_what_was_said_before() {
    let world = World::of(1).await;
    let wave = world.census().await;
    let request = world.submission(&wave, 0, answers(2)).await;
    world.send(0, request.clone()).await.unwrap();
    world.advance(1);
    let amended = pb::SubmitResponseRequest { request_id: request_id(), answers: answers(5), ..request.clone() };
    let amended = world.send(0, amended).await.unwrap();
    assert_eq!((amended.id.as_str(), amended.revision, amended.verdict()), (request.response_id.as_str(), 2, pb::ResponseVerdict::Valid));
    let list = pb::ListResponseRevisionsRequest { response_id: amended.id.clone(), ..Default::default() };
    let revisions = world.responses().list_response_revisions(world.manager().asks(list)).await.unwrap().into_inner().revisions;
    let overall = |revision: &pb::ResponseRevision| {
        revision.answers.iter().find(|answer| answer.question_code == "overall").and_then(|answer| answer.value.clone())
    };
    assert!(revisions.iter().map(overall).collect::<Vec<_>>() == [Some(Value::Scale(2)), Some(Value::Scale(5))]);
    assert_eq!(world.wave(&wave.id).await.numbers.unwrap().responded_count, 1);
}

/// SV-45
#[tokio::test]
async fn a_low_score_asks_for_an_order_and_a_high_one_does_not() {
    let world = World::of(3).await;
    let wave = world.running("callback", short(), census()).await;
    world.submit(&wave, 0, only(1)).await;
    world.submit(&wave, 1, only(5)).await;
    let told: Vec<pb::LowScoreReceived> = world.told("LowScoreReceived").await;
    assert_eq!(told.len(), 1);
    let (fact, household) = (&told[0], world.household(0));
    assert_eq!((fact.score, fact.scale_max, fact.question_code.as_str()), (1, 5, "overall"));
    assert_eq!((fact.household_id.clone(), fact.unit_id.clone()), (household.id.to_string(), household.unit.to_string()));
}

/// SV-49
#[tokio::test]
async fn of_twenty_answers_from_one_device_nineteen_are_held() {
    let world = World::of(20).await;
    let wave = world.census().await;
    for at in 0..20 {
        let mut request = world.submission(&wave, at, answers(5)).await;
        request.device_fingerprint = "device-7".to_owned();
        world.send(at, request).await.unwrap();
    }
    let numbers = world.wave(&wave.id).await.numbers.unwrap();
    assert_eq!((numbers.held_count, numbers.valid_count), (19, 1));
    // Somebody looks, and lets one count.
    let list = pb::ListResponsesRequest { wave_id: wave.id.clone(), verdict: pb::ResponseVerdict::Held.into(), ..Default::default() };
    let held = world.responses().list_responses(world.manager().asks(list)).await.unwrap().into_inner().responses;
    assert_eq!((held.len(), rules(&held[0])), (19, vec!["device_burst"]));
    let review = pb::ReviewResponseRequest {
        request_id: request_id(),
        response_id: held[0].id.clone(),
        etag: held[0].etag.clone(),
        accept: true,
        reason: "a tablet at the front desk".to_owned(),
    };
    let reviewed = world.responses().review_response(world.manager().asks(review)).await.unwrap().into_inner().response.unwrap();
    assert_eq!(reviewed.verdict(), pb::ResponseVerdict::Valid);
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM survey.responses WHERE device_mark = convert_to('device-7', 'UTF8')")
        .fetch_one(&world.db)
        .await
        .unwrap();
    assert_eq!(stored, 0, "the device is kept as a keyed hash");
}

/// SV-49
#[tokio::test]
async fn an_answer_that_staff_give_in_an_owners_place_is_held() {
    let world = World::of(1).await;
    let wave = world.census().await;
    let request = world.submission(&wave, 0, answers(5)).await;
    let answered = world.responses().submit_response(world.manager().asks(request)).await.unwrap().into_inner().response.unwrap();
    assert_eq!((answered.verdict(), rules(&answered)), (pb::ResponseVerdict::Held, vec!["staff_network"]));
}

#[tokio::test]
async fn a_resident_answers_for_nobody_else() {
    let world = World::of(2).await;
    let wave = world.census().await;
    let request = world.submission(&wave, 0, answers(5)).await;
    refused(world.send(1, request).await, Code::NotFound, "INVITATION_NOT_FOUND");
}

/// What people write is sealed.
#[tokio::test]
async fn free_text_stands_nowhere_in_clear() {
    let world = World::of(1).await;
    let wave = world.census().await;
    let mut given = answers(5);
    given.push(answer("suggestion", Value::Text("电梯太慢了".to_owned())));
    let response = world.submit(&wave, 0, given).await;
    let get = pb::GetResponseRequest { response_id: response.id };
    let read = world.responses().get_response(world.manager().asks(get)).await.unwrap().into_inner().response.unwrap();
    assert!(read.answers.iter().any(|answer| answer.value == Some(Value::Text("电梯太慢了".to_owned()))));
    let clear: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM survey.responses r WHERE r::text LIKE '%电梯%' OR encode(r.texts, 'escape') LIKE '%电梯%'",
    )
    .fetch_one(&world.db)
    .await
    .unwrap();
    assert_eq!(clear, 0);
}

/// SV-45: never of an anonymous wave; see `anonymous`.
#[tokio::test]
async fn an_anonymous_wave_takes_no_identified_answer() {
    let world = World::of(1).await;
    let wave = world.running("anonymous", content(), pb::WaveDesign { is_anonymous: true, ..census() }).await;
    let request = world.submission(&wave, 0, answers(1)).await;
    refused(world.send(0, request).await, Code::FailedPrecondition, "WAVE_IS_ANONYMOUS");
}
