//! Kept counts against real transactions: a sum over rows of a table of the test's own, counted through [`Rollups`].

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::date;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgPool};
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit::metric::{Period, Seen, Tally};
use steward_kit_store::StoreResult;
use steward_kit_store::rollups::{Count, Counter, Question, Rollups};
use tokio::sync::Semaphore;

use crate::support::{SOURCE, World, at, eventually};

/// Sums rows. Before it ends, it waits for a permit.
#[derive(Debug)]
struct Summing {
    may_end: Arc<Semaphore>,
    read: Arc<Semaphore>,
    counted: Arc<AtomicI64>,
}

impl Counter for Summing {
    fn rules(&self) -> Vec<&'static str> {
        vec!["sum"]
    }

    async fn ground(&self, _estate: EstateId) -> steward_kit::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    async fn count(
        &self,
        db: &mut PgConnection,
        question: &Question,
        estates: &[ScopedEstate],
        _now: Timestamp,
    ) -> steward_kit::Result<Vec<Count>> {
        let span = question.period.instants(&jiff::tz::TimeZone::UTC).expect("a month");
        let mut counts = Vec::new();
        for estate in estates {
            let sum: i64 =
                sqlx::query_scalar("SELECT coalesce(sum(n), 0)::bigint FROM probe.facts WHERE estate_id = $1 AND at >= $2 AND at < $3")
                    .bind(estate.as_uuid())
                    .bind(span.0.to_sqlx())
                    .bind(span.1.to_sqlx())
                    .fetch_one(&mut *db)
                    .await
                    .store()?;
            counts.push(Count { estate: estate.id(), tallies: vec![Tally::of([sum])], read: span, seen: Seen::default() });
        }
        self.counted.fetch_add(1, Ordering::SeqCst);
        self.read.add_permits(1);
        self.may_end.acquire().await.expect("never closed").forget();
        Ok(counts)
    }
}

/// A table with its triggers, and who sums it.
struct Sums {
    world: World,
    estate: ScopedEstate,
    question: Arc<Question>,
    rollups: Rollups<Summing>,
    may_end: Arc<Semaphore>,
    read: Arc<Semaphore>,
    counted: Arc<AtomicI64>,
}

const TABLE: &str = "
    CREATE TABLE probe.facts (estate_id uuid NOT NULL, at timestamptz NOT NULL, n bigint NOT NULL);
    GRANT SELECT ON probe.facts TO PUBLIC;
    CREATE FUNCTION probe.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO work_order.figure_changes (estate_id, start_time, end_time)
        SELECT estate_id, min(at), max(at) FROM new_rows GROUP BY estate_id;
        RETURN NULL;
    END $$;
    CREATE TRIGGER facts_inserted AFTER INSERT ON probe.facts
        REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION probe.note();";

impl Sums {
    async fn new() -> Self {
        let world = World::new().await;
        sqlx::raw_sql(TABLE).execute(&world.admin).await.expect("the table is made");
        let estate = Scope::system("a test").estate(EstateId::new()).expect("every estate");
        let march = Period::new(date(2026, 3, 1), date(2026, 3, 31)).expect("a month");
        let question = Arc::new(Question::new(march, vec![definition()]));
        let (may_end, read, counted) = (Arc::new(Semaphore::new(1_000_000)), Arc::new(Semaphore::new(0)), Arc::new(AtomicI64::new(0)));
        let counter = Summing { may_end: may_end.clone(), read: read.clone(), counted: counted.clone() };
        let rollups = Rollups::new(world.replica(SOURCE).await, world.clock.clone(), counter);
        Self { world, estate, question, rollups, may_end, read, counted }
    }

    async fn sum(&self) -> i64 {
        sum(&self.rollups, &self.question, self.estate).await
    }

    async fn add(&self, time: &str) {
        add(&self.world.admin, self.estate, time).await;
    }

    async fn tend(&self) {
        sqlx::query("SELECT work_order.tend_figures('2020-01-01Z')").execute(&self.world.admin).await.expect("tends");
    }

    /// Until nothing is left: transactions of other tests, in other databases, hold it back.
    async fn tend_all(&self) {
        eventually(Duration::from_secs(20), || async {
            self.tend().await;
            self.world.count("SELECT count(*) FROM work_order.figure_changes").await == 0
        })
        .await;
    }
}

fn definition() -> steward_kit::metric::Definition {
    steward_kit::metric::Definition::of(steward_kit::metric::metric("complaint_count", None).expect("is in the catalogue"))
}

async fn sum(rollups: &Rollups<Summing>, question: &Arc<Question>, estate: ScopedEstate) -> i64 {
    let tallies = rollups.tallies(std::slice::from_ref(question), &[estate], at("2026-03-20T00:00:00Z")).await.expect("counts");
    tallies[0][0][0].numbers[0]
}

async fn add(db: &PgPool, estate: ScopedEstate, time: &str) {
    let insert = "INSERT INTO probe.facts VALUES ($1, $2, 1)";
    sqlx::query(insert).bind(estate.as_uuid()).bind(at(time).to_sqlx()).execute(db).await.expect("adds");
}

/// M8: a count is used until something that it rests on changes, and not a statement longer.
#[tokio::test]
async fn a_kept_count_is_used_until_its_own_rows_change() {
    let sums = Sums::new().await;
    sums.add("2026-03-05T00:00:00Z").await;
    assert_eq!(sums.sum().await, 1);
    assert_eq!((sums.sum().await, sums.counted.load(Ordering::SeqCst)), (1, 1), "kept");
    sums.add("2026-04-05T00:00:00Z").await;
    let elsewhere = Scope::system("a test").estate(EstateId::new()).expect("every estate");
    add(&sums.world.admin, elsewhere, "2026-03-05T00:00:00Z").await;
    assert_eq!((sums.sum().await, sums.counted.load(Ordering::SeqCst)), (1, 1), "another month, another estate");
    sums.tend_all().await;
    assert_eq!((sums.sum().await, sums.counted.load(Ordering::SeqCst)), (1, 1), "changes are forgotten, because everybody has seen them");
    sums.add("2026-03-31T23:59:59Z").await;
    assert_eq!((sums.sum().await, sums.counted.load(Ordering::SeqCst)), (2, 2));

    // What was counted in another cluster, whose transactions have other numbers, is worth nothing.
    sqlx::query("UPDATE work_order.figure_horizon SET cluster = 1").execute(&sums.world.admin).await.expect("pretends");
    assert_eq!((sums.sum().await, sums.counted.load(Ordering::SeqCst)), (2, 3));
    sums.tend().await;
    assert_eq!((sums.sum().await, sums.sum().await, sums.counted.load(Ordering::SeqCst)), (2, 2, 4), "until the memory is begun anew");
}

/// M8: changes that a count has not seen are forgotten while it is being made: it is not trusted.
#[tokio::test]
async fn a_count_from_before_the_horizon_is_not_trusted() {
    let sums = Sums::new().await;
    sums.add("2026-03-05T00:00:00Z").await;
    sums.may_end.forget_permits(1_000_000);
    let slow = tokio::spawn({
        let (rollups, question, estate) = (sums.rollups.clone(), sums.question.clone(), sums.estate);
        async move { sum(&rollups, &question, estate).await }
    });
    sums.read.acquire().await.expect("it has read its rows").forget();
    sums.add("2026-03-06T00:00:00Z").await;
    sums.tend_all().await;
    sums.may_end.add_permits(1_000_000);
    assert_eq!(slow.await.expect("ends"), 1, "it answers what it saw when it was asked");
    assert_eq!(sums.sum().await, 2, "and is not used after");
}

/// M8: with writers committing in any order, a reader sees at least what was acknowledged before it asked, and nothing that was not
/// begun; meanwhile changes are forgotten all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_among_racing_writers_see_every_committed_row() {
    const WRITERS: i64 = 4;
    const ROWS: i64 = 60;
    let sums = Arc::new(Sums::new().await);
    let (begun, acknowledged) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (sums, begun, acknowledged) = (sums.clone(), begun.clone(), acknowledged.clone());
            tokio::spawn(async move {
                for row in 0..ROWS {
                    begun.fetch_add(1, Ordering::SeqCst);
                    let mut tx = sums.world.admin.begin().await.expect("begins");
                    let insert = "INSERT INTO probe.facts VALUES ($1, '2026-03-05Z', 1)";
                    sqlx::query(insert).bind(sums.estate.as_uuid()).execute(&mut *tx).await.expect("adds");
                    // Transactions end in another order than they began.
                    tokio::time::sleep(Duration::from_millis(((writer * 7 + row * 3) % 11).unsigned_abs())).await;
                    tx.commit().await.expect("commits");
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let mut reads = 0;
    while acknowledged.load(Ordering::SeqCst) < WRITERS * ROWS {
        let before = acknowledged.load(Ordering::SeqCst);
        let seen = sums.sum().await;
        let after = begun.load(Ordering::SeqCst);
        assert!((before..=after).contains(&seen), "{before} were committed, {seen} seen, {after} begun");
        if reads % 5 == 0 {
            sums.tend().await;
        }
        reads += 1;
    }
    for writer in writers {
        writer.await.expect("writes");
    }
    assert_eq!(sums.sum().await, WRITERS * ROWS);
    let counted = sums.counted.load(Ordering::SeqCst);
    assert_eq!((sums.sum().await, sums.counted.load(Ordering::SeqCst)), (WRITERS * ROWS, counted), "kept at last");
    assert!(reads > 10, "{reads} reads");
}
