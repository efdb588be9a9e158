//! A small world: one database, one Redis, any number of replicas, a clock that is moved by hand, and a notebook in
//! which handlers write down what they did.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use sqlx::{PgConnection, PgPool};
use steward_harness::{TestDatabase, TestRedis};
use steward_kit::clock::{Clock, ManualClock};
use steward_kit_store::inbox::EventHandler;
use steward_kit_store::timers::{FiredTimer, TimerHandler};
use steward_kit_store::{Db, Effects, NewEvent, StoreConfig, StoreResult};
use steward_proto::event::v1::Event;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The service whose events and timers are looked at, and one that consumes.
pub(crate) const SOURCE: &str = "work_order";
pub(crate) const SINK: &str = "notification";

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) redis: TestRedis,
    pub(crate) clock: Clock,
    pub(crate) hand: ManualClock,
    pub(crate) admin: PgPool,
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a test's instant parses")
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await.expect("a database");
        let redis = TestRedis::own().expect("a Redis");
        let (clock, hand) = Clock::manual(at("2026-03-01T02:00:00Z"));
        let admin = database.superuser().await.expect("a pool");
        for sql in [
            "CREATE SCHEMA probe",
            "CREATE TABLE probe.notes (place bigserial PRIMARY KEY, subject uuid, key text NOT NULL, done boolean NOT NULL DEFAULT true)",
            "GRANT USAGE ON SCHEMA probe TO PUBLIC",
            "GRANT ALL ON ALL TABLES IN SCHEMA probe TO PUBLIC",
            "GRANT ALL ON ALL SEQUENCES IN SCHEMA probe TO PUBLIC",
        ] {
            sqlx::query(sql).execute(&admin).await.expect("the notebook is made");
        }
        Self { database, redis, clock, hand, admin }
    }

    /// A replica's database handle: its own pool, its own hints.
    pub(crate) async fn replica(&self, schema: &'static str) -> Db {
        let config = StoreConfig::new(self.database.app_url(schema), SecretString::from(self.redis.url()));
        Db::connect(&config, schema).await.expect("connects")
    }

    pub(crate) async fn redis(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.redis.url()).expect("an address");
        client.get_multiplexed_async_connection().await.expect("connects")
    }

    pub(crate) async fn flush_redis(&self) {
        redis::cmd("FLUSHALL").exec_async(&mut self.redis().await).await.expect("flushes");
    }

    /// Every note, in the order it was committed to the notebook.
    pub(crate) async fn notes(&self) -> Vec<(Uuid, String)> {
        sqlx::query_as("SELECT subject, key FROM probe.notes ORDER BY place").fetch_all(&self.admin).await.expect("reads")
    }

    pub(crate) async fn note_count(&self) -> i64 {
        self.count("SELECT count(*) FROM probe.notes").await
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.admin).await.expect("counts")
    }

    /// Waits until the notebook has `count` notes, then a little longer: one too many would show.
    pub(crate) async fn expect_notes(&self, count: i64) {
        eventually(Duration::from_secs(40), || async { self.note_count().await >= count }).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(self.note_count().await, count, "notes in the notebook");
    }

    pub(crate) fn in_(&self, seconds: i64) -> Timestamp {
        self.clock.now() + SignedDuration::from_secs(seconds)
    }
}

/// Polls a condition until it holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(patience: Duration, mut holds: impl FnMut() -> F) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < patience, "did not come about within {patience:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A job that can be stopped as a deployment does, or killed as a crash does.
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start<F: Future<Output = ()> + Send + 'static>(job: impl FnOnce(CancellationToken) -> F) -> Self {
        let stop = CancellationToken::new();
        Self { task: tokio::spawn(job(stop.clone())), stop }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(10), self.task).await.expect("stops in time").expect("without a panic");
    }

    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.is_err_and(|error| error.is_cancelled()), "it was still running");
    }
}

/// Commits effects as a job would.
pub(crate) async fn commit(db: &Db, effects: &Effects, now: Timestamp) {
    let mut tx = db.begin().await.expect("begins");
    effects.write(db, &mut tx, now).await.expect("writes");
    tx.commit().await.expect("commits");
    db.wake(effects);
}

/// An event that carries a number.
pub(crate) fn event(subject: Uuid, number: usize, now: Timestamp) -> NewEvent {
    let payload = prost_types::Timestamp { seconds: i64::try_from(number).expect("small"), nanos: 0 };
    NewEvent::new(subject, None, now, &payload)
}

pub(crate) fn number_in(event: &Event) -> i64 {
    let payload: prost_types::Timestamp = event.payload.as_ref().expect("a payload").to_msg().expect("of this type");
    payload.seconds
}

/// What a test wants a handler to do before it writes its note.
type Before<T> = Arc<dyn Fn(&T) -> futures::future::BoxFuture<'static, steward_kit::Result<()>> + Send + Sync>;

/// Writes down what it is given, after doing what the test wants.
#[derive(Clone)]
pub(crate) struct Notebook<T> {
    kind: &'static str,
    before: Before<T>,
}

impl<T> Notebook<T> {
    pub(crate) fn new() -> Self {
        Self::before(|_| async { Ok(()) })
    }

    pub(crate) fn before<F>(before: impl Fn(&T) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = steward_kit::Result<()>> + Send + 'static,
    {
        Self { kind: "clock", before: Arc::new(move |what| Box::pin(before(what))) }
    }

    pub(crate) fn of_kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }
}

pub(crate) async fn note(tx: &mut PgConnection, subject: Uuid, key: &str) -> steward_kit::Result<()> {
    sqlx::query("INSERT INTO probe.notes (subject, key) VALUES ($1, $2)").bind(subject).bind(key).execute(tx).await.store()?;
    Ok(())
}

#[tonic::async_trait]
impl EventHandler for Notebook<Event> {
    async fn apply(&self, tx: &mut PgConnection, event: &Event, _now: Timestamp) -> steward_kit::Result<Effects> {
        note(tx, event.subject.parse().expect("an id"), &number_in(event).to_string()).await?;
        (self.before)(event).await?;
        Ok(Effects::none())
    }
}

#[tonic::async_trait]
impl TimerHandler for Notebook<FiredTimer> {
    fn kind(&self) -> &'static str {
        self.kind
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, _now: Timestamp) -> steward_kit::Result<Effects> {
        note(tx, timer.subject_id, &timer.key).await?;
        (self.before)(timer).await?;
        Ok(Effects::none())
    }
}
