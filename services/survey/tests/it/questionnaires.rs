//! Instruments: what refuses them, and that versions never change.

use steward_proto::plan::v1 as plan;
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::answer_test::Test;
use tonic::Code;

use crate::content::{DIMENSIONS, content, scale};
use crate::words::reasons;
use crate::world::{World, refused, request_id};

async fn faults(world: &World, draft: pb::QuestionnaireContent) -> Vec<(String, String)> {
    let check = pb::CheckQuestionnaireRequest { content: Some(draft), min_dimensions: 0 };
    let answer = world.questionnaires().check_questionnaire(world.operations().asks(check)).await.unwrap().into_inner();
    answer.faults.into_iter().map(|fault| (fault.place, fault.code)).collect()
}

/// SV-04, SV-05
#[tokio::test]
async fn nine_dimensions_are_refused_where_the_policy_demands_ten() {
    let world = World::of(0).await;
    let annual = plan::SurveyProgramme { code: "annual".to_owned(), min_dimensions: 10, ..Default::default() };
    world.estate_policy(plan::SurveyPolicy { programmes: vec![annual], ..Default::default() }).await;
    let mut draft = content();
    draft.dimensions.pop();
    draft.questions.retain(|question| question.dimension_code != DIMENSIONS[9]);
    for dimension in &mut draft.dimensions {
        dimension.weight_millionths = 0;
    }
    let create = pb::CreateQuestionnaireRequest { request_id: request_id(), code: "annual".to_owned(), draft: Some(draft) };
    let ops = world.operations();
    let made = world.questionnaires().create_questionnaire(ops.asks(create)).await.unwrap().into_inner().questionnaire.unwrap();
    world.programme("annual", &made.id).await;
    let publish =
        pb::PublishQuestionnaireVersionRequest { request_id: request_id(), questionnaire_id: made.id.clone(), ..Default::default() };
    let refusal = world.questionnaires().publish_questionnaire_version(ops.asks(publish.clone())).await;
    let status = refused(refusal, Code::InvalidArgument, "QUESTIONNAIRE_INVALID");
    assert_eq!(reasons(&status)[0].0, "draft.dimensions");
    // The default template has both topics of the year, and is published.
    let update = pb::UpdateQuestionnaireRequest {
        request_id: request_id(),
        questionnaire_id: made.id,
        draft: Some(content()),
        ..Default::default()
    };
    world.questionnaires().update_questionnaire(ops.asks(update)).await.unwrap();
    let publish = pb::PublishQuestionnaireVersionRequest { request_id: request_id(), ..publish };
    let version = world.questionnaires().publish_questionnaire_version(ops.asks(publish)).await.unwrap().into_inner();
    let dimensions = version.questionnaire_version.unwrap().content.unwrap().dimensions;
    for topic in ["communication_efficiency", "community_atmosphere"] {
        assert!(dimensions.iter().any(|dimension| dimension.code == topic), "{topic}");
    }
}

/// SV-43
#[tokio::test]
async fn weights_that_do_not_sum_to_one_are_refused_with_their_place() {
    let world = World::of(0).await;
    let mut draft = content();
    draft.dimensions[0].weight_millionths = 200_000;
    assert_eq!(faults(&world, draft).await, [("dimensions[0].weight_millionths".to_owned(), "weights_not_one".to_owned())]);
}

#[tokio::test]
async fn a_questionnaire_that_cannot_be_finished_is_refused_with_its_place() {
    let world = World::of(0).await;
    let mut draft = content();
    let back = pb::Branch { when: Some(pb::AnswerTest { test: Some(Test::Unanswered(true)) }), go_to: "q_environment".to_owned() };
    draft.questions[5].branches.push(back);
    assert_eq!(faults(&world, draft).await, [("questions[5].branches[0].go_to".to_owned(), "path_without_end".to_owned())]);

    // A question that every answer jumps over is reached by nobody.
    let mut draft = content();
    let to_end = |yes: bool| pb::Branch { when: Some(pb::AnswerTest { test: Some(Test::Yes(yes)) }), go_to: "end".to_owned() };
    draft.questions[12].branches = vec![to_end(true), to_end(false)];
    let places: Vec<String> = faults(&world, draft).await.into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["questions[13]", "questions[14]", "questions[15]"]);
}

#[tokio::test]
async fn every_kind_of_fault_is_named_at_its_place() {
    let world = World::of(0).await;
    let mut draft = content();
    draft.questions.push(scale("overall", "nowhere"));
    draft.questions.push(pb::Question { scale_max: 1, ..scale("tiny", "") });
    draft.score_map = vec![20, 40];
    let mut codes: Vec<String> = faults(&world, draft).await.into_iter().map(|(_, code)| code).collect();
    codes.sort();
    assert_eq!(codes, ["code_taken", "dimension_unknown", "scale_invalid", "score_map_invalid"]);
}

/// SV-43: what contradicts itself is refused at publish, with each place; issue 3's refusals are these.
#[tokio::test]
async fn a_draft_with_faults_is_refused_at_publish_with_each_place() {
    let world = World::of(0).await;
    let ops = world.operations();
    let mut unfinishable = content();
    let back = pb::Branch { when: Some(pb::AnswerTest { test: Some(Test::Unanswered(true)) }), go_to: "q_environment".to_owned() };
    unfinishable.questions[5].branches.push(back);
    let mut unequal = content();
    unequal.dimensions[0].weight_millionths = 200_000;
    for (code, draft, place) in [
        ("unfinishable", unfinishable, "draft.questions[5].branches[0].go_to"),
        ("unequal", unequal, "draft.dimensions[0].weight_millionths"),
    ] {
        let create = pb::CreateQuestionnaireRequest { request_id: request_id(), code: code.to_owned(), draft: Some(draft) };
        let made = world.questionnaires().create_questionnaire(ops.asks(create)).await.unwrap().into_inner().questionnaire.unwrap();
        let publish = pb::PublishQuestionnaireVersionRequest { request_id: request_id(), questionnaire_id: made.id, ..Default::default() };
        let refusal = world.questionnaires().publish_questionnaire_version(ops.asks(publish)).await;
        let status = refused(refusal, Code::InvalidArgument, "QUESTIONNAIRE_INVALID");
        assert_eq!(reasons(&status).into_iter().map(|(place, _)| place).collect::<Vec<_>>(), [place]);
    }
}

/// SV-47
#[tokio::test]
async fn a_version_is_found_by_its_content_and_never_changes() {
    let world = World::of(1).await;
    let (id, first) = world.published("frozen", content()).await;
    let ops = world.operations();
    // The same draft again is the same version.
    let publish =
        || pb::PublishQuestionnaireVersionRequest { request_id: request_id(), questionnaire_id: id.clone(), ..Default::default() };
    let again = world.questionnaires().publish_questionnaire_version(ops.asks(publish())).await.unwrap().into_inner();
    assert_eq!(again.questionnaire_version.unwrap().id, first.id);
    assert_eq!(first.content_sha256.len(), 64);

    // Another draft is another version; the first stays as it was.
    let mut changed = content();
    changed.title_en = "Annual satisfaction".to_owned();
    let update = pb::UpdateQuestionnaireRequest {
        request_id: request_id(),
        questionnaire_id: id.clone(),
        draft: Some(changed),
        ..Default::default()
    };
    world.questionnaires().update_questionnaire(ops.asks(update)).await.unwrap();
    let comparison = pb::QuestionComparison {
        question_code: "overall".to_owned(),
        earlier_version_id: first.id.clone(),
        earlier_question_code: "overall".to_owned(),
    };
    let second = pb::PublishQuestionnaireVersionRequest { comparisons: vec![comparison.clone()], ..publish() };
    let second = world.questionnaires().publish_questionnaire_version(ops.asks(second)).await.unwrap().into_inner();
    let second = second.questionnaire_version.unwrap();
    assert_eq!((second.version, second.comparisons.as_slice()), (2, [comparison].as_slice()));
    let get = pb::GetQuestionnaireVersionRequest { questionnaire_version_id: first.id.clone() };
    let kept = world.questionnaires().get_questionnaire_version(ops.asks(get)).await.unwrap().into_inner();
    assert_eq!(kept.questionnaire_version.unwrap(), first);
    // The app's role cannot change it even by hand.
    let denied: bool = sqlx::query_scalar("SELECT has_table_privilege('survey_app', 'survey.questionnaire_versions', 'UPDATE')")
        .fetch_one(&world.db)
        .await
        .unwrap();
    assert!(!denied);
}

/// SV-47
#[tokio::test]
async fn a_live_wave_keeps_its_instrument() {
    let world = World::of(1).await;
    let wave = world.census().await;
    let (_, other) = world.published("other", crate::content::short()).await;
    let update = pb::UpdateWaveRequest {
        request_id: request_id(),
        wave_id: wave.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["questionnaire_version_id".to_owned()] }),
        questionnaire_version_id: other.id,
        ..Default::default()
    };
    refused(world.waves().update_wave(world.manager().asks(update)).await, Code::FailedPrecondition, "STATE_FORBIDS");
}

#[tokio::test]
async fn a_comparison_with_what_is_not_there_is_refused() {
    let world = World::of(0).await;
    let (id, _) = world.published("compared", content()).await;
    let ops = world.operations();
    let mut changed = content();
    changed.title_en = "x".to_owned();
    let update = pb::UpdateQuestionnaireRequest {
        request_id: request_id(),
        questionnaire_id: id.clone(),
        draft: Some(changed),
        ..Default::default()
    };
    world.questionnaires().update_questionnaire(ops.asks(update)).await.unwrap();
    let comparison = pb::QuestionComparison {
        question_code: "overall".to_owned(),
        earlier_version_id: request_id(),
        earlier_question_code: "overall".to_owned(),
    };
    let publish = pb::PublishQuestionnaireVersionRequest {
        request_id: request_id(),
        questionnaire_id: id,
        etag: String::new(),
        comparisons: vec![comparison],
    };
    refused(world.questionnaires().publish_questionnaire_version(ops.asks(publish)).await, Code::InvalidArgument, "COMPARISON_UNKNOWN");
}

#[tokio::test]
async fn a_code_is_taken_once() {
    let world = World::of(0).await;
    world.published("twice", content()).await;
    let create = pb::CreateQuestionnaireRequest { request_id: request_id(), code: "twice".to_owned(), draft: Some(content()) };
    let refusal = world.questionnaires().create_questionnaire(world.operations().asks(create)).await;
    refused(refusal, Code::AlreadyExists, "QUESTIONNAIRE_CODE_TAKEN");
}
