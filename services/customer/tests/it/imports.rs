//! Imports: plan, review, apply, twice.

use anyhow::{Context, Result};
use aws_lc_rs::digest::{SHA256, digest};
use sqlx::{AssertSqlSafe, Row};
use steward_proto::customer::v1 as pb;
use tonic::Code;

use crate::world::{Caller, World, eventually, refusal, request_id, violations};
use pb::EstateImportProblemReason as Reason;
use pb::EstateImportState::{Applied, Cancelled, Planned, Planning, Receiving};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/estate-import");

pub(crate) fn fixture(name: &str) -> Result<Vec<u8>> {
    std::fs::read(format!("{FIXTURES}/{name}")).context("the fixture")
}

pub(crate) async fn create(caller: &Caller, estate: &pb::Estate, file: &[u8]) -> Result<pb::EstateImport, tonic::Status> {
    let request = pb::CreateEstateImportRequest {
        request_id: request_id(),
        estate_id: estate.id.clone(),
        file_name: "register.csv".into(),
        size_bytes: i64::try_from(file.len()).expect("a small file"),
        sha256: hex::encode(digest(&SHA256, file)),
    };
    Ok(caller.imports().create_estate_import(caller.ask(request)).await?.into_inner().import.unwrap_or_default())
}

pub(crate) fn parts(import: &pb::EstateImport, file: &[u8], from: usize, size: usize) -> Vec<pb::UploadEstateImportRequest> {
    let part = |(at, data): (usize, &[u8])| pb::UploadEstateImportRequest {
        import_id: import.id.clone(),
        offset: i64::try_from(from + at * size).expect("a small file"),
        data: data.to_vec().into(),
    };
    file[from..].chunks(size).enumerate().map(part).collect()
}

pub(crate) async fn send(caller: &Caller, parts: Vec<pb::UploadEstateImportRequest>) -> Result<pb::EstateImport, tonic::Status> {
    let request = caller.ask(tokio_stream::iter(parts));
    Ok(caller.imports().upload_estate_import(request).await?.into_inner().import.unwrap_or_default())
}

pub(crate) async fn upload(caller: &Caller, estate: &pb::Estate, file: &[u8]) -> Result<pb::EstateImport> {
    let import = create(caller, estate, file).await?;
    Ok(send(caller, parts(&import, file, 0, 64 * 1024)).await?)
}

pub(crate) async fn get(caller: &Caller, id: &str) -> Result<pb::EstateImport> {
    let request = pb::GetEstateImportRequest { import_id: id.to_owned() };
    caller.imports().get_estate_import(caller.ask(request)).await?.into_inner().import.context("an import")
}

pub(crate) async fn until(caller: &Caller, id: &str, state: pb::EstateImportState) -> Result<pb::EstateImport> {
    eventually(state.as_str_name(), || async {
        let import = get(caller, id).await?;
        let is_other_end = import.end_time.is_some() && import.state() != state;
        anyhow::ensure!(!is_other_end, "the import ended as {:?}: {}", import.state(), import.failure_code);
        Ok(Some(import).filter(|import| import.state() == state))
    })
    .await
}

pub(crate) async fn apply(caller: &Caller, import: &pb::EstateImport) -> Result<pb::EstateImport, tonic::Status> {
    let request = pb::ApplyEstateImportRequest { request_id: request_id(), import_id: import.id.clone(), etag: import.etag.clone() };
    Ok(caller.imports().apply_estate_import(caller.ask(request)).await?.into_inner().import.unwrap_or_default())
}

pub(crate) async fn rows(caller: &Caller, import: &pb::EstateImport, action: pb::EstateImportAction) -> Result<Vec<pb::EstateImportRow>> {
    let mut request =
        pb::ListEstateImportRowsRequest { import_id: import.id.clone(), page_size: 200, action: action.into(), ..Default::default() };
    let mut rows = Vec::new();
    loop {
        let page = caller.imports().list_estate_import_rows(caller.ask(request.clone())).await?.into_inner();
        rows.extend(page.rows);
        if page.next_page_token.is_empty() {
            return Ok(rows);
        }
        request.page_token = page.next_page_token;
    }
}

/// Created, updated, unchanged, refused.
pub(crate) fn counts(import: &pb::EstateImport) -> (i32, i32, i32, i32) {
    let progress = import.progress.unwrap_or_default();
    (progress.create_count, progress.update_count, progress.unchanged_count, progress.refused_count)
}

/// Every row of every table of the schema, as text.
pub(crate) async fn dump(world: &World) -> Result<String> {
    let pool = world.database.superuser().await?;
    let tables = sqlx::query("SELECT relname::text FROM pg_class WHERE relnamespace = 'customer'::regnamespace AND relkind IN ('r', 'p')")
        .fetch_all(&pool)
        .await?;
    let mut dump = String::new();
    for table in tables {
        let sql = format!("SELECT t::text AS line FROM customer.{} t", table.get::<String, _>("relname"));
        for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(&pool).await? {
            dump.push_str(&row.get::<String, _>("line"));
            dump.push('\n');
        }
    }
    Ok(dump)
}

/// How many units, customers and tenures there are.
pub(crate) async fn register(world: &World) -> Result<(i64, i64, i64)> {
    let count = "SELECT (SELECT count(*) FROM customer.units), (SELECT count(*) FROM customer.customers),
                        (SELECT count(*) FROM customer.tenures)";
    Ok(sqlx::query_as(count).fetch_one(&world.database.superuser().await?).await?)
}

/// CP-12, CP-53
#[tokio::test]
async fn a_register_is_planned_reviewed_and_applied_and_the_second_time_changes_nothing() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let file = fixture("jinxiu-garden.csv")?;
    let import = upload(&ops, &estate, &file).await?;
    assert!(matches!(import.state(), Planning | Planned));
    let planned = until(&ops, &import.id, Planned).await?;
    assert_eq!(counts(&planned), (174, 0, 0, 0));
    assert_eq!(register(&world).await?, (0, 0, 0), "a plan writes nothing");

    let mut watched =
        ops.imports().watch_estate_import(ops.ask(pb::WatchEstateImportRequest { import_id: import.id.clone() })).await?.into_inner();
    assert_eq!(watched.message().await?.and_then(|seen| seen.import).map(|import| import.state()), Some(Planned));
    assert!(watched.message().await?.is_none(), "the stream ends where a person must decide");

    apply(&ops, &planned).await?;
    let applied = until(&ops, &import.id, Applied).await?;
    assert_eq!(applied.progress.unwrap_or_default().applied_count, 174);
    let (units, customers, tenures) = register(&world).await?;
    assert_eq!(
        (units, tenures),
        (
            116,
            rows(&ops, &applied, pb::EstateImportAction::Unspecified)
                .await?
                .iter()
                .filter(|row| !row.customer_id.is_empty())
                .count()
                .try_into()?
        )
    );
    assert_eq!(customers, tenures, "nobody in this file has two homes");

    let again = upload(&ops, &estate, &file).await?;
    let again = until(&ops, &again.id, Planned).await?;
    assert_eq!(counts(&again), (0, 0, 174, 0));
    apply(&ops, &again).await?;
    until(&ops, &again.id, Applied).await?;
    assert_eq!(register(&world).await?, (units, customers, tenures));
    Ok(())
}

/// CP-53
#[tokio::test]
async fn bad_rows_are_refused_one_by_one_with_line_column_and_reason() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let import = upload(&ops, &estate, &fixture("jinxiu-garden-with-mistakes.csv")?).await?;
    let planned = until(&ops, &import.id, Planned).await?;
    assert_eq!(counts(&planned), (162, 0, 0, 12));
    let refused = rows(&ops, &planned, pb::EstateImportAction::Refuse).await?;
    let told: Vec<_> = refused
        .iter()
        .map(|row| (row.line, row.problems[0].column.as_str(), row.problems[0].column_number, row.problems[0].reason()))
        .collect();
    assert_eq!(
        told,
        [
            (12, "phone", 11, Reason::PhoneInvalid),
            (19, "phone", 11, Reason::PhoneInvalid),
            (20, "email", 12, Reason::EmailInvalid),
            (23, "id_number", 13, Reason::IdNumberInvalid),
            (26, "area_sqm", 5, Reason::NumberInvalid),
            (28, "floor", 4, Reason::NumberInvalid),
            (29, "delivery_date", 7, Reason::DateInvalid),
            (30, "occupancy", 8, Reason::WordUnknown),
            (31, "role", 14, Reason::WordUnknown),
            (32, "unit", 3, Reason::ValueMissing),
            (40, "name", 10, Reason::ValueMissing),
            (48, "to_date", 16, Reason::DatesReversed),
        ]
    );
    assert!(refused.iter().all(|row| row.problems.len() == 1 && !row.problems[0].description.is_empty()));
    apply(&ops, &planned).await?;
    let applied = until(&ops, &import.id, Applied).await?;
    assert_eq!(applied.progress.unwrap_or_default().applied_count, 162);
    Ok(())
}

/// CP-53: the file that was corrected afterwards.
#[tokio::test]
async fn a_corrected_file_creates_what_was_refused_and_updates_what_changed() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let head = "楼栋,房号,使用状态,姓名,电话,邮箱,身份,起始日期,截止日期\n";
    let run = async |body: &str| -> Result<pb::EstateImport> {
        let import = upload(&ops, &estate, format!("{head}{body}").as_bytes()).await?;
        let planned = until(&ops, &import.id, Planned).await?;
        apply(&ops, &planned).await?;
        until(&ops, &import.id, Applied).await
    };
    let first = run("1,101,入住,王芳,19900000001,,业主,2020-01-01,\n1,102,出租,李雷,1990000,,租户,2025-01-01,\n").await?;
    assert_eq!(counts(&first), (1, 0, 0, 1));
    let second = run("1,101,出租,王方,19900000001,fang@example.com,业主,2020-01-01,2026-05-31\n1,102,出租,李雷,19900000002,,租户,2025-01-01,\n1,103,,,,,,,\n").await?;
    assert_eq!(counts(&second), (2, 1, 0, 0));
    assert_eq!(register(&world).await?, (3, 2, 2));
    let request = pb::SearchCustomersByPhoneRequest { phone: "19900000001".into(), ..Default::default() };
    let found = ops.customers().search_customers_by_phone(ops.ask(request)).await?.into_inner().customers;
    assert_eq!((found.len(), found[0].email.as_str(), found[0].etag.as_str()), (1, "f***@example.com", "2"));
    let request = pb::ListTenuresRequest { customer_id: found[0].id.clone(), ..Default::default() };
    let tenures = ops.tenures().list_tenures(ops.ask(request)).await?.into_inner().tenures;
    assert_eq!((tenures.len(), tenures[0].to_date.as_str(), tenures[0].source.as_str()), (1, "2026-05-31", "import"));
    // The register forbids what the file alone would allow.
    let third = run("1,102,,王芳,19900000009,,业主,2024-01-01,\n1,102,,赵六,19900000008,,业主,2024-01-01,\n").await?;
    assert_eq!(counts(&third), (1, 0, 0, 1));
    let fourth = run("1,102,,赵六,19900000008,,业主,2024-01-01,\n").await?;
    assert_eq!(counts(&fourth), (0, 0, 0, 1));
    let problems = rows(&ops, &fourth, pb::EstateImportAction::Refuse).await?;
    assert_eq!(problems[0].problems[0].reason(), Reason::OwnerExists);
    Ok(())
}

#[tokio::test]
async fn an_upload_goes_on_where_it_broke() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let file = fixture("jinxiu-garden.csv")?;
    let import = create(&ops, &estate, &file).await?;
    let mut first = parts(&import, &file, 0, 1000);
    first.truncate(3);
    let half = send(&ops, first).await?;
    assert_eq!((half.received_bytes, half.state()), (3000, Receiving));
    let gap = send(&ops, parts(&import, &file, 4000, 1000)).await.expect_err("refused");
    assert_eq!(refusal(&gap), (Code::FailedPrecondition, "OFFSET_GAP".into()));
    assert!(gap.message().contains("received_bytes is 3000"), "{}", gap.message());
    assert_eq!(get(&ops, &import.id).await?.received_bytes, 3000);
    // Overlapping what has arrived is no harm.
    let rest = send(&ops, parts(&import, &file, 2500, 1000)).await?;
    assert_eq!(rest.received_bytes, rest.size_bytes);
    assert_eq!(counts(&until(&ops, &import.id, Planned).await?), (174, 0, 0, 0));
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_not_the_announced_one_is_refused() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let file = b"building,unit\n1,101\n";
    let import = create(&ops, &estate, file).await?;
    let long = pb::UploadEstateImportRequest { import_id: import.id.clone(), offset: 0, data: vec![b'x'; 30].into() };
    let refused = send(&ops, vec![long]).await.expect_err("refused");
    assert_eq!(violations(&refused), [("data".to_owned(), "FILE_TOO_LARGE".to_owned())]);
    let mut other = file.to_vec();
    other[15] = b'2';
    let refused = send(&ops, parts(&import, &other, 0, 10)).await.expect_err("refused");
    assert_eq!(violations(&refused), [("data".to_owned(), "HASH_MISMATCH".to_owned())]);
    let empty = get(&ops, &import.id).await?;
    assert_eq!((empty.received_bytes, empty.state()), (0, Receiving));
    let request =
        pb::AppendEstateImportRequest { request_id: request_id(), import_id: import.id.clone(), offset: 0, data: file.to_vec().into() };
    let appended = ops.imports().append_estate_import(ops.ask(request.clone())).await?.into_inner();
    let again = ops.imports().append_estate_import(ops.ask(request)).await?.into_inner();
    assert_eq!(appended, again);
    assert_eq!(counts(&until(&ops, &import.id, Planned).await?), (1, 0, 0, 0));
    Ok(())
}

#[tokio::test]
async fn verbs_out_of_turn_are_refused_with_what_would_be_allowed() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let file = b"building,unit\n1,101\n";
    let import = create(&ops, &estate, file).await?;
    let second = create(&ops, &estate, file).await.expect_err("refused");
    assert_eq!(refusal(&second), (Code::FailedPrecondition, "IMPORT_IN_PROGRESS".into()));
    let early = apply(&ops, &import).await.expect_err("refused");
    assert_eq!(refusal(&early), (Code::FailedPrecondition, "IMPORT_STATE_FORBIDS".into()));
    let cancel = pb::CancelEstateImportRequest { request_id: request_id(), import_id: import.id.clone(), etag: String::new() };
    let cancelled = ops.imports().cancel_estate_import(ops.ask(cancel.clone())).await?.into_inner();
    assert_eq!(cancelled.import.clone().unwrap_or_default().state(), Cancelled);
    let again = ops.imports().cancel_estate_import(ops.ask(cancel)).await?.into_inner();
    assert_eq!(again, cancelled, "the same request gets the same answer");
    let late = send(&ops, parts(&import, file, 0, 100)).await.expect_err("refused");
    assert_eq!(refusal(&late), (Code::FailedPrecondition, "IMPORT_STATE_FORBIDS".into()));
    // A file without a header line of ours fails as a whole.
    let import = upload(&ops, &estate, b"name,phone\nx,y\n").await?;
    let failed = until(&ops, &import.id, pb::EstateImportState::Failed).await?;
    assert_eq!(failed.failure_code, "HEADER_MISSING_COLUMN");
    let pool = world.database.superuser().await?;
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM customer.estate_import_parts").fetch_one(&pool).await?;
    assert_eq!(kept, 0, "the file of an ended import is gone");
    Ok(())
}
