//! What the gateway puts together from several services.
//!
//! Every call below goes out with the caller's own token: an aggregate can show nobody what they could not have asked
//! for themselves.

mod apply_service_plan;
mod customer_360;
mod lookup_caller;
mod section;
mod service_plans;
mod submit_report;

pub(crate) use section::{Unavailable, within};

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use http::HeaderValue;
use http::header::AUTHORIZATION;
use steward_kit::{
    client::{Peer, Pool},
    clock::Clock,
};
use steward_proto::{
    customer::v1::{
        audience_service_client::AudienceServiceClient, customer_service_client::CustomerServiceClient,
        tenure_service_client::TenureServiceClient, timeline_service_client::TimelineServiceClient,
    },
    metric::v1::metric_service_client::MetricServiceClient,
    notification::v1::message_service_client::MessageServiceClient,
    plan::v1::policy_service_client::PolicyServiceClient,
    work_order::v1::work_order_service_client::WorkOrderServiceClient,
};

use crate::{GatewayConfig, methods::Owner, plans::Plans};

/// Clients of the services behind the gateway.
#[derive(Clone)]
pub struct Services {
    pub(crate) customers: CustomerServiceClient<Peer>,
    pub(crate) tenures: TenureServiceClient<Peer>,
    pub(crate) timelines: TimelineServiceClient<Peer>,
    pub(crate) work_orders: WorkOrderServiceClient<Peer>,
    pub(crate) messages: MessageServiceClient<Peer>,
    /// Who keeps policies: the same service at each of them, for the kinds that it owns.
    pub(crate) policies: BTreeMap<Owner, PolicyServiceClient<Peer>>,
    /// Who knows the households that rates are of.
    pub(crate) audiences: AudienceServiceClient<Peer>,
    /// Who counts facts: the same service at each of them, for the metrics that it owns.
    metrics: BTreeMap<Owner, MetricServiceClient<Peer>>,
    pub(crate) plans: Arc<Plans>,
    pub(crate) section_deadline: Duration,
    pub(crate) clock: Clock,
}

impl Services {
    /// Clients of the services that `pools` lead to; they connect when first used.
    ///
    /// # Errors
    /// A service is missing.
    pub fn new(config: &GatewayConfig, pools: &BTreeMap<Owner, Pool>, plans: Plans, clock: Clock) -> steward_kit::Result<Self> {
        let peer = |owner: Owner| {
            let pool =
                pools.get(&owner).ok_or_else(|| steward_kit::Error::bug(format!("no address is configured for {}", owner.name())))?;
            Peer::over(pool.clone(), config.default_deadline(), None)
        };
        let (customer, work_order, notification) = (peer(Owner::Customer)?, peer(Owner::WorkOrder)?, peer(Owner::Notification)?);
        let (survey, care) = (peer(Owner::Survey)?, peer(Owner::Care)?);
        let peers = [
            (Owner::Customer, customer.clone()),
            (Owner::WorkOrder, work_order.clone()),
            (Owner::Notification, notification.clone()),
            (Owner::Survey, survey),
            (Owner::Care, care),
        ];
        Ok(Self {
            policies: peers.clone().map(|(owner, peer)| (owner, PolicyServiceClient::new(peer))).into(),
            metrics: peers.map(|(owner, peer)| (owner, MetricServiceClient::new(peer))).into(),
            audiences: AudienceServiceClient::new(customer.clone()),
            plans: Arc::new(plans),
            customers: CustomerServiceClient::new(customer.clone()),
            tenures: TenureServiceClient::new(customer.clone()),
            timelines: TimelineServiceClient::new(customer),
            work_orders: WorkOrderServiceClient::new(work_order),
            messages: MessageServiceClient::new(notification),
            section_deadline: config.section_deadline(),
            clock,
        })
    }
}

impl Services {
    /// Who counts the facts of a service.
    pub(crate) fn metrics_of(&self, owner: Owner) -> steward_kit::Result<MetricServiceClient<Peer>> {
        let client = self.metrics.get(&owner).cloned();
        client.ok_or_else(|| steward_kit::Error::bug(format!("{} counts no metrics", owner.name())))
    }
}

/// The caller's token, to be carried by the calls made for them.
#[derive(Clone)]
pub(crate) struct Caller(HeaderValue);

impl Caller {
    /// Of a request that passed authentication.
    pub(crate) fn of<T>(request: &tonic::Request<T>) -> steward_kit::Result<Self> {
        let token = request.metadata().as_ref().get(AUTHORIZATION);
        token.cloned().map(Self).ok_or(steward_kit::Error::Unauthenticated { detail: "no bearer token" })
    }

    /// A request made for the caller.
    pub(crate) fn ask<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        request.metadata_mut().as_mut().insert(AUTHORIZATION, self.0.clone());
        request
    }
}
