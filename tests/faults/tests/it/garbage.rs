//! Garbage to every RPC: the same few of each in every run, thousands of others by `cargo dev faults --garbage`.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use anyhow::Result;
use steward_e2e::House;
use steward_faults::garbage::walk;

/// Requests of each RPC.
const EACH: usize = 6;

/// Others are tried by the long run.
const SEED: u64 = 1;

/// Whatever is sent, the answer is a good one or a refusal; nothing panics, nothing breaks, nothing is put aside.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_refused_and_does_no_harm() -> Result<()> {
    let panics = Arc::new(AtomicU32::new(0));
    let (counted, usual) = (panics.clone(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        counted.fetch_add(1, Ordering::SeqCst);
        usual(panic);
    }));
    let house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    let walked = Box::pin(walk(&house, SEED, EACH)).await?;
    let wrong: Vec<&String> = walked.wrong.iter().take(20).collect();
    assert!(wrong.is_empty(), "seed {SEED}: {} of {} calls: {wrong:#?}", walked.wrong.len(), walked.calls);
    assert!(walked.rpcs > 250 && walked.answered > 50, "{walked:?}");
    assert_eq!(panics.load(Ordering::SeqCst), 0, "seed {SEED}: something panicked");
    house.close().await
}
