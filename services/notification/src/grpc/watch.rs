//! The stream of an inbox. Wakes are hints; what is read lies between two positions, so nothing is left out and, with the
//! last cursor kept, nothing comes twice.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, stream};
use jiff::{SignedDuration, Timestamp};
use steward_kit::Result;
use steward_kit::paging::PageTokens;
use steward_proto::notification::v1 as pb;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::inbox::{encode, seal};
use crate::app::App;
use crate::domain::inbox::{InboxItem, Reader};
use crate::store::inbox::{items_between, sequence_items};

/// What WatchInbox answers.
pub(super) type Watched = Pin<Box<dyn Stream<Item = Result<pb::WatchInboxResponse, Status>> + Send>>;

/// How often a quiet stream gives a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);

/// Most items read at once.
const BATCH: i64 = 200;

struct Watching {
    app: Arc<App>,
    pages: PageTokens,
    reader: Reader,
    /// Everything up to here was read from the table.
    position: i64,
    /// Items beyond the position were placed after this.
    since: Timestamp,
    /// Read and not sent yet.
    ready: VecDeque<InboxItem>,
    head: watch::Receiver<i64>,
    shutdown: CancellationToken,
    ended: bool,
}

/// Watches an inbox after position `after`; `None` from now on.
pub(super) async fn watch(
    app: Arc<App>,
    pages: PageTokens,
    reader: Reader,
    after: Option<i64>,
    shutdown: CancellationToken,
) -> Result<Watched> {
    let head = app.wakes.head();
    let now_at = sequence_items(app.db.pool(), app.clock.now()).await?;
    app.wakes.reached(now_at);
    // How far back a cursor of the caller lies is not known.
    let since = after.map_or_else(|| lately(&app), |_| Timestamp::UNIX_EPOCH);
    let watching =
        Watching { app, pages, reader, position: after.unwrap_or(now_at), since, ready: VecDeque::new(), head, shutdown, ended: false };
    Ok(Box::pin(stream::unfold(watching, |mut watching| async move {
        let next = watching.next().await?;
        Some((next.map_err(Status::from), watching))
    })))
}

impl Watching {
    async fn next(&mut self) -> Option<Result<pb::WatchInboxResponse>> {
        while !self.ended {
            if let Some(item) = self.ready.pop_front() {
                let answer = seal(&self.pages, &self.reader, item.position)
                    .map(|cursor| pb::WatchInboxResponse { item: Some(encode(&item)), cursor });
                return Some(answer);
            }
            let head = *self.head.borrow_and_update();
            if head > self.position {
                if let Err(error) = self.read(head).await {
                    self.ended = true;
                    return Some(Err(error));
                }
                continue;
            }
            tokio::select! {
                _changed = self.head.changed() => {}
                () = self.shutdown.cancelled() => self.ended = true,
                () = tokio::time::sleep(SIGN_OF_LIFE) => {
                    let sign = seal(&self.pages, &self.reader, self.position).map(|cursor| pb::WatchInboxResponse { item: None, cursor });
                    return Some(sign);
                }
            }
        }
        None
    }

    /// Reads what lies between the position and `head`, or the first of it.
    async fn read(&mut self, head: i64) -> Result<()> {
        let before = lately(&self.app);
        let items = items_between(self.app.db.pool(), &self.reader, (self.position, head), self.since, BATCH).await?;
        let is_all = i64::try_from(items.len()).is_ok_and(|count| count < BATCH);
        if is_all {
            self.since = before;
        }
        self.position = match items.last() {
            Some(last) if !is_all => last.position,
            Some(_) | None => head,
        };
        self.ready.extend(items);
        Ok(())
    }
}

/// A while ago: clocks of replicas differ a little.
fn lately(app: &App) -> Timestamp {
    app.clock.now().saturating_sub(SignedDuration::from_hours(1)).unwrap_or(Timestamp::UNIX_EPOCH)
}
