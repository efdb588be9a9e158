//! A house whose rooms show certificates to each other: everything works through the gateway, and nothing around it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use steward_e2e::{House, Room};
use steward_harness::{Claims, certificates::Mount, story};
use steward_kit::{
    client::{Identity, Peer},
    config::TlsConfig,
};
use steward_proto::care::v1::{ListProgrammesRequest, programme_service_client::ProgrammeServiceClient};
use tonic::Code;

use crate::json::Json;

/// XC-31
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_works_through_the_gateway_and_nothing_around_it() -> Result<()> {
    let house = House::sealed("2026-07-14T01:00:00Z".parse()?).await?;
    // Forwarded calls and streams, events, and what services ask each other.
    Box::pin(story::load_sample(&house.stage().await?)).await?;
    let desk = Json::new(&house, Claims::staff("desk.li").role("customer_service").every_estate())?;
    let (customer, _) = desk.report_leak().await?;
    let picture = desk.get(&format!("/v1/customers/{customer}/360")).await?;
    assert!(picture["customer360"]["unavailableSections"].as_array().is_none_or(Vec::is_empty), "{picture}");

    // A good token around the gateway: nothing without a certificate, and no with one of a room that has no business there.
    let authority = house.authority().context("a sealed house")?;
    let token = house.token(Claims::staff("ops.lin").role("group_operations").every_estate())?;
    let file = house.dir().keep("ops.token", &token)?;
    let care = house.url(Room::Care)?.replace("http://127.0.0.1", "https://localhost");
    let around = async |tls: &TlsConfig| {
        let identity = Identity::new(tls, Some(steward_kit::auth::TokenSource::file(&file)))?;
        let mut programmes = ProgrammeServiceClient::new(Peer::connect(&care, Duration::from_secs(5), &identity)?);
        anyhow::Ok(programmes.list_programmes(ListProgrammesRequest::default()).await.map_or_else(|status| status.code(), |_| Code::Ok))
    };
    let mount = |name: &str| {
        let mut mount = Mount::new(house.dir().path().join(format!("around.{name}")))?;
        mount.swap(&authority.issue(&[format!("spiffe://steward/{name}").as_str()])?, authority.pem())?;
        anyhow::Ok(mount)
    };
    let (work_order, gateway) = (mount("work_order")?, mount("gateway")?);
    let of = |mount: &Mount| TlsConfig {
        call_ca_file: Some(mount.file("ca.crt")),
        call_cert_file: Some(mount.file("tls.crt")),
        call_key_file: Some(mount.file("tls.key")),
        ..TlsConfig::default()
    };
    let nobody = TlsConfig { call_cert_file: None, call_key_file: None, ..of(&work_order) };
    assert_eq!(around(&nobody).await?, Code::Unavailable, "no certificate");
    assert_eq!(around(&of(&work_order)).await?, Code::PermissionDenied, "work-order has no business at care");
    assert_eq!(around(&of(&gateway)).await?, Code::Ok, "the gateway has");
    house.close().await
}
