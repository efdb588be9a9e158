//! After a key rotation: everything comes under the current key, whoever writes and whatever crashes meanwhile.

use std::sync::Arc;
use std::time::Duration;

use sqlx::AssertSqlSafe;
use steward_kit::crypto::{DataKey, FieldCipher, Keyring};
use steward_kit_store::Db;
use steward_kit_store::rekey::{Pass, Rekey, RekeyOptions, SealedTable};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{Running, SOURCE, World, eventually};

const ONE: &str = "1=1111111111111111111111111111111111111111111111111111111111111111";
const TWO: &str = "2=2222222222222222222222222222222222222222222222222222222222222222";
const INDEX: &str = "index=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn cipher(keys: &str, current: u32) -> FieldCipher {
    FieldCipher::new(Arc::new(Keyring::parse(&format!("{keys} current={current} {INDEX}")).expect("a keyring")))
}

fn old() -> FieldCipher {
    cipher(ONE, 1)
}

fn rotated() -> FieldCipher {
    cipher(&format!("{ONE} {TWO}"), 2)
}

/// After the old key was removed.
fn without_old() -> FieldCipher {
    cipher(TWO, 2)
}

fn tables() -> Vec<SealedTable> {
    let secrets = SealedTable::new("secrets", &["place", "id"])
        .field("body", |row| format!("secrets/{}/{}/body", row.of("place"), row.of("id")))
        .field("note", |row| format!("secrets/{}/note", row.of("id")))
        .wrapped_key("data_key", |row| row.of("id").to_owned());
    vec![secrets]
}

fn job(world: &World, db: &Db, cipher: FieldCipher, options: RekeyOptions) -> Rekey {
    Rekey::with(db.clone(), world.clock.clone(), cipher, tables(), options)
}

fn quick() -> RekeyOptions {
    RekeyOptions { batch: 7, pause: Duration::ZERO }
}

async fn pass(world: &World, db: &Db, cipher: FieldCipher) -> Pass {
    job(world, db, cipher, quick()).pass(&CancellationToken::new()).await.expect("passes")
}

/// A row of the table.
#[derive(Debug, Clone, sqlx::FromRow)]
struct Secret {
    place: i32,
    id: Uuid,
    body: Vec<u8>,
    note: Option<Vec<u8>>,
    data_key: Option<Vec<u8>>,
}

/// Rows sealed by `cipher`; some columns are empty.
async fn fill(world: &World, cipher: &FieldCipher, rows: i32) {
    for sql in [
        "CREATE TABLE IF NOT EXISTS work_order.secrets
             (place integer, id uuid, body bytea NOT NULL, note bytea, data_key bytea, PRIMARY KEY (place, id))",
        "GRANT SELECT, UPDATE ON work_order.secrets TO work_order_app",
    ] {
        sqlx::query(sql).execute(&world.admin).await.expect("is made");
    }
    for place in 0..rows {
        let id = Uuid::now_v7();
        sqlx::query("INSERT INTO work_order.secrets VALUES ($1, $2, $3, $4, $5)")
            .bind(place)
            .bind(id)
            .bind(cipher.seal(format!("secrets/{place}/{id}/body"), format!("body {place}")))
            .bind((place % 2 == 0).then(|| cipher.seal(format!("secrets/{id}/note"), format!("note {place}"))))
            .bind((place % 3 == 0).then(|| cipher.wrap(id, &DataKey::generate())))
            .execute(&world.admin)
            .await
            .expect("inserts");
    }
}

async fn rows(world: &World) -> Vec<Secret> {
    sqlx::query_as("SELECT * FROM work_order.secrets ORDER BY place").fetch_all(&world.admin).await.expect("reads")
}

/// Every value of every row opens by this keyring alone.
async fn all_open(world: &World, cipher: &FieldCipher, rows_expected: usize) {
    let rows = rows(world).await;
    assert_eq!(rows.len(), rows_expected);
    for Secret { place, id, body, note, data_key } in rows {
        let opened = cipher.open(format!("secrets/{place}/{id}/body"), &body).expect("the body opens");
        assert_eq!(opened.as_slice(), format!("body {place}").as_bytes());
        if let Some(note) = note {
            assert_eq!(
                cipher.open(format!("secrets/{id}/note"), &note).expect("the note opens").as_slice(),
                format!("note {place}").as_bytes()
            );
        }
        if let Some(data_key) = data_key {
            cipher.unwrap(id, &data_key).expect("the key unwraps");
        }
    }
}

/// XC-45
#[tokio::test]
async fn after_a_rotation_everything_comes_under_the_new_key_and_the_old_one_can_go() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    fill(&world, &old(), 50).await;
    assert_eq!(pass(&world, &db, old()).await, Pass::default(), "nothing was rotated");
    assert_eq!(pass(&world, &db, rotated()).await, Pass { changed: 50, failed: 0, remaining: 0 });
    all_open(&world, &without_old(), 50).await;
    let before = rows(&world).await;
    assert_eq!(pass(&world, &db, rotated()).await, Pass::default(), "once");
    // A replica that was not restarted yet seals by the old key still, and does not undo what the others did.
    assert_eq!(pass(&world, &db, cipher(&format!("{ONE} {TWO}"), 1)).await, Pass::default());
    assert!(before.iter().zip(rows(&world).await).all(|(before, now)| before.body == now.body));
}

#[tokio::test]
async fn a_row_that_somebody_is_changing_is_left_for_the_next_pass_and_not_overwritten() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    fill(&world, &old(), 20).await;
    let held = rows(&world).await.swap_remove(3);
    let newer = old().seal(format!("secrets/3/{}/body", held.id), "body 3");
    let mut caller = world.admin.begin().await.expect("begins");
    sqlx::query("UPDATE work_order.secrets SET body = $2 WHERE id = $1")
        .bind(held.id)
        .bind(&newer)
        .execute(&mut *caller)
        .await
        .expect("updates");
    assert_eq!(pass(&world, &db, rotated()).await, Pass { changed: 19, failed: 0, remaining: 1 });
    caller.commit().await.expect("commits");
    assert_eq!(rows(&world).await[3].body, newer);
    assert_eq!(pass(&world, &db, rotated()).await, Pass { changed: 1, failed: 0, remaining: 0 });
    all_open(&world, &without_old(), 20).await;
}

#[tokio::test]
async fn a_value_that_does_not_open_is_counted_and_stops_nobody_else() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    fill(&world, &old(), 20).await;
    let damage = "UPDATE work_order.secrets SET body = set_byte(body, 20, (get_byte(body, 20) + 1) % 256) WHERE place = 5";
    sqlx::query(damage).execute(&world.admin).await.expect("damages");
    assert_eq!(pass(&world, &db, rotated()).await, Pass { changed: 19, failed: 1, remaining: 1 });
    // What is empty, or of another format, is none of the keyring's.
    let foreign = format!("UPDATE work_order.secrets SET body = '\\x02{}', note = '' WHERE place = 5", "00".repeat(40));
    sqlx::query(AssertSqlSafe(foreign)).execute(&world.admin).await.expect("replaces");
    assert_eq!(pass(&world, &db, rotated()).await.remaining, 0);
}

/// Killed in the middle, and two replicas at once.
#[tokio::test]
async fn what_a_crash_leaves_is_done_by_whoever_runs_next() {
    let world = World::new().await;
    fill(&world, &old(), 400).await;
    let left = || async {
        let sql = "SELECT count(*) FROM work_order.secrets WHERE substring(body FROM 1 FOR 5) < '\\x0100000002'::bytea";
        world.count(sql).await
    };
    let slow = RekeyOptions { batch: 10, pause: Duration::from_millis(20) };
    let dying = job(&world, &world.replica(SOURCE).await, rotated(), slow.clone());
    let running = Running::start(|stop| dying.run(stop));
    eventually(Duration::from_secs(10), || async { left().await < 350 }).await;
    running.kill().await;
    let after_the_crash = left().await;
    assert!(after_the_crash > 0, "it was killed in the middle");
    let mut others = Vec::new();
    for _ in 0..2 {
        let job = job(&world, &world.replica(SOURCE).await, rotated(), slow.clone());
        others.push(Running::start(|stop| job.run(stop)));
    }
    eventually(Duration::from_secs(20), || async { left().await == 0 }).await;
    for other in others {
        other.stop().await;
    }
    all_open(&world, &without_old(), 400).await;
}

#[tokio::test]
async fn a_column_that_is_not_there_is_an_error_and_not_silence() {
    let world = World::new().await;
    let db = world.replica(SOURCE).await;
    let table = SealedTable::new("timers", &["nowhere"]).field("secret", |_| String::new());
    let job = Rekey::new(db, world.clock.clone(), rotated(), vec![table]);
    assert!(job.pass(&CancellationToken::new()).await.is_err());
}
