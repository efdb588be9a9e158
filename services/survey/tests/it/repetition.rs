//! The same request twice.

use prost::Message;
use steward_proto::survey::v1 as pb;
use tonic::Code;

use crate::content::{answers, content};
use crate::world::{World, census, refused, request_id};

/// WO-77
#[tokio::test]
async fn the_same_answer_twice_is_one_response_and_one_reply() {
    let world = World::of(2).await;
    let wave = world.census().await;
    let request = world.submission(&wave, 0, answers(5)).await;
    let first = world.send(0, request.clone()).await.unwrap();
    world.advance(1);
    let second = world.send(0, request.clone()).await.unwrap();
    assert_eq!(first.encode_to_vec(), second.encode_to_vec(), "byte for byte");
    assert_eq!((world.wave(&wave.id).await.numbers.unwrap().responded_count, world.facts("ResponseAccepted").await), (1, 1));
    let other = pb::SubmitResponseRequest { answers: answers(1), ..request };
    refused(world.send(0, other).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
}

/// WO-77
#[tokio::test]
async fn a_repeated_launch_answers_as_it_did() {
    let world = World::of(1).await;
    let (questionnaire, _) = world.published("repeat", content()).await;
    let programme = world.programme("repeat", &questionnaire).await;
    let wave = world.draft(&programme, census()).await;
    world.framed(&wave).await;
    let launch = pb::LaunchWaveRequest { request_id: request_id(), wave_id: wave.id.clone(), etag: String::new() };
    let manager = world.manager();
    let first = world.waves().launch_wave(manager.asks(launch.clone())).await.unwrap().into_inner();
    let second = world.waves().launch_wave(manager.asks(launch)).await.unwrap().into_inner();
    assert_eq!(first.encode_to_vec(), second.encode_to_vec());
    assert_eq!(world.facts("WaveLaunched").await, 1);
}

/// WO-77
#[tokio::test]
async fn twin_answers_at_once_are_one() {
    let world = World::of(1).await;
    let wave = world.census().await;
    let request = world.submission(&wave, 0, answers(5)).await;
    let (one, two, three) = tokio::join!(world.send(0, request.clone()), world.send(0, request.clone()), world.send(0, request.clone()));
    let replies = [one.unwrap(), two.unwrap(), three.unwrap()];
    assert!(replies.iter().all(|reply| *reply == replies[0]), "{replies:?}");
    assert_eq!(world.wave(&wave.id).await.numbers.unwrap().responded_count, 1);
}
