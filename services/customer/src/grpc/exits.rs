//! ExitService.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::paging::Query;
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::customer::v1 as pb;
use tonic::{Request, Response, Status};

use super::{decode, mutation, received};
use crate::app::{App, NewExit};
use crate::contract::Code;
use crate::domain::exit::Exit;
use crate::store::exits::ExitCursor;

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Exits(pub(super) Arc<App>);

mutation::mutations! {
    "RecordExit": RecordExitRequest -> RecordExitResponse { exit: Exit = exit },
}

#[tonic::async_trait]
impl pb::exit_service_server::ExitService for Exits {
    async fn record_exit(&self, request: Request<pb::RecordExitRequest>) -> Result<Response<pb::RecordExitResponse>, Status> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate_id = decode::id(&mut bad, "estate_id", &request.estate_id);
        let customer_id = decode::optional_id(&mut bad, "customer_id", &request.customer_id);
        let kind = decode::required(&mut bad, "kind", request.kind);
        let exit_date = decode::date(&mut bad, "exit_date", &request.exit_date);
        let cause_work_order_ids = bad.ids("cause_work_order_ids", &request.cause_work_order_ids);
        let new =
            bad.build(|| Some(NewExit { estate_id: estate_id?, customer_id, kind: kind?, exit_date: exit_date?, cause_work_order_ids }))?;
        Ok(Response::new(self.0.record_exit(&mutation::call(&access, &request)?, new).await?))
    }

    async fn list_exits(&self, request: Request<pb::ListExitsRequest>) -> Result<Response<pb::ListExitsResponse>, Status> {
        let (access, mut request) = received(request)?;
        let estate = decode::only_id(&request, "estate_id", &request.estate_id)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListExits", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let found = self.0.list_exits(&access, estate, &page).await?;
        let cursor = |exit: &Exit| ExitCursor { exit_date: exit.exit_date, id: exit.id.as_uuid() };
        let page = self.0.pages.page(&query, page.size, found, cursor)?;
        Ok(Response::new(pb::ListExitsResponse { exits: page.rows.iter().map(exit).collect(), next_page_token: page.next_page_token }))
    }
}

fn exit(exit: &Exit) -> pb::Exit {
    pb::Exit {
        id: exit.id.to_string(),
        estate_id: exit.estate_id.to_string(),
        customer_id: exit.customer_id.map(|id| id.to_string()).unwrap_or_default(),
        kind: exit.kind.number(),
        exit_date: to_date(exit.exit_date),
        tenure_id: exit.tenure_id.map(|id| id.to_string()).unwrap_or_default(),
        cause_work_order_ids: exit.cause_work_order_ids.iter().map(ToString::to_string).collect(),
        source: exit.source.as_str().to_owned(),
        create_time: Some(to_timestamp(exit.create_time)),
    }
}
