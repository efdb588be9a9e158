//! The RPCs of `InboxService`.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::ids::{EstateId, MessageId};
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_kit::{Error, Result};
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::inbox_service_server::InboxService;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response};

use super::Answer;
use super::request::{call, received};
use super::watch::{Watched, watch};
use crate::app::App;
use crate::contract::Code;
use crate::domain::inbox::{InboxItem, Reader};
use crate::store::inbox::{ItemFilter, ItemKey, list_items, sequence_items};

/// Most unread items that are counted.
const MOST_UNREAD: i64 = 100;

/// The service.
pub(crate) struct Inboxes {
    app: Arc<App>,
    pages: PageTokens,
    shutdown: CancellationToken,
}

impl Inboxes {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens, shutdown: CancellationToken) -> Self {
        Self { app, pages, shutdown }
    }
}

#[tonic::async_trait]
impl InboxService for Inboxes {
    type WatchInboxStream = Watched;

    /// Three trips: positions for what has just come in, the page, the unread count.
    async fn list_inbox_items(&self, request: Request<pb::ListInboxItemsRequest>) -> Answer<pb::ListInboxItemsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.optional_id::<EstateId>("estate_id", &request.estate_id);
        bad.finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListInboxItems", &request);
        let page = self.pages.request::<ItemKey>(&query, size, &token)?;
        let reader = Reader::of(&access);
        let db = self.app.db.pool();
        let now = self.app.clock.now();
        let head = sequence_items(db, now).await?;
        self.app.wakes.reached(head);
        let filter = ItemFilter { unread_only: request.unread_only, estate, since: None };
        let items = list_items(db, &reader, filter, page.after, page.size.limit(), now).await?;
        let unread = self.app.unread(&reader, 0).await?;
        let page = self.pages.page(&query, page.size, items, ItemKey::of)?;
        Ok(Response::new(pb::ListInboxItemsResponse {
            items: page.rows.iter().map(encode).collect(),
            next_page_token: page.next_page_token,
            unread_count: i32::try_from(unread.min(MOST_UNREAD)).unwrap_or(i32::MAX),
            cursor: seal(&self.pages, &reader, head)?,
        }))
    }

    async fn mark_inbox_items_read(&self, request: Request<pb::MarkInboxItemsReadRequest>) -> Answer<pb::MarkInboxItemsReadResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "MarkInboxItemsRead", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let ids = bad.ids::<MessageId>("message_ids", &request.message_ids);
        bad.finish()?;
        let answer = |left: i64| pb::MarkInboxItemsReadResponse { unread_count: i32::try_from(left).unwrap_or(i32::MAX) };
        Ok(Response::new(self.app.mark_inbox_items_read(&call, ids, answer).await?))
    }

    async fn watch_inbox(&self, request: Request<pb::WatchInboxRequest>) -> Answer<Watched> {
        let (access, request) = received(request)?;
        Violations::of(&request).finish()?;
        let reader = Reader::of(&access);
        let after = open(&self.pages, &reader, &request.cursor)?;
        Ok(Response::new(watch(self.app.clone(), self.pages.clone(), reader, after, self.shutdown.clone()).await?))
    }
}

/// A cursor: a position, sealed for its reader.
pub(super) fn seal(pages: &PageTokens, reader: &Reader, position: i64) -> Result<String> {
    pages.seal(&place(reader), &position)
}

fn open(pages: &PageTokens, reader: &Reader, cursor: &str) -> Result<Option<i64>> {
    let refused = |_| Error::invalid("cursor", "CURSOR_INVALID", "must be a cursor that this inbox gave out to the caller");
    pages.open(&place(reader), cursor).map_err(refused)
}

fn place(reader: &Reader) -> Query {
    Query::of(&format!("WatchInbox:{}", reader.subject), &pb::WatchInboxRequest::default())
}

pub(super) fn encode(item: &InboxItem) -> pb::InboxItem {
    pb::InboxItem {
        message_id: item.message_id.to_string(),
        estate_id: item.estate_id.to_string(),
        message_class: item.class.number(),
        template_key: item.template_key.clone(),
        title: item.title.clone(),
        body: item.body.clone(),
        subject_kind: item.subject_kind.clone(),
        subject_id: item.subject_id.map(|id| id.to_string()).unwrap_or_default(),
        staff_role: item.staff_role.clone().unwrap_or_default(),
        create_time: Some(to_timestamp(item.create_time)),
        read_time: item.read_time.map(to_timestamp),
    }
}
