//! Imports through crashes, and at size.

use std::fmt::Write;

use anyhow::Result;
use jiff::SignedDuration;
use steward_proto::customer::v1 as pb;

use crate::imports::{apply, counts, get, register, rows, until, upload};
use crate::world::{World, eventually};
use pb::EstateImportState::{Applied, Planned};

const REST: SignedDuration = SignedDuration::from_secs(10);

/// A register with one owner in each unit; every row whose number is in `bad` has an impossible phone.
pub(crate) fn generated(rows: usize, bad: impl Fn(usize) -> bool) -> String {
    let mut file = "building,entrance,unit,customer_name,phone,role,from_date\n".to_owned();
    for row in 0..rows {
        let phone = if bad(row) { "12".to_owned() } else { format!("1990{row:07}") };
        writeln!(file, "{},{},{:04},住户{row},{phone},owner,2020-01-01", row / 1000 + 1, row % 3 + 1, row % 1000).expect("writes");
    }
    file
}

/// A step that failed rests for some seconds of the clock, so the clock goes on while a test waits.
pub(crate) async fn while_time_passes(world: &World, id: &str, is_so: impl Fn(&pb::EstateImport) -> bool) -> Result<pb::EstateImport> {
    eventually("the import to go on", || async {
        world.clock.advance(REST);
        Ok(Some(get(&world.operations(), id).await?).filter(|import| is_so(import)))
    })
    .await
}

/// CP-53: killed at several places, the import ends the same.
#[tokio::test]
async fn an_import_goes_on_after_a_crash_and_writes_each_row_once() -> Result<()> {
    let mut world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let import = upload(&ops, &estate, generated(4000, |_| false).as_bytes()).await?;
    world.database.break_connections().await?;
    world.restart().await?;
    let planned = while_time_passes(&world, &import.id, |import| import.state() == Planned).await?;
    assert_eq!(counts(&planned), (4000, 0, 0, 0));
    apply(&world.operations(), &planned).await?;
    for least in [1, 1500] {
        while_time_passes(&world, &import.id, |import| import.progress.unwrap_or_default().applied_count >= least).await?;
        world.database.break_connections().await?;
        world.restart().await?;
    }
    let applied = while_time_passes(&world, &import.id, |import| import.state() == Applied).await?;
    assert_eq!(applied.progress.unwrap_or_default().applied_count, 4000);
    assert_eq!(register(&world).await?, (4000, 4000, 4000));
    let pool = world.database.superuser().await?;
    let count: i32 = sqlx::query_scalar("SELECT unit_count FROM customer.estates").fetch_one(&pool).await?;
    assert_eq!(count, 4000);
    let told: i64 = sqlx::query_scalar("SELECT count(*) FROM customer.outbox WHERE type LIKE '%TenureStarted'").fetch_one(&pool).await?;
    assert_eq!(told, 4000, "each tenure is told once");
    Ok(())
}

/// CP-53
#[tokio::test]
async fn ten_thousand_rows_with_twelve_bad_ones_twice() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let file = generated(10_000, |row| row % 800 == 799);
    for (turn, expected) in [(9988, 0, 0, 12), (0, 0, 9988, 12)].into_iter().enumerate() {
        let import = upload(&ops, &estate, file.as_bytes()).await?;
        let planned = until(&ops, &import.id, Planned).await?;
        assert_eq!(counts(&planned), expected, "turn {turn}");
        assert_eq!(rows(&ops, &planned, pb::EstateImportAction::Refuse).await?.len(), 12);
        apply(&ops, &planned).await?;
        let applied = until(&ops, &import.id, Applied).await?;
        assert_eq!(counts(&applied), expected, "turn {turn}");
        assert_eq!(register(&world).await?, (9988, 9988, 9988), "turn {turn}");
    }
    Ok(())
}
