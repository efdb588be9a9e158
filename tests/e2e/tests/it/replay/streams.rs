//! The mutations that are streams of requests: their parts carry the offset, so that a part that comes again is dropped.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use steward_e2e::House;
use steward_harness::Claims;
use steward_proto::customer::v1 as pb;
use steward_proto::customer::v1::estate_import_service_client::EstateImportServiceClient;

use super::caller::Caller;
use super::ground::{Ground, id};
use super::rows::{Tables, difference};

const FILE: &str = include_str!("../../../../fixtures/estate-import/jinxiu-garden.csv");

/// The announcement of the register.
pub(super) fn announced(estate: &str) -> Value {
    use aws_lc_rs::digest::{SHA256, digest};
    let sha256: String = digest(&SHA256, FILE.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"requestId": id(), "estateId": estate, "fileName": "register.csv", "sizeBytes": FILE.len().to_string(), "sha256": sha256})
}

/// An import that waits to be applied.
pub(super) async fn planned(ground: &Ground<'_, '_>, code: &str) -> Result<String> {
    let estate = ground.make("customer.v1.EstateService/RegisterEstate", "estate", ground.an_estate(code)).await?;
    let import = ground.make("customer.v1.EstateImportService/CreateEstateImport", "import", announced(&estate)).await?;
    upload(ground.caller.house(), &import, FILE, FILE.len()).await?;
    let begun = Instant::now();
    loop {
        let answer = ground.ask("customer.v1.EstateImportService/GetEstateImport", json!({"importId": import})).await?;
        if answer["import"]["state"] == "ESTATE_IMPORT_STATE_PLANNED" {
            return Ok(import);
        }
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(30), "{answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn upload(house: &House, import: &str, file: &str, part: usize) -> Result<pb::EstateImport> {
    let parts: Vec<pb::UploadEstateImportRequest> = file
        .as_bytes()
        .chunks(part)
        .enumerate()
        .map(|(index, data)| pb::UploadEstateImportRequest {
            import_id: import.to_owned(),
            offset: i64::try_from(index * part).unwrap(),
            data: data.to_vec().into(),
        })
        .collect();
    let mut request = tonic::Request::new(tokio_stream::iter(parts));
    let token = house.token(Claims::staff("walker").role("group_operations").every_estate())?;
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
    let answer = EstateImportServiceClient::new(house.gateway().await?).upload_estate_import(request).await?;
    answer.into_inner().import.context("an import")
}

/// CP-46: an upload that is sent twice, also cut otherwise, is one upload.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_comes_again_is_the_same_upload() -> Result<()> {
    let house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    let caller = Caller::open(&house).await?;
    let ground = Ground::laid(&caller).await?;
    let import = ground.make("customer.v1.EstateImportService/CreateEstateImport", "import", announced(&ground.estate)).await?;
    let half = &FILE[..FILE.char_indices().map(|(at, _)| at).take_while(|at| *at <= FILE.len() / 2).last().unwrap()];
    let first = upload(&house, &import, half, 4096).await?;
    let tables = Tables::of(&house).await?;
    let before = tables.settled().await?;
    for part in [4096, half.len(), 1000] {
        assert_eq!(upload(&house, &import, half, part).await?, first);
    }
    assert_eq!(difference(&before, &tables.look().await?), "");
    // What is behind the first half is taken, whatever comes again before it.
    let whole = upload(&house, &import, FILE, 4096).await?;
    assert_eq!(whole.received_bytes, i64::try_from(FILE.len()).unwrap());
    house.close().await
}
