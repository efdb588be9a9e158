//! Poison: an event that can not be applied.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use steward_kit::Error;
use steward_kit_store::inbox::dead_letters;
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

    assert!(consumer.redrive(letter.id).await.is_err(), "still poisonous");
    assert_eq!(dead_letters(&sink, 10).await.expect("reads").len(), 1, "it stays");
    poisonous.store(false, Ordering::SeqCst);
    let (first, second) = tokio::join!(consumer.redrive(letter.id), consumer.redrive(letter.id));
    assert_eq!([first.is_ok(), second.is_ok()].iter().filter(|done| **done).count(), 1, "driven twice at once, applied once");
    world.expect_notes(5).await;
    assert!(dead_letters(&sink, 10).await.expect("reads").is_empty());
    assert!(matches!(consumer.redrive(letter.id).await, Err(Error::NotFound { .. })));
    running.stop().await;
    relay.stop().await;
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
