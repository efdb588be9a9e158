//! Connections that fell silent: nothing comes on them any more, and nobody says so (a balancer that forgot them, a server whose
//! machine is gone). The driver sets no keepalive and waits for an answer without end; it even waits so for the ping by which a
//! connection that was let go of is tested, and its place in the pool with it.
//!
//! One connection beside the pool is asked every second. If it does not answer, every connection of the pool is doubted: it has to
//! answer in time before it is used and when it comes back, or it is given up. What waits on one is told by nobody: callers have
//! their deadlines, and the jobs begin anew when longer has passed than any statement may take. They lose nothing by it that they
//! would not lose by a crash. Only a place whose caller gave up before the doubt stays taken, until the kernel gives up (some fifteen
//! minutes): the driver tests that connection as it tests every other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::db::Db;

/// From one question to the next.
const EVERY: Duration = Duration::from_secs(1);

/// A connection that has nothing else to do answers sooner.
const ANSWER: Duration = Duration::from_secs(2);

/// One that rested so long is asked before it is used: what came between is not known.
const RESTED: Duration = Duration::from_secs(30);

/// Whether the connections of a pool are doubted.
#[derive(Debug)]
pub(crate) struct Silence {
    born: Instant,
    /// When they were doubted last, in milliseconds since `born`; 0 if never.
    doubted: AtomicU64,
    /// Another connection than the one that is asked did not answer.
    not_heard: Notify,
    /// How long a statement may take.
    patience: Duration,
}

impl Silence {
    pub(crate) fn new(patience: Duration) -> Self {
        Self { born: Instant::now(), doubted: AtomicU64::new(0), not_heard: Notify::new(), patience }
    }

    fn doubt(&self) {
        let now = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        self.doubted.fetch_max(now, Ordering::AcqRel);
    }

    /// How long ago they were doubted last.
    fn since_doubted(&self) -> Option<Duration> {
        let at = self.doubted.load(Ordering::Acquire);
        (at > 0).then(|| self.born.elapsed().saturating_sub(Duration::from_millis(at)))
    }

    /// Before a connection is used: one that rested since before the doubt, or for long, has to answer.
    pub(crate) async fn before_use(&self, connection: &mut PgConnection, meta: PoolConnectionMetadata) -> Result<bool, sqlx::Error> {
        let is_doubted = self.since_doubted().is_some_and(|ago| meta.idle_for >= ago);
        if !is_doubted && meta.idle_for < RESTED {
            return Ok(true);
        }
        let answer = answers(connection).await;
        if answer.is_err() && !is_doubted {
            self.doubt();
            self.not_heard.notify_one();
        }
        answer.map(|()| true)
    }

    /// When a connection comes back: one that is older than the doubt has to answer, as long as somebody may have waited on it.
    pub(crate) async fn after_use(&self, connection: &mut PgConnection, meta: PoolConnectionMetadata) -> Result<bool, sqlx::Error> {
        let lasts = self.patience.saturating_mul(2);
        if self.since_doubted().is_some_and(|ago| ago < lasts && meta.age >= ago) {
            answers(connection).await?;
        }
        Ok(true)
    }
}

async fn answers(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let answer = timeout(ANSWER, connection.ping()).await;
    answer.unwrap_or_else(|late| Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, late))))
}

/// The job that asks. `begin_anew` goes up whenever jobs that wait for Postgres may wait in vain.
pub(crate) async fn watch(db: Db, begin_anew: watch::Sender<u64>, stop: CancellationToken) {
    let listening = async {
        loop {
            if listen(&db).await.is_none() {
                continue;
            }
            tracing::warn!(schema = db.schema(), "connections to Postgres fell silent; what waited on them begins anew");
            begin_anew.send_modify(|times| *times += 1);
        }
    };
    stop.run_until_cancelled(listening).await;
}

/// Asks until there is no answer, and then waits until nothing can be under way any more that had one. `None` if it is known
/// otherwise what became of the connection.
async fn listen(db: &Db) -> Option<()> {
    let silence = db.silence();
    let options = db.pool().connect_options();
    // Postgres is away, and says so; it is for others to tell.
    let Ok(Ok(mut beside)) = timeout(ANSWER, options.connect()).await else {
        sleep(EVERY).await;
        return None;
    };
    loop {
        let mut asked = beside.ping().boxed();
        match timeout(ANSWER, &mut asked).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return None,
            Err(_) => {
                silence.doubt();
                // An answer that comes late says that the way is slow, not that it is gone.
                return match timeout(silence.patience, asked).await {
                    Ok(Ok(())) => None,
                    Ok(Err(_)) | Err(_) => is_back(db).await,
                };
            }
        }
        drop(asked);
        tokio::select! {
            () = sleep(EVERY) => {}
            () = silence.not_heard.notified() => {
                sleep(silence.patience).await;
                return is_back(db).await;
            }
        }
    }
}

/// Waits until Postgres can be asked at all.
async fn is_back(db: &Db) -> Option<()> {
    let options = db.pool().connect_options();
    loop {
        if let Ok(Ok(fresh)) = timeout(ANSWER, options.connect()).await {
            drop(timeout(ANSWER, fresh.close()).await);
            return Some(());
        }
        sleep(EVERY).await;
    }
}
