//! The edge: decode, ask the app, encode. Nothing here decides.
//!
//! | file | one idea |
//! |---|---|
//! | `estates` `units` `customers` `contacts` `tenures` `exits` `households` `estate_imports` `timeline` | one resource each: its RPCs |
//! | `metrics` | the figures that this service owns |
//! | `mutation` | what every mutation has: a request id, a method, an answer |
//! | `decode` `decode_customers` `encode` | between the contract's messages and the domain's types |
//! | `watch` | the stream of an import |

mod audiences;
mod contacts;
mod customers;
mod decode;
mod decode_customers;
mod encode;
mod estate_imports;
mod estates;
mod exits;
mod households;
mod metrics;
mod mutation;
mod profiles;
mod renovations;
mod segments;
mod tags;
mod tenures;
mod timeline;
mod units;
mod watch;

use std::sync::Arc;

use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::server::Server;
use steward_kit_store::inbox::{DeadLetters, dead_letter_service};
use steward_kit_store::policy::policy_service;
use steward_proto::customer::v1 as pb;
use steward_proto::metric::v1::metric_service_server::MetricServiceServer;
use tokio_util::sync::CancellationToken;
use tonic::Request;

use crate::app::{App, OwnPolicies};
use crate::jobs::consumers;

/// Adds every service of the package, the one over the dead letters, and that of the policies of figures.
pub(crate) fn add_services(server: Server, app: &Arc<App>, shutdown: &CancellationToken) -> Server {
    let letters = DeadLetters::new(app.db.clone(), app.clock.clone(), consumers(app));
    server
        .add_service(dead_letter_service(letters, app.pages.clone()))
        .add_service(policy_service(app.db.clone(), app.clock.clone(), app.pages.clone(), OwnPolicies))
        .add_service(MetricServiceServer::new(metrics::Metrics(Arc::clone(app))))
        .add_service(pb::estate_service_server::EstateServiceServer::new(estates::Estates(Arc::clone(app))))
        .add_service(pb::unit_service_server::UnitServiceServer::new(units::Units(Arc::clone(app))))
        .add_service(pb::customer_service_server::CustomerServiceServer::new(customers::Customers(Arc::clone(app))))
        .add_service(pb::contact_service_server::ContactServiceServer::new(contacts::Contacts(Arc::clone(app))))
        .add_service(pb::tenure_service_server::TenureServiceServer::new(tenures::Tenures(Arc::clone(app))))
        .add_service(pb::exit_service_server::ExitServiceServer::new(exits::Exits(Arc::clone(app))))
        .add_service(pb::household_service_server::HouseholdServiceServer::new(households::Households(Arc::clone(app))))
        .add_service(pb::estate_import_service_server::EstateImportServiceServer::new(estate_imports::EstateImports::new(app, shutdown)))
        .add_service(pb::audience_service_server::AudienceServiceServer::new(audiences::Audiences(Arc::clone(app))))
        .add_service(pb::renovation_service_server::RenovationServiceServer::new(renovations::Renovations(Arc::clone(app))))
        .add_service(pb::profile_service_server::ProfileServiceServer::new(profiles::Profiles(Arc::clone(app))))
        .add_service(pb::tag_service_server::TagServiceServer::new(tags::Tags(Arc::clone(app))))
        .add_service(pb::segment_service_server::SegmentServiceServer::new(segments::Segments(Arc::clone(app))))
        .add_service(pb::timeline_service_server::TimelineServiceServer::new(timeline::Timeline(Arc::clone(app))))
}

/// A request taken apart: who asks, and what.
fn received<Q>(request: Request<Q>) -> Result<(Access, Q)> {
    let access = Access::of(&request)?.clone();
    Ok((access, request.into_inner()))
}
