//! The RPCs of `LineageService`.

use std::sync::Arc;

use steward_kit::auth::Actor;
use steward_kit::error::Violations;
use steward_kit::ids::WorkOrderId;
use steward_kit::paging::{PageTokens, Query};
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::lineage_service_server::LineageService;
use tonic::{Request, Response, Status};

use super::decode::{id, target};
use super::mutation::call;
use super::{encode, received};
use crate::app::App;
use crate::contract::Code;
use crate::domain::{DuplicateReason, Lineage, Split};
use crate::store::OrderKey;

/// The service.
pub(crate) struct Lineages {
    app: Arc<App>,
    pages: PageTokens,
}

impl Lineages {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl LineageService for Lineages {
    async fn list_duplicate_candidates(
        &self,
        request: Request<pb::ListDuplicateCandidatesRequest>,
    ) -> Answer<pb::ListDuplicateCandidatesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let order: Option<WorkOrderId> = id(&mut bad, "work_order_id", &request.work_order_id);
        let order = bad.build(|| order)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListDuplicateCandidates", &request);
        let page = self.pages.request(&query, size, &token)?;
        let found = self.app.list_duplicate_candidates(&access, order, &page).await?;
        let page = self.pages.page(&query, page.size, found, |(order, _)| OrderKey::of(order))?;
        let candidate = |(order, reasons): &(_, Vec<DuplicateReason>)| pb::DuplicateCandidate {
            work_order: Some(encode::listed(order, &access)),
            reasons: reasons.iter().map(|reason| reason.number()).collect(),
        };
        let candidates = page.rows.iter().map(candidate).collect();
        Ok(Response::new(pb::ListDuplicateCandidatesResponse { candidates, next_page_token: page.next_page_token }))
    }

    async fn merge_work_orders(&self, request: Request<pb::MergeWorkOrdersRequest>) -> Answer<pb::MergeWorkOrdersResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, &request.work_order_id, &request.etag);
        let mut duplicates = bad.ids::<WorkOrderId>("duplicate_ids", &request.duplicate_ids);
        let target = bad.build(|| target)?;
        // Who is named twice is merged once. In the order of their reports, which the lead keeps.
        duplicates.sort_unstable();
        duplicates.dedup();
        Ok(Response::new(self.app.merge_work_orders(&call(&access, &request)?, target, &duplicates).await?))
    }

    async fn split_work_order(&self, request: Request<pb::SplitWorkOrderRequest>) -> Answer<pb::SplitWorkOrderResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, &request.work_order_id, &request.etag);
        let description = bad.text("description", &request.description);
        let (target, description) = bad.build(|| Some((target?, description?)))?;
        let command = Split {
            actor: Actor::of(&access.principal),
            kind: Code::of_number(request.kind),
            category: Some(request.category.clone()).filter(|category| !category.is_empty()),
            urgency: Code::of_number(request.urgency),
            description: description.into(),
            location: request.location.trim().to_owned().into(),
        };
        Ok(Response::new(self.app.split_work_order(&call(&access, &request)?, target, &command).await?))
    }
}

/// How an order belongs together with others; nothing for one that stands alone.
pub(super) fn lineage(lineage: &Lineage) -> Option<pb::Lineage> {
    let texts = |ids: &[WorkOrderId]| ids.iter().map(ToString::to_string).collect();
    let text = |id: Option<WorkOrderId>| id.map(|id| id.to_string()).unwrap_or_default();
    (!lineage.is_alone()).then(|| pb::Lineage {
        duplicate_of: text(lineage.duplicate_of),
        duplicate_ids: texts(&lineage.duplicates),
        split_from: text(lineage.split_from),
        split_into: texts(&lineage.split_into),
    })
}
