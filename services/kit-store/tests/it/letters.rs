//! Poison: an event that can not be applied.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use steward_kit::Error;
use steward_kit::auth::Access;
use steward_kit::crypto::{FieldCipher, Keyring};
use steward_kit::paging::PageTokens;
use steward_kit_store::Db;
use steward_kit_store::inbox::{Consumer, DeadLetterEdge, DeadLetters, dead_letters};
use steward_proto::operation::v1 as pb;
use steward_proto::operation::v1::dead_letter_service_server::DeadLetterService as _;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::events::{consumer, quick_relay, relay, write_events};
use crate::support::{Notebook, SINK, SOURCE, World, eventually, number_in};

/// XC-60
#[tokio::test]
async fn a_poison_event_becomes_a_dead_letter_the_others_go_on_and_it_can_be_driven_again() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let sink = world.replica(SINK).await;
    let relay = relay(&world, &db, quick_relay());
    let poisonous = Arc::new(AtomicBool::new(true));
    let tries = Arc::new(AtomicUsize::new(0));
    let (is_poisonous, counter) = (poisonous.clone(), tries.clone());
    let handler = Notebook::before(move |event| {
        let poison = number_in(event) == 2 && is_poisonous.load(Ordering::SeqCst);
        counter.fetch_add(usize::from(poison), Ordering::SeqCst);
        async move { if poison { Err(Error::bug("can not be applied")) } else { Ok(()) } }
    });
    let (consumer, running) = consumer(&world, sink.clone(), handler);
    let subject = Uuid::now_v7();
    write_events(&world, &db, &[subject], 0..5).await;
    world.expect_notes(4).await;

    let letters = dead_letters(&sink, 10).await.expect("reads");
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!(letter.cause, "internal error: can not be applied");
    assert_eq!(letter.consumer, "notification.notes");
    assert!(letter.attempt_count >= 6 && tries.load(Ordering::SeqCst) > 6, "it was tried in the batch and alone");
    assert_eq!(letter.preview["subject"], subject.to_string());
    assert_eq!(letter.preview["type"], "google.protobuf.Timestamp");
    assert_eq!(letter.preview["payload_bytes"], 2);

    let operator = Operator::of(&world, &sink, [consumer]);
    let refused = operator.redrive(&request_id(), letter.id).await.expect_err("still poisonous");
    assert_eq!((reason(&refused), refused.code()), ("DEAD_LETTER_STILL_FAILS".to_owned(), Code::FailedPrecondition));
    let still = dead_letters(&sink, 10).await.expect("reads");
    assert_eq!((still.len(), still[0].attempt_count), (1, letter.attempt_count + 1), "it stays");
    poisonous.store(false, Ordering::SeqCst);
    let (one, other) = (request_id(), request_id());
    let (first, second) = tokio::join!(operator.redrive(&one, letter.id), operator.redrive(&other, letter.id));
    assert_eq!([first.is_ok(), second.is_ok()].iter().filter(|done| **done).count(), 1, "driven twice at once, applied once");
    let refused = first.and(second).expect_err("one of them");
    assert_eq!(reason(&refused), "DEAD_LETTER_SETTLED");
    world.expect_notes(5).await;
    assert!(dead_letters(&sink, 10).await.expect("reads").is_empty());
    let settled = operator.get(letter.id).await.expect("its history stays");
    assert_eq!((settled.state(), settled.settled_by.as_str()), (pb::DeadLetterState::Redriven, "operator"));
    assert_eq!(world.count("SELECT count(*) FROM notification.dead_letters WHERE event IS NOT NULL").await, 0, "its content goes");
    running.stop().await;
    relay.stop().await;
}

/// XC-60: what an operator does is done once however often it is asked for, and everything that waits is driven at once.
#[tokio::test]
async fn letters_are_redriven_together_or_discarded_and_a_repetition_changes_nothing() {
    let world = World::new().await;
    let (db, sink) = (world.replica(SOURCE).await, world.replica(SINK).await);
    let relay = relay(&world, &db, quick_relay());
    let poisonous = Arc::new(AtomicBool::new(true));
    let is_poisonous = poisonous.clone();
    let handler = Notebook::before(move |_| {
        let poison = is_poisonous.load(Ordering::SeqCst);
        async move { if poison { Err(Error::bug("can not be applied")) } else { Ok(()) } }
    });
    let (consumer, running) = consumer(&world, sink.clone(), handler);
    write_events(&world, &db, &[Uuid::now_v7()], 0..5).await;
    eventually(Duration::from_secs(20), || async { dead_letters(&sink, 10).await.expect("reads").len() == 5 }).await;
    let letters = dead_letters(&sink, 10).await.expect("reads");
    let operator = Operator::of(&world, &sink, [consumer]);

    let discard = request_id();
    let gone = operator.discard(&discard, letters[0].id, "made by a test").await.expect("discards");
    assert_eq!((gone.state(), gone.discard_reason.as_str()), (pb::DeadLetterState::Discarded, "made by a test"));
    assert_eq!(operator.discard(&discard, letters[0].id, "made by a test").await.expect("replays"), gone);
    let refused = operator.discard(&discard, letters[0].id, "something else").await.expect_err("another body");
    assert_eq!((reason(&refused), refused.code()), ("REQUEST_ID_REUSED".to_owned(), Code::AlreadyExists));

    poisonous.store(false, Ordering::SeqCst);
    let all = request_id();
    let first = operator.redrive_all(&all, 3).await.expect("redrives");
    assert_eq!((first.dead_letters.len(), first.is_last), (3, false));
    assert!(first.dead_letters.iter().all(|letter| letter.state() == pb::DeadLetterState::Redriven));
    assert_eq!(operator.redrive_all(&all, 3).await.expect("replays"), first);
    world.expect_notes(3).await;
    let rest = operator.redrive_all(&request_id(), 3).await.expect("redrives");
    assert_eq!((rest.dead_letters.len(), rest.is_last), (1, true));
    world.expect_notes(4).await;

    let homeless = Operator::of(&world, &sink, []);
    let refused = homeless.redrive(&request_id(), letters[0].id).await.expect_err("settled");
    assert_eq!(reason(&refused), "DEAD_LETTER_SETTLED");
    assert_eq!(operator.list("notification.notes").await.dead_letters, []);
    assert_eq!(operator.redrive(&request_id(), Uuid::now_v7()).await.expect_err("no such letter").code(), Code::NotFound);
    running.stop().await;
    relay.stop().await;
}

/// Somebody who keeps the product running.
struct Operator {
    edge: DeadLetterEdge,
}

impl Operator {
    fn of(world: &World, db: &Db, consumers: impl IntoIterator<Item = Consumer>) -> Self {
        let keyring = Arc::new(Keyring::parse(&Keyring::generate_text()).expect("a keyring"));
        let letters = DeadLetters::new(db.clone(), world.clock.clone(), consumers);
        Self { edge: DeadLetterEdge::new(letters, PageTokens::new(FieldCipher::new(keyring))) }
    }

    async fn get(&self, id: Uuid) -> Result<pb::DeadLetter, Status> {
        let request = pb::GetDeadLetterRequest { dead_letter_id: id.to_string() };
        Ok(self.edge.get_dead_letter(asked(request)).await?.into_inner().dead_letter.expect("a letter"))
    }

    async fn list(&self, consumer: &str) -> pb::ListDeadLettersResponse {
        let request = pb::ListDeadLettersRequest { consumer: consumer.to_owned(), ..Default::default() };
        self.edge.list_dead_letters(asked(request)).await.expect("lists").into_inner()
    }

    async fn redrive(&self, request_id: &str, id: Uuid) -> Result<pb::DeadLetter, Status> {
        let request = pb::RedriveDeadLetterRequest { request_id: request_id.to_owned(), dead_letter_id: id.to_string() };
        Ok(self.edge.redrive_dead_letter(asked(request)).await?.into_inner().dead_letter.expect("a letter"))
    }

    async fn redrive_all(&self, request_id: &str, limit: i32) -> Result<pb::RedriveDeadLettersResponse, Status> {
        let request = pb::RedriveDeadLettersRequest { request_id: request_id.to_owned(), limit, ..Default::default() };
        Ok(self.edge.redrive_dead_letters(asked(request)).await?.into_inner())
    }

    async fn discard(&self, request_id: &str, id: Uuid, reason: &str) -> Result<pb::DeadLetter, Status> {
        let (request_id, dead_letter_id) = (request_id.to_owned(), id.to_string());
        let request = pb::DiscardDeadLetterRequest { request_id, dead_letter_id, reason: reason.to_owned() };
        Ok(self.edge.discard_dead_letter(asked(request)).await?.into_inner().dead_letter.expect("a letter"))
    }
}

fn asked<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(Access::system("operator", "a test keeps the product running"));
    request
}

fn request_id() -> String {
    Uuid::now_v7().to_string()
}

fn reason(refused: &Status) -> String {
    refused.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

#[tokio::test]
async fn a_handler_that_panics_and_bytes_that_are_no_event_are_poison_too() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let sink = world.replica(SINK).await;
    let relay = relay(&world, &db, quick_relay());
    let mut redis = world.redis().await;
    let id: String = redis::cmd("XADD")
        .arg("steward:{work_order:events:3}")
        .arg("1-0")
        .arg("event")
        .arg(&[0xff_u8; 9][..])
        .query_async(&mut redis)
        .await
        .expect("adds");
    assert_eq!(id, "1-0");
    let handler = Notebook::before(|event| {
        assert_ne!(number_in(event), 1, "the test's own panic");
        async { Ok(()) }
    });
    let (_, running) = consumer(&world, sink.clone(), handler);
    write_events(&world, &db, &[Uuid::now_v7(), Uuid::now_v7()], 0..4).await;
    world.expect_notes(6).await;
    eventually(Duration::from_secs(10), || async { dead_letters(&sink, 10).await.expect("reads").len() == 3 }).await;
    let letters = dead_letters(&sink, 10).await.expect("reads");
    assert_eq!(letters.iter().filter(|letter| letter.cause.contains("panicked")).count(), 2);
    assert_eq!(letters.iter().filter(|letter| letter.preview["unreadable_bytes"] == 9).count(), 1);
    running.stop().await;
    relay.stop().await;
}
