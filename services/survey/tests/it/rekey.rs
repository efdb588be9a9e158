//! XC-45: what people wrote comes under the current key after a rotation, and the old key can go.

use secrecy::{ExposeSecret, SecretString};
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::answer::Value;

use crate::content::{answer, answers};
use crate::world::{World, eventually, request_id};

const SECOND: &str = "2=2222222222222222222222222222222222222222222222222222222222222222";

/// Sealed values, and how many of them are under key 2: format 1, then the key's number. (The answers of the policy service hold nothing
/// that anybody wrote and are not sealed.)
const SEALED: &str = "
    SELECT count(*), count(*) FILTER (WHERE substring(value FROM 1 FOR 5) = '\\x0100000002'::bytea)
      FROM (SELECT texts AS value FROM survey.waves UNION ALL SELECT texts FROM survey.frame_jobs
            UNION ALL SELECT texts FROM survey.sessions UNION ALL SELECT texts FROM survey.feedback_items
            UNION ALL SELECT texts FROM survey.responses UNION ALL SELECT texts FROM survey.response_revisions
            UNION ALL SELECT response FROM survey.idempotency_claims) AS sealed
     WHERE substring(value FROM 1 FOR 4) = '\\x01000000'::bytea";

fn keys(world: &World) -> String {
    world.config.groups.crypto.keyring.as_ref().unwrap().expose_secret().to_owned()
}

async fn restarted(world: &mut World, keyring: String) {
    world.config.groups.crypto.keyring = Some(SecretString::from(keyring));
    world.restart().await;
}

/// XC-45
#[tokio::test]
async fn after_a_rotation_every_text_comes_under_the_new_key_and_the_old_one_can_go() {
    let mut world = World::of(2).await;
    let wave = world.census().await;
    let mut given = answers(5);
    given.push(answer("suggestion", Value::Text("电梯太慢了".to_owned())));
    let response = world.submit(&wave, 0, given).await;
    let submit = pb::SubmitFeedbackRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        source: pb::FeedbackSource::SuggestionBox.into(),
        text: "希望增加充电桩".to_owned(),
        ..Default::default()
    };
    let item = world.feedback().submit_feedback(world.resident(0).asks(submit.clone())).await.unwrap().into_inner();

    let first = keys(&world);
    let rotated = first.replace("current=1", &format!("{SECOND}\ncurrent=2"));
    assert_ne!(first, rotated, "{first}");
    restarted(&mut world, rotated.clone()).await;
    eventually("every text under the new key", || async {
        let (all, new): (i64, i64) = sqlx::query_as(SEALED).fetch_one(&world.db).await.unwrap();
        (all > 6 && all == new).then_some(())
    })
    .await;

    // Without the old key everything still opens: what was written, what it said before, what was answered.
    let without_old: Vec<&str> = rotated.split_whitespace().filter(|line| !line.starts_with("1=")).collect();
    restarted(&mut world, without_old.join("\n")).await;
    let get = pb::GetResponseRequest { response_id: response.id.clone() };
    let read = world.responses().get_response(world.manager().asks(get)).await.unwrap().into_inner().response.unwrap();
    let written = Some(Value::Text("电梯太慢了".to_owned()));
    assert!(read.answers.iter().any(|answer| answer.value == written));
    let list = pb::ListResponseRevisionsRequest { response_id: response.id, ..Default::default() };
    let revisions = world.responses().list_response_revisions(world.manager().asks(list)).await.unwrap().into_inner().revisions;
    assert!(revisions[0].answers.iter().any(|answer| answer.value == written));
    let again = world.feedback().submit_feedback(world.resident(0).asks(submit)).await.unwrap().into_inner();
    assert_eq!(again, item, "the same request is answered as it was");
}
