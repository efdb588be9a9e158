//! A service's database: its pool, its schema, and the hints that follow a commit.

use std::sync::Arc;

use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Postgres, SqlSafeStr, SqlStr, Transaction};
use steward_kit::Result;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::config::{PATIENCE, StoreConfig};
use crate::effects::Effects;
use crate::epoch::EpochSeen;
use crate::error::{StoreResult, store_error};
use crate::redis_link::RedisLink;
use crate::silence::Silence;
use crate::timers::TimerHints;

/// The database of one service. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    pool: PgPool,
    schema: &'static str,
    redis: RedisLink,
    unpublished: Notify,
    timer_hints: TimerHints,
    epoch: EpochSeen,
    background: Semaphore,
    silence: Arc<Silence>,
    write_effects: SqlStr,
    replay: SqlStr,
}

impl Db {
    /// Opens the pool. Redis is dialled later, by whoever first needs it.
    ///
    /// # Errors
    /// Postgres does not answer, or an address can not be read.
    pub async fn connect(config: &StoreConfig, schema: &'static str) -> Result<Self> {
        let options: PgConnectOptions = config.database_url.expose_secret().parse().map_err(store_error)?;
        let silence = Arc::new(Silence::new(config.patience()));
        let (before, after) = (silence.clone(), silence.clone());
        let pool = PgPoolOptions::new()
            .max_connections(config.database_connections)
            .min_connections(1)
            .acquire_timeout(config.acquire_timeout())
            // A ping is a round trip on every request; a broken connection is noticed by its first statement.
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                let silence = before.clone();
                Box::pin(async move { silence.before_use(connection, meta).await })
            })
            .after_release(move |connection, meta| {
                let silence = after.clone();
                Box::pin(async move { silence.after_use(connection, meta).await })
            })
            .connect_with(options.application_name(schema))
            .await
            .store()?;
        Self::over(pool, RedisLink::new(&config.redis_url)?, schema, silence)
    }

    /// A database over a pool that exists already.
    ///
    /// # Errors
    /// `schema` is not a plain lower-case name.
    pub fn new(pool: PgPool, redis: RedisLink, schema: &'static str) -> Result<Self> {
        Self::over(pool, redis, schema, Arc::new(Silence::new(PATIENCE)))
    }

    fn over(pool: PgPool, redis: RedisLink, schema: &'static str, silence: Arc<Silence>) -> Result<Self> {
        check_schema(schema)?;
        let background = usize::try_from(pool.options().get_max_connections() / 2).unwrap_or_default().max(1);
        Ok(Self {
            inner: Arc::new(Inner {
                pool,
                schema,
                redis,
                unpublished: Notify::new(),
                timer_hints: TimerHints::default(),
                epoch: EpochSeen::default(),
                background: Semaphore::new(background),
                silence,
                write_effects: qualified(schema, "SELECT {schema}.write_effects($1)"),
                replay: qualified(
                    schema,
                    "SELECT request_hash, response FROM {schema}.idempotency_claims
                      WHERE principal = $1 AND method = $2 AND request_id = $3",
                ),
            }),
        })
    }

    /// The pool.
    pub fn pool(&self) -> &PgPool {
        &self.inner.pool
    }

    /// The schema, which is also the service's name in keys and metrics.
    pub fn schema(&self) -> &'static str {
        self.inner.schema
    }

    /// The connection to Redis.
    pub fn redis(&self) -> &RedisLink {
        &self.inner.redis
    }

    /// Opens a transaction. For jobs and consumers; an RPC writes one statement.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>> {
        self.inner.pool.begin().await.store()
    }

    /// Says, after a commit, what was written: the relay and the timer loops look at once instead of at their next
    /// scan. A hint only: losing it costs moments, never an event or a timer. Does not wait and does not fail.
    pub fn wake(&self, effects: &Effects) {
        if !effects.events.is_empty() {
            self.inner.unpublished.notify_one();
        }
        if !effects.timers.is_empty() {
            self.inner.timer_hints.offer(effects);
        }
    }

    /// SQL of this schema: `{schema}` in `template` becomes its name. Built once and kept, not per call.
    pub(crate) fn sql(&self, template: &str) -> SqlStr {
        qualified(self.inner.schema, template)
    }

    /// A place among the background transactions: half of the pool is always left to callers. Never held while another
    /// is asked for.
    pub(crate) async fn background(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed; were it, going on would be right.
        self.inner.background.acquire().await.ok()
    }

    pub(crate) fn silence(&self) -> &Silence {
        &self.inner.silence
    }

    pub(crate) fn unpublished(&self) -> &Notify {
        &self.inner.unpublished
    }

    pub(crate) fn timer_hints(&self) -> &TimerHints {
        &self.inner.timer_hints
    }

    pub(crate) fn epoch_seen(&self) -> &EpochSeen {
        &self.inner.epoch
    }

    pub(crate) fn write_effects_sql(&self) -> SqlStr {
        self.inner.write_effects.clone()
    }

    pub(crate) fn replay_sql(&self) -> SqlStr {
        self.inner.replay.clone()
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Db({})", self.inner.schema)
    }
}

/// The one place where a name becomes part of SQL; the name was checked by [`check_schema`].
pub(crate) fn qualified(schema: &'static str, template: &str) -> SqlStr {
    AssertSqlSafe(Arc::<str>::from(template.replace("{schema}", schema))).into_sql_str()
}

pub(crate) fn check_schema(schema: &str) -> Result<()> {
    let plain = schema.starts_with(|first: char| first.is_ascii_lowercase())
        && schema.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if plain { Ok(()) } else { Err(steward_kit::Error::bug("a schema's name is lower-case letters, digits and _")) }
}
