//! The edge: decode, ask the app, encode. Nothing here decides.

mod activities;
mod activity_messages;
mod annual_plans;
mod batches;
mod care_fund;
mod catalogue;
mod forums;
mod metrics;
mod obligations;
mod parcels;
mod programmes;
mod relationships;
mod request;
mod rounds;
mod service_packages;
mod stock;
mod touchpoints;
mod visits;

use std::sync::Arc;

use steward_kit::paging::PageTokens;

use crate::app::App;

/// What an RPC answers.
type Answer<T> = Result<tonic::Response<T>, tonic::Status>;

/// The RPCs of the service; each of its gRPC services is implemented by one file.
#[derive(Clone)]
pub(crate) struct Edge {
    app: Arc<App>,
    pages: PageTokens,
}

impl Edge {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}
