//! The RPCs of `WorkOrderService`.

use std::sync::Arc;

use steward_kit::auth::Actor;
use steward_kit::paging::{PageTokens, Query};
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::work_order_service_server::WorkOrderService;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::mutation::call;
use super::watch::{self, Watched};
use super::{decode, dispatch, encode, field_work, received};
use crate::app::App;
use crate::store::{CallKey, OrderKey};

/// The service.
pub(crate) struct WorkOrders {
    app: Arc<App>,
    pages: PageTokens,
    /// Streams end when the process does.
    shutdown: CancellationToken,
}

impl WorkOrders {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens, shutdown: CancellationToken) -> Self {
        Self { app, pages, shutdown }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl WorkOrderService for WorkOrders {
    async fn create_work_order(&self, request: Request<pb::CreateWorkOrderRequest>) -> Answer<pb::CreateWorkOrderResponse> {
        let (access, request) = received(request)?;
        let report = decode::create(&request)?;
        Ok(Response::new(self.app.create_work_order(&call(&access, &request)?, report).await?))
    }

    async fn get_work_order(&self, request: Request<pb::GetWorkOrderRequest>) -> Answer<pb::GetWorkOrderResponse> {
        let (access, request) = received(request)?;
        let order = self.app.load(&access, decode::get(&request)?).await?;
        Ok(Response::new(pb::GetWorkOrderResponse { work_order: Some(encode::work_order(&order, &access)) }))
    }

    async fn list_work_orders(&self, request: Request<pb::ListWorkOrdersRequest>) -> Answer<pb::ListWorkOrdersResponse> {
        let (access, mut request) = received(request)?;
        let filter = decode::list(&request)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListWorkOrders", &request);
        let page = self.pages.request(&query, size, &token)?;
        let orders = self.app.list_work_orders(&access, &filter, &page).await?;
        let page = self.pages.page(&query, page.size, orders, OrderKey::of)?;
        let work_orders = page.rows.iter().map(|order| encode::listed(order, &access)).collect();
        Ok(Response::new(pb::ListWorkOrdersResponse { work_orders, next_page_token: page.next_page_token }))
    }

    async fn list_owed_calls(&self, request: Request<pb::ListOwedCallsRequest>) -> Answer<pb::ListOwedCallsResponse> {
        let (access, mut request) = received(request)?;
        let estate = decode::owed_calls(&request)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListOwedCalls", &request);
        let page = self.pages.request(&query, size, &token)?;
        let orders = self.app.list_owed_calls(&access, estate, &page).await?;
        let page = self.pages.page(&query, page.size, orders, CallKey::of)?;
        let work_orders = page.rows.iter().map(|order| encode::listed(order, &access)).collect();
        Ok(Response::new(pb::ListOwedCallsResponse { work_orders, next_page_token: page.next_page_token }))
    }

    async fn search_work_orders(&self, request: Request<pb::SearchWorkOrdersRequest>) -> Answer<pb::SearchWorkOrdersResponse> {
        let (access, mut request) = received(request)?;
        let estate = decode::search(&request)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("SearchWorkOrders", &request);
        let page = self.pages.request(&query, size, &token)?;
        let orders = self.app.search_work_orders(&access, estate, request.query.trim(), &page).await?;
        let page = self.pages.page(&query, page.size, orders, OrderKey::of)?;
        let work_orders = page.rows.iter().map(|order| encode::listed(order, &access)).collect();
        Ok(Response::new(pb::SearchWorkOrdersResponse { work_orders, next_page_token: page.next_page_token }))
    }

    async fn list_history(&self, request: Request<pb::ListHistoryRequest>) -> Answer<pb::ListHistoryResponse> {
        let (access, mut request) = received(request)?;
        let id = decode::history(&request)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListHistory", &request);
        let page = self.pages.request(&query, size, &token)?;
        let entries = self.app.list_history(&access, id, &page).await?;
        let page = self.pages.page(&query, page.size, entries, |entry| entry.position)?;
        let entries = page.rows.iter().map(|entry| encode::entry(entry, &access)).collect();
        Ok(Response::new(pb::ListHistoryResponse { entries, next_page_token: page.next_page_token }))
    }

    type WatchWorkOrderStream = Watched;

    async fn watch_work_order(&self, request: Request<pb::WatchWorkOrderRequest>) -> Answer<Watched> {
        let (access, request) = received(request)?;
        let (id, seen) = decode::watch(&request)?;
        Ok(Response::new(watch::watch(self.app.clone(), access, id, seen, self.shutdown.clone()).await?))
    }

    async fn explain_clock(&self, request: Request<pb::ExplainClockRequest>) -> Answer<pb::ExplainClockResponse> {
        let (access, request) = received(request)?;
        let id = decode::explain(&request)?;
        let (clock, explanation) = self.app.explain_clock(&access, id, &request.clock, request.cycle).await?;
        Ok(Response::new(encode::explanation(&clock, &explanation)))
    }

    async fn compute_due_time(&self, request: Request<pb::ComputeDueTimeRequest>) -> Answer<pb::ComputeDueTimeResponse> {
        let (access, request) = received(request)?;
        let (estate, start, span) = decode::compute(&request)?;
        let estimate = self.app.compute_due_time(&access, estate, start, &span).await?;
        Ok(Response::new(encode::estimate(&estimate)))
    }

    async fn classify_work_order(&self, request: Request<pb::ClassifyWorkOrderRequest>) -> Answer<pb::ClassifyWorkOrderResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::classify(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.classify_work_order(&call(&access, &request)?, target, command).await?))
    }

    async fn assign_work_order(&self, request: Request<pb::AssignWorkOrderRequest>) -> Answer<pb::AssignWorkOrderResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::assign(&request, &access.principal)?;
        Ok(Response::new(self.app.assign_work_order(&call(&access, &request)?, target, command).await?))
    }

    async fn accept_offer(&self, request: Request<pb::AcceptOfferRequest>) -> Answer<pb::AcceptOfferResponse> {
        let (access, request) = received(request)?;
        let target = dispatch::accept_offer(&request)?;
        Ok(Response::new(self.app.accept_offer(&call(&access, &request)?, target).await?))
    }

    async fn decline_offer(&self, request: Request<pb::DeclineOfferRequest>) -> Answer<pb::DeclineOfferResponse> {
        let (access, request) = received(request)?;
        let (target, command) = dispatch::decline_offer(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.decline_offer(&call(&access, &request)?, target, command).await?))
    }

    async fn explain_dispatch(&self, request: Request<pb::ExplainDispatchRequest>) -> Answer<pb::ExplainDispatchResponse> {
        let (access, request) = received(request)?;
        let runs = self.app.explain_dispatch(&access, dispatch::explain(&request)?).await?;
        Ok(Response::new(pb::ExplainDispatchResponse { runs: runs.iter().map(dispatch::run).collect() }))
    }

    async fn grab_work_order(&self, request: Request<pb::GrabWorkOrderRequest>) -> Answer<pb::GrabWorkOrderResponse> {
        let (access, request) = received(request)?;
        let target = decode::grab(&request)?;
        Ok(Response::new(self.app.grab_work_order(&call(&access, &request)?, target).await?))
    }

    async fn accept_work_order(&self, request: Request<pb::AcceptWorkOrderRequest>) -> Answer<pb::AcceptWorkOrderResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::accept(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.accept_work_order(&call(&access, &request)?, target, command).await?))
    }

    async fn contact_customer(&self, request: Request<pb::ContactCustomerRequest>) -> Answer<pb::ContactCustomerResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::contact(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.contact_customer(&call(&access, &request)?, target, command).await?))
    }

    async fn assess_work_order(&self, request: Request<pb::AssessWorkOrderRequest>) -> Answer<pb::AssessWorkOrderResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::assess(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.assess_work_order(&call(&access, &request)?, target, command).await?))
    }

    async fn arrive_on_site(&self, request: Request<pb::ArriveOnSiteRequest>) -> Answer<pb::ArriveOnSiteResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::arrive(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.arrive_on_site(&call(&access, &request)?, target, command).await?))
    }

    async fn complete_work_order(&self, request: Request<pb::CompleteWorkOrderRequest>) -> Answer<pb::CompleteWorkOrderResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::complete(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.complete_work_order(&call(&access, &request)?, target, command).await?))
    }

    async fn record_callback(&self, request: Request<pb::RecordCallbackRequest>) -> Answer<pb::RecordCallbackResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::record_callback(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.record_callback(&call(&access, &request)?, target, command).await?))
    }

    async fn reopen_work_order(&self, request: Request<pb::ReopenWorkOrderRequest>) -> Answer<pb::ReopenWorkOrderResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::reopen(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.reopen_work_order(&call(&access, &request)?, target, command).await?))
    }

    async fn close_work_order(&self, request: Request<pb::CloseWorkOrderRequest>) -> Answer<pb::CloseWorkOrderResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::close(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.close_work_order(&call(&access, &request)?, target, command).await?))
    }

    async fn cancel_work_order(&self, request: Request<pb::CancelWorkOrderRequest>) -> Answer<pb::CancelWorkOrderResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::cancel(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.cancel_work_order(&call(&access, &request)?, target, command).await?))
    }

    async fn urge_work_order(&self, request: Request<pb::UrgeWorkOrderRequest>) -> Answer<pb::UrgeWorkOrderResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::urge(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.urge_work_order(&call(&access, &request)?, target, command).await?))
    }

    async fn suspend_work_order(&self, request: Request<pb::SuspendWorkOrderRequest>) -> Answer<pb::SuspendWorkOrderResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::suspend(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.suspend_work_order(&call(&access, &request)?, target, command).await?))
    }

    async fn resume_work_order(&self, request: Request<pb::ResumeWorkOrderRequest>) -> Answer<pb::ResumeWorkOrderResponse> {
        let (access, request) = received(request)?;
        let (target, command) = decode::resume(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.resume_work_order(&call(&access, &request)?, target, command).await?))
    }

    async fn agree_appointment(&self, request: Request<pb::AgreeAppointmentRequest>) -> Answer<pb::AgreeAppointmentResponse> {
        let (access, request) = received(request)?;
        let (target, command) = field_work::agree_appointment(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.agree_appointment(&call(&access, &request)?, target, command).await?))
    }

    async fn start_work(&self, request: Request<pb::StartWorkRequest>) -> Answer<pb::StartWorkResponse> {
        let (access, request) = received(request)?;
        let (target, command) = field_work::start_work(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.start_work(&call(&access, &request)?, target, command).await?))
    }

    async fn quote_work(&self, request: Request<pb::QuoteWorkRequest>) -> Answer<pb::QuoteWorkResponse> {
        let (access, request) = received(request)?;
        let (target, command) = field_work::quote_work(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.quote_work(&call(&access, &request)?, target, command).await?))
    }

    async fn confirm_quote(&self, request: Request<pb::ConfirmQuoteRequest>) -> Answer<pb::ConfirmQuoteResponse> {
        let (access, request) = received(request)?;
        let (target, command) = field_work::confirm_quote(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.confirm_quote(&call(&access, &request)?, target, command).await?))
    }

    async fn approve_suspension(&self, request: Request<pb::ApproveSuspensionRequest>) -> Answer<pb::ApproveSuspensionResponse> {
        let (access, request) = received(request)?;
        let (target, command) = field_work::approve_suspension(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.approve_suspension(&call(&access, &request)?, target, command).await?))
    }
}
