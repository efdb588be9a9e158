//! The gateway: one address for client apps.
//!
//! It authenticates, limits, aggregates and forwards; it holds no data and decides no rule. gRPC, gRPC-Web and JSON
//! calls go through one stack, built top to bottom in [`serve`].

pub mod aggregate;
mod board;
mod config;
pub mod forward;
pub mod grpc;
pub mod json;
pub mod limits;
pub mod localize;
pub mod methods;
pub mod openapi;
pub mod plans;
mod policy_owner;
mod stack;

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context as _;
use prost_reflect::DescriptorPool;
use steward_kit::{
    auth::{AuthLayer, PermissionTable},
    client::{Identity, Pool},
    clock::Clock,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use crate::config::GatewayConfig;
use crate::{
    aggregate::Services,
    forward::Upstreams,
    limits::Limits,
    localize::Sentences,
    methods::{Methods, Owner},
    plans::Plans,
};

/// Serves `listener` until `shutdown`, then drains, by the clock of the configuration.
///
/// # Errors
/// The configuration cannot be used, an RPC declares no permission, or the listener fails.
pub async fn serve(config: GatewayConfig, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    let clock = config.clock.clock().context("the movable clock")?;
    serve_by(clock, config, listener, shutdown).await
}

/// [`serve`] by a given clock, for tests that move it.
///
/// # Errors
/// As [`serve`].
pub async fn serve_by(clock: Clock, config: GatewayConfig, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    let table = PermissionTable::whole_suite()?;
    let auth = AuthLayer::new(config.auth.verifier(&clock)?, table, config.auth.roles()?);
    let limits = Limits::new(config.requests_per_second, config.request_burst);

    // Connections to each service, shared by what is forwarded and what is put together here.
    let identity = Identity::new(&config.server.tls, None)?;
    let pools = BTreeMap::from([
        (Owner::Customer, Pool::at(&config.customer_url, &identity)?),
        (Owner::WorkOrder, Pool::at(&config.work_order_url, &identity)?),
        (Owner::Notification, Pool::at(&config.notification_url, &identity)?),
        (Owner::Survey, Pool::at(&config.survey_url, &identity)?),
        (Owner::Care, Pool::at(&config.care_url, &identity)?),
    ]);
    let services = Services::new(&config, &pools, Plans::shipped()?, clock)?;
    let methods = Arc::new(Methods::of(steward_proto::descriptor_pool()));
    let upstreams = Upstreams::new(pools, methods, config.default_deadline());

    let stack = stack::Stack { auth, limits: limits.clone(), sentences: Sentences::shipped()?, upstreams, services };
    let forgetting = shutdown.clone();
    #[expect(clippy::disallowed_methods, reason = "ends with the shutdown token; nothing is lost when it is cut off")]
    tokio::spawn(async move {
        let mut period = tokio::time::interval(Limits::FORGET_PERIOD);
        while forgetting.run_until_cancelled(period.tick()).await.is_some() {
            limits.forget_idle();
        }
    });
    stack::serve(&config, stack, listener, shutdown).await
}

/// The OpenAPI file of the JSON API.
///
/// # Errors
/// A path option of the contract cannot be served.
pub fn openapi_document() -> anyhow::Result<serde_json::Value> {
    let pool = DescriptorPool::decode(steward_proto::COMMENTED_DESCRIPTOR_SET)?;
    let routes = json::Routes::of(&pool, methods::is_public)?;
    Ok(openapi::document(&pool, &routes))
}
