//! What staff enter: paper, interviews, the door; second entries.

use steward_proto::plan::v1 as plan;
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::answer::Value;
use tonic::Code;

use crate::content::{answer, answers, content, short};
use crate::words::wire;
use crate::world::{World, census, refused, request_id};

fn entry(world: &World, wave: &pb::Wave, at: usize, paper: &str) -> pb::EnterResponseRequest {
    pb::EnterResponseRequest {
        request_id: request_id(),
        wave_id: wave.id.clone(),
        response_id: request_id(),
        mode: pb::SurveyMode::Paper.into(),
        invitation_id: String::new(),
        household_id: world.household(at).id.to_string(),
        source_ref: paper.to_owned(),
        answers: answers(4),
        occur_time: wire(world.now()),
    }
}

async fn entered(world: &World, request: pb::EnterResponseRequest) -> Result<pb::Response, tonic::Status> {
    let steward = world.staff("steward-1", "steward");
    Ok(world.responses().enter_response(steward.asks(request)).await?.into_inner().response.unwrap())
}

/// A policy by which every paper, or none, is entered twice.
async fn second_entry(world: &World, numerator: u32) {
    let share = plan::Share { numerator, denominator: 1 };
    world.estate_policy(plan::SurveyPolicy { second_entry: Some(share), ..Default::default() }).await;
}

/// SV-06
#[tokio::test]
async fn paper_and_interviews_are_entered_with_who_entered_them() {
    let world = World::of(4).await;
    second_entry(&world, 0).await;
    let wave = world.census().await;
    let response = entered(&world, entry(&world, &wave, 0, "P-001")).await.unwrap();
    assert_eq!((response.mode(), response.enterer.as_str(), response.source_ref.as_str()), (pb::SurveyMode::Paper, "steward-1", "P-001"));
    assert_eq!(response.verdict(), pb::ResponseVerdict::Valid);
    let interview = pb::EnterResponseRequest { mode: pb::SurveyMode::Interview.into(), ..entry(&world, &wave, 1, "I-001") };
    entered(&world, interview).await.unwrap();
    world.submit(&wave, 2, answers(5)).await;
    // Together and by mode.
    let numbers = world.wave(&wave.id).await.numbers.unwrap();
    let modes: Vec<(pb::SurveyMode, i64)> = numbers.modes.iter().map(|mode| (mode.mode(), mode.valid_count)).collect();
    assert_eq!(modes, [(pb::SurveyMode::Interview, 1), (pb::SurveyMode::Online, 1), (pb::SurveyMode::Paper, 1)]);
    let overall = world.figures(&wave).await.questions.into_iter().find(|question| question.question_code == "overall").unwrap();
    assert_eq!((overall.answered_count, overall.modes.len()), (3, 3));
}

#[tokio::test]
async fn a_paper_is_entered_once_in_a_mode_and_at_a_time_that_can_be() {
    let world = World::of(3).await;
    let wave = world.census().await;
    entered(&world, entry(&world, &wave, 0, "P-001")).await.unwrap();
    refused(entered(&world, entry(&world, &wave, 1, "P-001")).await, Code::AlreadyExists, "SOURCE_REF_TAKEN");
    let online = pb::EnterResponseRequest { mode: pb::SurveyMode::Online.into(), ..entry(&world, &wave, 1, "P-002") };
    refused(entered(&world, online).await, Code::InvalidArgument, "MODE_NOT_ALLOWED");
    let phone = pb::EnterResponseRequest { mode: pb::SurveyMode::Phone.into(), ..entry(&world, &wave, 1, "P-002") };
    refused(entered(&world, phone).await, Code::InvalidArgument, "MODE_NOT_ALLOWED");
    let tomorrow = pb::EnterResponseRequest {
        occur_time: wire(world.now() + jiff::SignedDuration::from_hours(24)),
        ..entry(&world, &wave, 1, "P-002")
    };
    refused(entered(&world, tomorrow).await, Code::InvalidArgument, "TIME_NOT_PLAUSIBLE");
}

/// SV-39
#[tokio::test]
async fn a_household_that_was_not_drawn_does_not_count() {
    let world = World::of(1).await;
    let wave = world.census().await;
    let stranger = pb::EnterResponseRequest { household_id: request_id(), ..entry(&world, &wave, 0, "P-009") };
    let response = entered(&world, stranger).await.unwrap();
    assert_eq!((response.verdict(), response.findings[0].rule_code.as_str()), (pb::ResponseVerdict::Invalid, "not_in_frame"));
}

/// SV-48
#[tokio::test]
async fn entries_that_differ_are_listed_and_held() {
    let world = World::of(2).await;
    second_entry(&world, 1).await;
    let wave = world.census().await;
    let steward = world.staff("steward-1", "steward");
    let second = world.staff("steward-2", "steward");
    let paper = entered(&world, entry(&world, &wave, 0, "P-001")).await.unwrap();
    assert_eq!(paper.verdict(), pb::ResponseVerdict::PendingEntry);
    let again = |answers| pb::EnterSecondCopyRequest { request_id: request_id(), response_id: paper.id.clone(), answers };
    let same = world.responses().enter_second_copy(steward.asks(again(answers(4)))).await;
    refused(same, Code::FailedPrecondition, "SAME_ENTERER");
    let checked = world.responses().enter_second_copy(second.asks(again(answers(2)))).await.unwrap().into_inner().response.unwrap();
    let check = checked.entry_check.unwrap();
    assert_eq!((check.agrees, check.question_codes.as_slice()), (false, ["overall".to_owned()].as_slice()));
    let list = pb::ListResponsesRequest { wave_id: wave.id.clone(), mismatched_entries_only: true, ..Default::default() };
    let flagged = world.responses().list_responses(world.manager().asks(list)).await.unwrap().into_inner().responses;
    assert_eq!(flagged.iter().map(|response| response.verdict()).collect::<Vec<_>>(), [pb::ResponseVerdict::Held]);

    let other = entered(&world, entry(&world, &wave, 1, "P-002")).await.unwrap();
    let agree = pb::EnterSecondCopyRequest { request_id: request_id(), response_id: other.id, answers: answers(4) };
    let agreed = world.responses().enter_second_copy(second.asks(agree)).await.unwrap().into_inner().response.unwrap();
    assert_eq!(agreed.verdict(), pb::ResponseVerdict::Valid);
}

/// SV-40: paper of an anonymous wave names nobody.
#[tokio::test]
async fn an_anonymous_paper_is_kept_without_its_household() {
    let world = World::of(1).await;
    second_entry(&world, 0).await;
    let wave = world.running("anonymous", content(), pb::WaveDesign { is_anonymous: true, ..census() }).await;
    let response = entered(&world, entry(&world, &wave, 0, "A-1")).await.unwrap();
    assert_eq!((response.household_id.as_str(), response.customer_id.as_str(), response.invitation_id.as_str()), ("", "", ""));
    assert_eq!(response.verdict(), pb::ResponseVerdict::Valid);
}

/// SV-10
#[tokio::test]
async fn answers_at_the_door_and_their_needs_are_ranked() {
    let world = World::of(6).await;
    let mut asked = short();
    let option = |code: &str| pb::QuestionOption { code: code.to_owned(), text_zh: code.to_owned(), ..Default::default() };
    asked.questions.push(pb::Question {
        code: "needs".to_owned(),
        kind: pb::QuestionKind::MultipleChoice.into(),
        text_zh: "最需要什么？".to_owned(),
        options: ["meals", "doctor", "repairs", "company"].map(option).to_vec(),
        max_choices: 3,
        ..Default::default()
    });
    let subject = pb::WaveSubject { kind: "stage".to_owned(), code: "three_months".to_owned() };
    let wave = world.running("elderly", asked, pb::WaveDesign { subject: Some(subject), ..census() }).await;
    let chosen: [&[&str]; 6] = [&["doctor", "meals"], &["doctor"], &["doctor", "company"], &["meals"], &["meals"], &["repairs", "doctor"]];
    for (at, needs) in chosen.iter().enumerate() {
        let needs = Value::Choices(pb::ChoiceList { codes: needs.iter().map(|need| (*need).to_owned()).collect() });
        let visit = pb::EnterResponseRequest {
            mode: pb::SurveyMode::Visit.into(),
            answers: vec![answer("overall", Value::Scale(4)), answer("needs", needs)],
            ..entry(&world, &wave, at, &format!("visit-{at}"))
        };
        assert_eq!(entered(&world, visit).await.unwrap().verdict(), pb::ResponseVerdict::Valid);
    }
    let rank = pb::RankNeedsRequest { wave_id: wave.id.clone(), top: 0 };
    let ranked = world.sessions().rank_needs(world.manager().asks(rank)).await.unwrap().into_inner().needs;
    let ranked: Vec<(&str, i64)> = ranked.iter().map(|need| (need.code.as_str(), need.count)).collect();
    assert_eq!(ranked, [("doctor", 4), ("meals", 3), ("company", 1)]);
}
