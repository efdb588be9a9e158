//! The main job, with the moved clock.

use anyhow::Result;
use steward_e2e::House;

/// WO-11, WO-12, WO-14, WO-17, WO-18, WO-28, WO-31, WO-38, WO-42, WO-44, CP-31, CP-37, CP-40, CP-53, NT-18, GR-01, CA-28, CA-32, CA-37,
/// CA-72, SV-37, SV-40, SV-45, SV-47
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_main_job_ends_as_it_should() -> Result<()> {
    let house = House::open("2026-07-14T15:00:00Z".parse()?).await?;
    Box::pin(steward_harness::story::play(&house.stage().await?)).await?;
    house.close().await
}
