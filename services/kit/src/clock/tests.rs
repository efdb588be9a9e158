use super::*;
use jiff::SignedDuration;
use std::time::Instant;

fn instant(text: &str) -> Timestamp {
    text.parse().expect("a test's instant parses")
}

fn clock_file(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("steward-kit-clock-{name}-{}", uuid::Uuid::now_v7()))
}

#[tokio::test]
async fn a_manual_clock_stands_still_until_it_is_moved() {
    let (clock, hand) = Clock::manual(instant("2026-03-01T02:00:00Z"));
    assert_eq!(clock.now(), clock.now());
    hand.advance(SignedDuration::from_mins(15));
    assert_eq!(clock.now(), instant("2026-03-01T02:15:00Z"));
    hand.set(instant("2026-01-01T00:00:00Z"));
    assert_eq!(clock.now(), instant("2026-01-01T00:00:00Z"));
}

#[tokio::test]
async fn a_manual_sleeper_wakes_at_the_instant_and_not_before() {
    let start = instant("2026-03-01T02:00:00Z");
    let (clock, hand) = Clock::manual(start);
    let due = start + SignedDuration::from_mins(15);
    let sleeper = tokio::spawn({
        let clock = clock.clone();
        async move { clock.sleep_until(due).await }
    });
    hand.advance(SignedDuration::new(899, 999_999_000));
    tokio::task::yield_now().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!sleeper.is_finished(), "woke a microsecond early");
    hand.advance(SignedDuration::from_micros(1));
    tokio::time::timeout(Duration::from_secs(1), sleeper).await.expect("wakes").expect("no panic");
}

#[tokio::test]
async fn the_system_clock_sleeps_until_the_instant_itself() {
    let clock = Clock::system();
    let due = clock.now() + SignedDuration::from_millis(30);
    clock.sleep_until(due).await;
    let late = clock.now().duration_since(due);
    assert!(!late.is_negative(), "returned {late:?} early");
    clock.sleep_until(due - SignedDuration::from_hours(1)).await;
}

#[test]
fn instants_are_whole_microseconds() {
    let (clock, _hand) = Clock::manual(instant("2026-03-01T02:00:00.123456789Z"));
    assert_eq!(clock.now(), instant("2026-03-01T02:00:00.123456Z"));
    assert_eq!(Clock::system().now().subsec_nanosecond() % 1000, 0);
}

#[tokio::test]
async fn moving_the_shared_file_moves_every_clock_at_once_and_wakes_sleepers() {
    let path = clock_file("move");
    let hand = SharedClock::create(&path).expect("creates");
    let first = Clock::shared(&path).expect("opens");
    let second = Clock::shared(&path).expect("opens");
    let due = first.now() + SignedDuration::from_hours(72);
    let sleeper = tokio::spawn({
        let clock = first.clone();
        async move { clock.sleep_until(due).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!sleeper.is_finished());

    let before = Instant::now();
    hand.advance(SignedDuration::from_hours(73)).expect("moves");
    assert!(first.now() > due && second.now() > due, "now() reads the file itself");
    tokio::time::timeout(Duration::from_secs(2), sleeper).await.expect("the move wakes it").expect("no panic");
    assert!(before.elapsed() < Duration::from_millis(500), "woke after {:?}", before.elapsed());

    let again = SharedClock::create(&path).expect("opens");
    assert_eq!(again.offset().expect("reads"), SignedDuration::from_hours(73), "a restart keeps the offset");
    std::fs::remove_file(path).expect("cleans up");
}

#[test]
fn a_shared_clock_without_its_file_is_an_error() {
    assert!(Clock::shared(clock_file("missing")).is_err());
    let short = clock_file("short");
    std::fs::write(&short, [1, 2]).expect("writes");
    assert!(Clock::shared(&short).is_err());
    std::fs::remove_file(short).expect("cleans up");
}
