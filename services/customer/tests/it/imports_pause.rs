//! Imports that are paused, resumed, and left.

use anyhow::Result;
use jiff::SignedDuration;
use steward_proto::customer::v1 as pb;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::imports::{apply, counts, create, get, parts, register, send, until, upload};
use crate::imports_resume::{generated, while_time_passes};
use crate::world::{Caller, World, refusal, request_id};
use pb::EstateImportState::{Applied, Applying, Cancelled, Expired, Paused, Planned, Planning, Receiving};

async fn pause(caller: &Caller, import: &pb::EstateImport, etag: &str) -> Result<pb::EstateImport, Status> {
    let request = pb::PauseEstateImportRequest { request_id: request_id(), import_id: import.id.clone(), etag: etag.to_owned() };
    Ok(caller.imports().pause_estate_import(caller.ask(request)).await?.into_inner().import.unwrap_or_default())
}

async fn resume(caller: &Caller, import: &pb::EstateImport) -> Result<pb::EstateImport, Status> {
    let request = pb::ResumeEstateImportRequest { request_id: request_id(), import_id: import.id.clone(), etag: String::new() };
    Ok(caller.imports().resume_estate_import(caller.ask(request)).await?.into_inner().import.unwrap_or_default())
}

async fn cancel(caller: &Caller, import: &pb::EstateImport) -> Result<pb::EstateImport, Status> {
    let request = pb::CancelEstateImportRequest { request_id: request_id(), import_id: import.id.clone(), etag: String::new() };
    Ok(caller.imports().cancel_estate_import(caller.ask(request)).await?.into_inner().import.unwrap_or_default())
}

fn applied_count(import: &pb::EstateImport) -> i32 {
    import.progress.unwrap_or_default().applied_count
}

fn allowed(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.and_then(|info| info.metadata.get("allowed_actions").cloned()).unwrap_or_default()
}

/// Timers that would go on with the import.
async fn steps(world: &World) -> Result<i64> {
    let sql = "SELECT count(*) FROM customer.timers WHERE kind IN ('plan_estate_import', 'write_estate_import')";
    Ok(sqlx::query_scalar(sql).fetch_one(&world.database.superuser().await?).await?)
}

async fn count(world: &World, sql: &'static str) -> Result<i64> {
    Ok(sqlx::query_scalar(sql).fetch_one(&world.database.superuser().await?).await?)
}

/// DESIGN §3, CP-53: paused while it writes, crashed, resumed: each row once.
#[tokio::test]
async fn a_paused_import_stands_still_through_a_crash_and_goes_on_where_it_stopped() -> Result<()> {
    let mut world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let import = upload(&ops, &estate, generated(4000, |_| false).as_bytes()).await?;
    let planned = until(&ops, &import.id, Planned).await?;
    apply(&ops, &planned).await?;
    while_time_passes(&world, &import.id, |import| applied_count(import) >= 500).await?;
    let request = pb::PauseEstateImportRequest { request_id: request_id(), import_id: import.id.clone(), etag: String::new() };
    let answer = ops.imports().pause_estate_import(ops.ask(request.clone())).await?.into_inner();
    let paused = answer.import.clone().unwrap_or_default();
    assert_eq!((paused.state(), paused.paused_state()), (Paused, Applying));
    let written = applied_count(&paused);
    assert!((500..4000).contains(&written), "it was paused in the middle: {written}");
    assert!(paused.expire_time.is_some());
    assert_eq!(steps(&world).await?, 0);
    assert_eq!(ops.imports().pause_estate_import(ops.ask(request)).await?.into_inner(), answer, "the same request, the same answer");

    world.database.break_connections().await?;
    world.restart().await?;
    world.clock.advance(SignedDuration::from_hours(24 * 7));
    let ops = world.operations();
    let found = get(&ops, &import.id).await?;
    assert_eq!((found.state(), found.etag.as_str(), applied_count(&found)), (Paused, paused.etag.as_str(), written));
    assert_eq!(register(&world).await?.0, i64::from(written));
    assert_eq!(steps(&world).await?, 0);

    let resumed = resume(&ops, &found).await?;
    assert_eq!((resumed.state(), resumed.expire_time), (Applying, None));
    let applied = while_time_passes(&world, &import.id, |import| import.state() == Applied).await?;
    assert_eq!((applied_count(&applied), counts(&applied)), (4000, (4000, 0, 0, 0)));
    assert_eq!(register(&world).await?, (4000, 4000, 4000));
    let told = count(&world, "SELECT count(*) FROM customer.outbox WHERE type LIKE '%TenureStarted'").await?;
    assert_eq!(told, 4000, "each tenure is told once");
    Ok(())
}

/// DESIGN §3
#[tokio::test]
async fn a_plan_is_paused_too_and_a_watcher_is_told_that_somebody_must_decide() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let import = upload(&ops, &estate, generated(20_000, |_| false).as_bytes()).await?;
    assert_eq!(import.state(), Planning);
    let mut watched =
        ops.imports().watch_estate_import(ops.ask(pb::WatchEstateImportRequest { import_id: import.id.clone() })).await?.into_inner();
    let paused = pause(&ops, &import, "").await?;
    assert_eq!((paused.state(), paused.paused_state()), (Paused, Planning));
    let mut last = pb::EstateImport::default();
    while let Some(seen) = watched.message().await? {
        last = seen.import.unwrap_or_default();
    }
    assert_eq!((last.state(), &last.etag), (Paused, &paused.etag), "the stream ends where a person must decide");
    let seen = get(&ops, &import.id).await?;
    assert_eq!(seen, paused);

    // What a paused import allows.
    for refused in [apply(&ops, &paused).await, pause(&ops, &paused, "").await, send(&ops, parts(&paused, b"x", 0, 1)).await] {
        let refused = refused.expect_err("refused");
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, "IMPORT_STATE_FORBIDS".into()));
        assert_eq!(allowed(&refused), "ResumeEstateImport,CancelEstateImport");
    }
    let other = create(&ops, &estate, b"building,unit\n").await.expect_err("refused");
    assert_eq!(refusal(&other), (Code::FailedPrecondition, "IMPORT_IN_PROGRESS".into()), "it keeps its estate");
    assert_eq!(resume(&ops, &paused).await?.state(), Planning);
    let stale = pause(&ops, &paused, &paused.etag).await.expect_err("refused");
    assert_eq!(refusal(&stale), (Code::Aborted, "STALE_ETAG".into()));
    assert_eq!(counts(&until(&ops, &import.id, Planned).await?), (20_000, 0, 0, 0));
    let late = pause(&ops, &import, "").await.expect_err("refused");
    assert_eq!((refusal(&late).1, allowed(&late)), ("IMPORT_STATE_FORBIDS".into(), "ApplyEstateImport,CancelEstateImport".into()));
    let early = resume(&ops, &import).await.expect_err("refused");
    assert_eq!(refusal(&early).1, "IMPORT_STATE_FORBIDS");
    let nobody = pb::EstateImport { id: request_id(), ..Default::default() };
    assert_eq!(refusal(&pause(&ops, &nobody, "").await.expect_err("refused")), (Code::NotFound, "IMPORT_NOT_FOUND".into()));
    Ok(())
}

/// An import that moves changes its version with every batch; stopping it must not be a race that the caller loses.
#[tokio::test]
async fn a_moving_import_is_paused_and_cancelled_at_the_first_try() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let mut written = 0;
    for (turn, code) in ["A", "B", "C"].into_iter().enumerate() {
        let estate = ops.estate(code).await?;
        let import = upload(&ops, &estate, generated(6000, |_| false).replace("1990", &format!("199{turn}")).as_bytes()).await?;
        apply(&ops, &until(&ops, &import.id, Planned).await?).await?;
        let paused = pause(&ops, &import, "").await?;
        assert_eq!(paused.state(), Paused);
        resume(&ops, &import).await?;
        let cancelled = cancel(&ops, &import).await?;
        assert_eq!((cancelled.state(), cancelled.paused_state()), (Cancelled, pb::EstateImportState::Unspecified));
        written += i64::from(applied_count(&cancelled));
        assert_eq!(register(&world).await?.1, written, "what is written stays, and nothing follows");
    }
    Ok(())
}

/// A file that never came to its end does not keep its estate for ever.
#[tokio::test]
async fn an_upload_that_broke_off_expires_a_day_after_its_last_byte() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let file = generated(100, |_| false);
    let import = create(&ops, &estate, file.as_bytes()).await?;
    world.clock.advance(SignedDuration::from_hours(23));
    let mut first = parts(&import, file.as_bytes(), 0, 1000);
    first.truncate(1);
    send(&ops, first).await?;
    // The timer of the creation fires, and finds that somebody went on since.
    let due = "SELECT count(*) FROM customer.timers WHERE kind = 'expire_estate_import' AND due_time = '2026-06-12T01:00:00Z'";
    world.clock.advance(SignedDuration::from_hours(2));
    crate::world::eventually("the timer to look", || async { Ok((count(&world, due).await? == 1).then_some(())) }).await?;
    assert_eq!(get(&ops, &import.id).await?.state(), Receiving);
    assert_eq!(count(&world, "SELECT count(*) FROM customer.estate_import_parts").await?, 1);
    world.clock.advance(SignedDuration::from_hours(22));
    let expired = until(&ops, &import.id, Expired).await?;
    assert!(expired.end_time.is_some() && expired.expire_time.is_none());
    assert_eq!(count(&world, "SELECT count(*) FROM customer.estate_import_parts").await?, 0, "what had arrived is gone");
    assert_eq!(count(&world, "SELECT count(data_key) FROM customer.estate_imports").await?, 0, "and its key");
    assert_eq!(count(&world, "SELECT count(*) FROM customer.timers").await?, 0);
    let late = send(&ops, parts(&import, file.as_bytes(), 1000, 1000)).await.expect_err("refused");
    assert_eq!((refusal(&late).1, allowed(&late)), ("IMPORT_STATE_FORBIDS".into(), String::new()));
    let next = upload(&ops, &estate, file.as_bytes()).await?;
    assert_eq!(counts(&until(&ops, &next.id, Planned).await?), (100, 0, 0, 0));

    // A plan that nobody reviews waits longer, and not for ever either.
    world.clock.advance(SignedDuration::from_hours(24 * 29));
    let found = get(&ops, &next.id).await?;
    assert_eq!(found.state(), Planned);
    world.clock.advance(SignedDuration::from_hours(24 * 2));
    until(&ops, &next.id, Expired).await?;
    assert_eq!(register(&world).await?, (0, 0, 0));
    Ok(())
}
