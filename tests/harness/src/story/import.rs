//! The estate's register, imported from CSV: uploaded in parts, planned, reviewed, applied; and again, corrected.

use anyhow::{Context, Result, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use steward_dev::Workspace;
use steward_proto::customer::v1::{
    ApplyEstateImportRequest, CreateEstateImportRequest, EstateImport, EstateImportAction, EstateImportProgress, EstateImportState,
    GetEstateImportRequest, ListEstateImportRowsRequest, UploadEstateImportRequest,
    estate_import_service_client::EstateImportServiceClient,
};

use super::stage::{Actor, Stage, given, request_id};

/// Size of the parts that a file is uploaded in; small, so that there are several.
const PART_BYTES: usize = 4096;

/// Rows of the faulty file that must be refused.
const MISTAKES: i32 = 12;

/// The line of the unit whose pipe will burst: building 1, entrance 1, unit 101, with its owner.
const OWNER_LINE: i32 = 2;

/// Imports the register; returns the unit of the story and its owner.
pub(super) async fn play(stage: &Stage, operations: &Actor, estate_id: &str) -> Result<(String, String)> {
    stage.scene("Its register is imported from CSV: upload, plan, review, apply");
    let import = upload(stage, operations, estate_id, "jinxiu-garden-with-mistakes.csv").await?;
    let planned = progress(&import)?;
    ensure!(planned.refused_count == MISTAKES, "{MISTAKES} rows of the file are bad, {} were refused", planned.refused_count);
    for row in rows(stage, operations, &import.id, EstateImportAction::Refuse).await? {
        for problem in row.problems {
            stage.tell(format!("  line {}, column {} ({}): {}", problem.line, problem.column_number, problem.column, problem.description));
        }
    }
    let import = apply(stage, operations, import).await?;
    let rows = rows(stage, operations, &import.id, EstateImportAction::Unspecified).await?;
    let row = rows.into_iter().find(|row| row.line == OWNER_LINE).context("the owner's line of the import")?;
    ensure!(row.is_applied && !row.customer_id.is_empty(), "line {OWNER_LINE} is written, with its customer");

    stage.scene("The corrected file: only what was missing is written, and the third time nothing");
    let import = upload(stage, operations, estate_id, "jinxiu-garden.csv").await?;
    ensure!(progress(&import)?.refused_count == 0, "the corrected file has no bad row");
    apply(stage, operations, import).await?;
    let import = upload(stage, operations, estate_id, "jinxiu-garden.csv").await?;
    let again = progress(&import)?;
    ensure!(again.create_count == 0 && again.update_count == 0, "a file that was applied changes nothing");
    apply(stage, operations, import).await?;

    stage.tell(format!("unit {} is {}, its owner {}", row.unit_full_code, row.unit_id, row.customer_id));
    Ok((row.unit_id, row.customer_id))
}

async fn upload(stage: &Stage, operations: &Actor, estate_id: &str, name: &str) -> Result<EstateImport> {
    let file = Workspace::find()?.root().join("tests/fixtures/estate-import").join(name);
    let bytes = std::fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
    let mut imports = EstateImportServiceClient::new(stage.gateway.clone());
    let request = CreateEstateImportRequest {
        request_id: request_id(),
        estate_id: estate_id.to_owned(),
        file_name: name.to_owned(),
        size_bytes: i64::try_from(bytes.len())?,
        sha256: hex::encode(digest(&SHA256, &bytes)),
    };
    let created = imports.create_estate_import(operations.asks(request)?).await.context("announcing the file")?;
    let import_id = given(created.into_inner().import, "import")?.id;
    let mut parts = Vec::new();
    for (index, part) in bytes.chunks(PART_BYTES).enumerate() {
        let offset = i64::try_from(index * PART_BYTES)?;
        parts.push(UploadEstateImportRequest { import_id: import_id.clone(), offset, data: part.to_vec().into() });
    }
    let count = parts.len();
    imports.upload_estate_import(operations.asks(tokio_stream::iter(parts))?).await.context("uploading the file")?;
    let import = await_state(stage, operations, &import_id, EstateImportState::Planned).await?;
    let planned = progress(&import)?;
    stage.tell(format!(
        "{name}, {} bytes in {count} parts: {} rows, {} create, {} update, {} refused",
        bytes.len(),
        planned.row_count,
        planned.create_count,
        planned.update_count,
        planned.refused_count
    ));
    Ok(import)
}

async fn apply(stage: &Stage, operations: &Actor, import: EstateImport) -> Result<EstateImport> {
    let request = ApplyEstateImportRequest { request_id: request_id(), import_id: import.id.clone(), etag: import.etag };
    EstateImportServiceClient::new(stage.gateway.clone())
        .apply_estate_import(operations.asks(request)?)
        .await
        .context("applying the import")?;
    let applied = await_state(stage, operations, &import.id, EstateImportState::Applied).await?;
    stage.tell(format!("applied: {} rows settled", progress(&applied)?.applied_count));
    Ok(applied)
}

fn progress(import: &EstateImport) -> Result<EstateImportProgress> {
    given(import.progress, "progress")
}

async fn rows(
    stage: &Stage,
    operations: &Actor,
    import_id: &str,
    action: EstateImportAction,
) -> Result<Vec<steward_proto::customer::v1::EstateImportRow>> {
    let request =
        ListEstateImportRowsRequest { import_id: import_id.to_owned(), page_size: 200, page_token: String::new(), action: action.into() };
    let answer = EstateImportServiceClient::new(stage.gateway.clone()).list_estate_import_rows(operations.asks(request)?).await;
    Ok(answer.context("listing the import's rows")?.into_inner().rows)
}

async fn await_state(stage: &Stage, operations: &Actor, import_id: &str, wanted: EstateImportState) -> Result<EstateImport> {
    let imports = EstateImportServiceClient::new(stage.gateway.clone());
    stage
        .await_some(&format!("the import {}", wanted.as_str_name()), || {
            let (mut imports, request) = (imports.clone(), operations.asks(GetEstateImportRequest { import_id: import_id.to_owned() }));
            async move {
                let import = given(imports.get_estate_import(request?).await.context("reading the import")?.into_inner().import, "import")?;
                ensure!(
                    import.state() != EstateImportState::Failed,
                    "the import failed: {} {}",
                    import.failure_code,
                    import.failure_detail
                );
                Ok((import.state() == wanted).then_some(import))
            }
        })
        .await
}
