//! Certificates are swapped as Kubernetes does it, by one rename beneath the names.

use std::time::Duration;

use anyhow::Result;
use steward_harness::certificates::Authority;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;

use super::world::{RELOAD_MS, SERVING, World, Y2090};

const REPLACED: &str = r#"steward_certificate_reloads_total{outcome="replaced",side="serving"}"#;
const REFUSED: &str = r#"steward_certificate_reloads_total{outcome="refused",side="serving"}"#;

/// The first seconds of later years.
const Y2091: f64 = 3_818_448_000.0;
const Y2092: f64 = 3_849_984_000.0;

#[tokio::test]
async fn a_new_certificate_is_used_and_what_stands_lives_on() -> Result<()> {
    let mut world = World::new(|_| {}).await?;
    let caller = world.caller_with(&world.authority.issue(&["gateway"])?)?;
    let mut watch = caller.client.clone().watch(HealthCheckRequest::default()).await?.into_inner();
    watch.message().await?;

    world.server.swap(&world.authority.issue_until(&["localhost"], 2091)?, world.authority.pem())?;
    world.metric_is(SERVING, Y2091).await?;
    caller.anew()?.call().await?;
    // The stream has nothing to say, and has not ended.
    assert!(tokio::time::timeout(Duration::from_millis(50), watch.message()).await.is_err(), "the old connection stands");
    caller.call().await?;
    let lines = world.lines("the certificate in use was replaced");
    assert!(matches!(lines.as_slice(), [line] if line.contains("2091-01-01") && line.contains("localhost")), "{lines:#?}");
    Ok(())
}

#[tokio::test]
async fn what_does_not_hold_is_told_once_and_the_old_one_stays() -> Result<()> {
    let mut world = World::new(|_| {}).await?;
    let caller = world.caller_with(&world.authority.issue(&["gateway"])?)?;
    let (one, mut other) = (world.authority.issue(&["localhost"])?, world.authority.issue_until(&["localhost"], 2091)?);
    other.key = one.key;
    let key_line = other.key.lines().nth(1).unwrap_or_default().to_owned();
    world.server.swap(&other, world.authority.pem())?;
    world.metric_is(REFUSED, 1.0).await?;
    tokio::time::sleep(Duration::from_millis(5 * RELOAD_MS)).await;
    assert_eq!(world.metric(SERVING).await?, Some(Y2090));
    caller.anew()?.call().await?;
    other.key = "nothing of the sort".to_owned();
    world.server.swap(&other, world.authority.pem())?;
    world.metric_is(REFUSED, 2.0).await?;
    caller.anew()?.call().await?;

    let lines = world.lines("the new certificate cannot be used, the one in use stays");
    assert_eq!(lines.len(), 2, "a line for each content: {lines:#?}");
    assert!(lines[0].contains("the key is not the certificate's") && lines[1].contains("holds no private key"), "{lines:#?}");
    assert!(!lines.concat().contains(&key_line), "nothing of a key is told");

    // Mended: the next look takes it.
    world.server.swap(&world.authority.issue_until(&["localhost"], 2092)?, world.authority.pem())?;
    world.metric_is(SERVING, Y2092).await?;
    Ok(())
}

#[tokio::test]
async fn an_authority_is_replaced_by_way_of_a_bundle_and_no_call_fails() -> Result<()> {
    let mut world = World::new(|_| {}).await?;
    let (old, new) = (world.authority.issue(&["gateway"])?, Authority::new("steward")?);
    let mut secret = world.mount(&old)?;
    let caller = world.caller(&secret)?;
    caller.call().await?;

    // Both are believed on both sides, then certificates of the new one come, then the old one goes.
    let bundle = format!("{}{}", world.authority.pem(), new.pem());
    world.server.swap(&world.authority.issue_until(&["localhost"], 2091)?, &bundle)?;
    secret.swap(&old, &bundle)?;
    world.metric_is(REPLACED, 1.0).await?;
    world.metric_is(&REPLACED.replace("serving", "calling"), 1.0).await?;
    caller.anew()?.call().await?;
    world.server.swap(&new.issue(&["localhost"])?, &bundle)?;
    world.metric_is(REPLACED, 2.0).await?;
    caller.anew()?.call().await?;
    secret.swap(&new.issue_until(&["gateway"], 2092)?, new.pem())?;
    world.metric_is(&SERVING.replace("serving", "calling"), Y2092).await?;
    caller.anew()?.call().await?;
    world.server.swap(&new.issue_until(&["localhost"], 2092)?, new.pem())?;
    world.metric_is(SERVING, Y2092).await?;
    caller.anew()?.call().await?;
    caller.call().await?;

    let late = world.caller_with(&old)?.call().await.expect_err("its authority is gone");
    assert_eq!(late.code(), Code::Unavailable);
    Ok(())
}
