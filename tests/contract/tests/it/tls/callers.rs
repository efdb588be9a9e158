//! Who gets through the handshake, and who may call.

use std::time::Duration;

use anyhow::Result;
use steward_harness::certificates::Authority;
use steward_kit::{
    client::{Identity, Peer},
    config::TlsConfig,
};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt as _;

use super::world::{Caller, SERVING, World, free_address};

async fn code(caller: &Caller) -> Code {
    caller.call().await.map_or_else(|status| status.code(), |()| Code::Ok)
}

#[tokio::test]
async fn nobody_gets_in_without_a_certificate_of_the_house() -> Result<()> {
    let world = World::new(|_| {}).await?;
    assert_eq!(code(&world.caller_with(&world.authority.issue(&["gateway"])?)?).await, Code::Ok);

    // Of another authority, though of the same name.
    let stranger = Authority::new("steward")?.issue(&["gateway"])?;
    assert_eq!(code(&world.caller_with(&stranger)?).await, Code::Unavailable, "of another authority");
    let ended = world.authority.issue_until(&["gateway"], 2025)?;
    assert_eq!(code(&world.caller_with(&ended)?).await, Code::Unavailable, "ended");

    let nobody = TlsConfig { call_ca_file: Some(world.server.file("ca.crt")), ..TlsConfig::default() };
    let url = format!("https://localhost:{}", world.address.port());
    assert_eq!(code(&Caller::new(url.clone(), &nobody)?).await, Code::Unavailable, "without one");
    assert_eq!(code(&Caller::new(url.replace("https", "http"), &TlsConfig::default())?).await, Code::Unavailable, "without TLS");
    let refused = world.metric(r#"steward_connections_refused_total{cause="handshake"}"#).await?;
    assert!(refused.is_some_and(|count| count >= 4.0), "{refused:?}");
    assert_eq!(world.lines("handshake"), Vec::<String>::new(), "a scanner does not fill the log");
    Ok(())
}

#[tokio::test]
async fn a_caller_calls_nobody_but_whom_it_meant() -> Result<()> {
    let mut world = World::new(|_| {}).await?;
    let gateway = world.authority.issue(&["gateway"])?;
    assert_eq!(code(&world.caller_with(&gateway)?).await, Code::Ok);
    // The port is now somebody else's, of the same house.
    world.server.swap(&world.authority.issue_until(&["work-order"], 2091)?, world.authority.pem())?;
    world.metric_is(SERVING, 3_818_448_000.0).await?;
    assert_eq!(code(&world.caller_with(&gateway)?).await, Code::Unavailable, "another name");
    Ok(())
}

/// XC-31
#[tokio::test]
async fn only_those_in_the_list_may_call_and_the_others_are_audited() -> Result<()> {
    let list = ["gateway.steward.svc", "spiffe://steward/survey"].map(str::to_owned).to_vec();
    let world = World::new(|config| config.tls.tls_callers = list).await?;
    for names in [["x", "gateway.steward.svc"], ["x", "spiffe://steward/survey"]] {
        assert_eq!(code(&world.caller_with(&world.authority.issue(&names)?)?).await, Code::Ok, "{names:?}");
    }
    assert_eq!(world.lines("refused by its certificate"), Vec::<String>::new());
    for names in [["care.steward.svc", "x"], ["GATEWAY.steward.svc.evil", "x"], ["gateway.steward", "spiffe://steward/survey2"]] {
        let refusal = world.caller_with(&world.authority.issue(&names)?)?.call().await.expect_err("not in the list");
        assert_eq!(refusal.code(), Code::PermissionDenied, "{names:?}");
        let info = refusal.get_details_error_info().expect("an ErrorInfo");
        assert_eq!(info.metadata["permission"], "certificate.caller");
        let lines = world.lines(names[0]);
        let [line] = lines.as_slice() else { panic!("one line for {names:?}, not {lines:?}") };
        for part in [r#""target":"audit""#, "/grpc.health.v1.Health/Check", "a caller was refused by its certificate"] {
            assert!(line.contains(part), "{part} is missing in {line}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn probes_have_a_plain_port_that_answers_nothing_else() -> Result<()> {
    let address = free_address()?;
    let world = World::new(|config| config.health_listen = Some(address)).await?;
    assert_eq!(code(&world.caller_with(&world.authority.issue(&["gateway"])?)?).await, Code::Ok, "it serves");
    let peer = Peer::connect(&format!("http://{address}"), Duration::from_secs(2), &Identity::plain(None))?;
    for service in ["", "liveness"] {
        let question = HealthCheckRequest { service: service.to_owned() };
        let answer = HealthClient::new(peer.clone()).check(question).await?;
        assert_eq!(answer.get_ref().status(), tonic_health::pb::health_check_response::ServingStatus::Serving, "{service}");
    }
    let mut others = steward_proto::customer::v1::estate_service_client::EstateServiceClient::new(peer);
    let refusal = others.list_estates(steward_proto::customer::v1::ListEstatesRequest::default()).await.expect_err("no such service");
    assert_eq!(refusal.code(), Code::Unimplemented);
    Ok(())
}
