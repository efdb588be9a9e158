//! SV-40: an answer is taken without a key that leads to its household.

use std::collections::BTreeSet;

use steward_proto::survey::v1 as pb;
use tonic::Code;

use crate::content::{answers, content};
use crate::words::random_id;
use crate::world::{World, census, refused, request_id};

async fn wave(world: &World) -> pb::Wave {
    world.running("anonymous", content(), pb::WaveDesign { is_anonymous: true, ..census() }).await
}

pub(crate) async fn token(world: &World, wave: &pb::Wave, at: usize, nonce: u8) -> Result<Vec<u8>, tonic::Status> {
    let take = pb::TakeBlindTokenRequest {
        wave_id: wave.id.clone(),
        invitation_id: world.invitation(wave, at).await.id,
        nonce: vec![nonce; 32].into(),
    };
    Ok(world.responses().take_blind_token(world.resident(at).asks(take)).await?.into_inner().token.to_vec())
}

pub(crate) fn blind(wave: &pb::Wave, token: &[u8], overall: u32) -> pb::SubmitBlindResponseRequest {
    pb::SubmitBlindResponseRequest {
        wave_id: wave.id.clone(),
        response_id: random_id(),
        token: token.to_vec().into(),
        answers: answers(overall),
        duration_s: 120,
    }
}

/// SV-40
#[tokio::test]
async fn no_value_stands_both_with_a_household_and_with_an_answer() {
    let world = World::of(6).await;
    let wave = wave(&world).await;
    for at in 0..6 {
        let token = token(&world, &wave, at, u8::try_from(at).unwrap()).await.unwrap();
        // Any resident may hand a token in: the caller is no party to the answer.
        let sender = world.resident((at + 1) % 6);
        let verdict = world.responses().submit_blind_response(sender.asks(blind(&wave, &token, 1))).await.unwrap().into_inner().verdict();
        assert_eq!(verdict, pb::ResponseVerdict::Valid);
    }
    assert_eq!(world.wave(&wave.id).await.numbers.unwrap().valid_count, 6);

    // A DBA reads every row of the schema as text. What stands beside a household, and what stands beside an answer, must have
    // nothing in common but the wave itself.
    let rows = async |sql: &'static str| -> BTreeSet<String> {
        let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(&world.db).await.unwrap();
        rows.iter().flat_map(|row| row.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')).map(str::to_owned).collect()
    };
    let about_households = rows(
        "SELECT (estate_id, wave_id, household_id, response_id)::text FROM survey.participants
         UNION ALL SELECT (id, household_id, customer_id, unit_id, encode(token_mark, 'hex'), xmin)::text FROM survey.invitations
         UNION ALL SELECT (household_id, invitation_id)::text FROM survey.frame_members
         UNION ALL SELECT (subject_id, encode(payload, 'hex'))::text FROM survey.outbox
         UNION ALL SELECT (principal, request_id, encode(response, 'hex'))::text FROM survey.idempotency_claims
         UNION ALL SELECT (subject_id, key)::text FROM survey.timers",
    )
    .await;
    let about_answers = rows(
        "SELECT (id, invitation_id, household_id, customer_id, encode(texts, 'hex'), encode(device_mark, 'hex'), xmin)::text FROM survey.responses
         UNION ALL SELECT (encode(token_mark, 'hex'), response_id, encode(answers_hash, 'hex'), xmin)::text FROM survey.spent_tokens
         UNION ALL SELECT (id, source_ref)::text FROM survey.response_keys
         UNION ALL SELECT (xact, end_time)::text FROM survey.figure_changes",
    )
    .await;
    let common: Vec<&String> = about_households.intersection(&about_answers).filter(|word| word.len() > 3).collect();
    assert!(common.is_empty(), "{common:?}");
    let named: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM survey.responses WHERE household_id IS NOT NULL OR customer_id IS NOT NULL OR invitation_id IS NOT NULL",
    )
    .fetch_one(&world.db)
    .await
    .unwrap();
    assert_eq!(named, 0);
    // Of the time the day alone is kept: 00:00 in Shanghai.
    let times: Vec<String> = sqlx::query_scalar("SELECT DISTINCT (receive_time AT TIME ZONE 'Asia/Shanghai')::text FROM survey.responses")
        .fetch_all(&world.db)
        .await
        .unwrap();
    assert_eq!(times, ["2026-07-01 00:00:00"]);
    // The ledger says that the household took part, and nothing else.
    let participants: i64 =
        sqlx::query_scalar("SELECT count(*) FROM survey.participants WHERE response_id IS NULL").fetch_one(&world.db).await.unwrap();
    assert_eq!(participants, 6);
}

/// SV-40, SV-45
#[tokio::test]
async fn an_anonymous_answer_is_told_to_nobody_however_low() {
    let world = World::of(1).await;
    let wave = wave(&world).await;
    let token = token(&world, &wave, 0, 7).await.unwrap();
    world.responses().submit_blind_response(world.resident(0).asks(blind(&wave, &token, 1))).await.unwrap();
    assert_eq!((world.facts("ResponseAccepted").await, world.facts("LowScoreReceived").await), (0, 0));
}

/// SV-39, SV-40
#[tokio::test]
async fn a_household_gets_one_token_and_a_token_one_answer() {
    let world = World::of(2).await;
    let wave = wave(&world).await;
    let first = token(&world, &wave, 0, 1).await.unwrap();
    // The answer was lost on its way: the same nonce gets the same token, another gets none.
    assert_eq!(token(&world, &wave, 0, 1).await.unwrap(), first);
    refused(token(&world, &wave, 0, 2).await, Code::FailedPrecondition, "TOKEN_TAKEN");

    let request = blind(&wave, &first, 5);
    let send = |request: pb::SubmitBlindResponseRequest| {
        let (mut responses, resident) = (world.responses(), world.resident(0));
        async move { responses.submit_blind_response(resident.asks(request)).await }
    };
    // An impatient client sends it three times at once.
    let at_once = tokio::join!(send(request.clone()), send(request.clone()), send(request.clone()));
    for answer in [at_once.0, at_once.1, at_once.2] {
        assert_eq!(answer.expect("it is one answer").into_inner().verdict(), pb::ResponseVerdict::Valid);
    }
    send(request.clone()).await.expect("a repetition is harmless");
    refused(send(blind(&wave, &first, 1)).await, Code::AlreadyExists, "TOKEN_USED");
    assert_eq!(world.wave(&wave.id).await.numbers.unwrap().responded_count, 1);

    let mut forged = first.clone();
    forged[5] ^= 1;
    refused(send(blind(&wave, &forged, 5)).await, Code::InvalidArgument, "TOKEN_INVALID");
    let second = token(&world, &wave, 1, 3).await.unwrap();
    let telling = pb::SubmitBlindResponseRequest { response_id: request_id(), ..blind(&wave, &second, 5) };
    refused(send(telling).await, Code::InvalidArgument, "RESPONSE_ID_NOT_RANDOM");
}

#[tokio::test]
async fn an_identified_wave_gives_no_token() {
    let world = World::of(1).await;
    let wave = world.census().await;
    refused(token(&world, &wave, 0, 1).await, Code::FailedPrecondition, "WAVE_NOT_ANONYMOUS");
}

/// SV-40
#[tokio::test]
async fn a_figure_of_few_is_not_shown() {
    let world = World::of(6).await;
    let wave = wave(&world).await;
    for at in 0..6 {
        if at == 4 {
            let figures = world.figures(&wave).await;
            let rate = figures.csat_rate.unwrap();
            assert!(rate.is_suppressed && rate.has_data && rate.n == 4, "{rate:?}");
            assert_eq!((rate.value, rate.low, rate.high), (0.0, 0.0, 0.0));
            assert!(figures.questions.iter().all(|question| question.is_suppressed || question.answered_count == 0));
            assert!(figures.questions.iter().all(|question| question.counts.is_empty()));
        }
        let token = token(&world, &wave, at, u8::try_from(at).unwrap()).await.unwrap();
        world.responses().submit_blind_response(world.resident(at).asks(blind(&wave, &token, 5))).await.unwrap();
    }
    assert!(!world.figures(&wave).await.csat_rate.unwrap().is_suppressed);
}
