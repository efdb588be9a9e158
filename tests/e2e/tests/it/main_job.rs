//! The main job, with the moved clock; and what the suite told of itself meanwhile.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use steward_e2e::House;
use steward_harness::{
    stack::Files,
    traces::{Trace, WIDTH, draw},
};

use crate::{
    observability::unknown_metrics,
    watched::{Told, Watched, found_in, personal_data, refusals, the_day},
};

/// WO-11, WO-12, WO-14, WO-17, WO-18, WO-28, WO-31, WO-38, WO-42, WO-44, CP-31, CP-37, CP-40, CP-53, NT-18, GR-01, CA-28, CA-32, CA-37,
/// CA-72, SV-37, SV-40, SV-45, SV-47
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_main_job_ends_as_it_should_and_telemetry_tells_how() -> Result<()> {
    let watched = Watched::start().await?;
    let house = House::open(the_day()).await?;
    Box::pin(steward_harness::story::play(&house.stage().await?)).await?;
    let refused = refusals(&house).await?;
    // Gauges are looked at every few seconds; the story is longer.
    let page = watched.page().await?;
    house.close().await?;
    let told = watched.end().await?;

    nothing_personal_is_told(&told, &refused)?;
    lines_belong_to_traces(&told)?;
    one_call_is_one_trace(&told)?;
    let unknown = unknown_metrics(Files::open()?.workspace().root(), &page)?;
    ensure!(unknown.is_empty(), "k8s/observability asks for metrics that are not there: {unknown:?}");
    Ok(())
}

/// No name, number, address, free text or token of the story: not in the log, not in a span, not on the metrics page, not in a refusal.
fn nothing_personal_is_told(told: &Told, refused: &str) -> Result<()> {
    let data = personal_data()?;
    let leaks = found_in(&told.words(), &data);
    ensure!(leaks.is_empty(), "telemetry tells personal data:\n{}", leaks.join("\n"));
    let leaks = found_in(refused, &data);
    ensure!(leaks.is_empty(), "refusals tell personal data:\n{}", leaks.join("\n"));
    // It was not silence that was searched.
    ensure!(told.spans.len() > 500 && told.page.lines().count() > 500, "{} spans", told.spans.len());
    ensure!(refused.contains("INVALID_ARGUMENT") && refused.contains("PERMISSION_DENIED") && refused.contains("UNAUTHENTICATED"));
    Ok(())
}

/// Each line is JSON; what happens within a call names the trace of the call. The technician who asked for what technicians may not
/// is in the audit.
fn lines_belong_to_traces(told: &Told) -> Result<()> {
    let traces: BTreeSet<&str> = told.spans.iter().map(|span| span.trace.as_str()).collect();
    let lines = told.lines()?;
    let denied = lines.iter().find(|line| line["target"] == "audit" && line["message"] == "permission denied");
    let trace = denied.and_then(|line| line["trace_id"].as_str()).unwrap_or_default();
    ensure!(traces.contains(trace), "the denial is of no trace: {denied:?}");
    ensure!(told.pushed.iter().any(|name| name == "steward_rpc_duration_seconds"), "metrics were not pushed: {:?}", told.pushed);
    Ok(())
}

/// From the caller's report through the gateway, the services, the outbox, its consumers, timers and deliveries.
fn one_call_is_one_trace(told: &Told) -> Result<()> {
    let trace = Trace::biggest(&told.spans, |root| root.name.ends_with("IntakeService/SubmitReport"));
    let trace = trace.ok_or_else(|| anyhow::anyhow!("no trace begins with the report"))?;
    let picture = draw(&trace);
    let names: BTreeSet<String> = trace.spans().map(|span| span.label()).collect();
    for wanted in [
        "IntakeService/SubmitReport",
        "WorkOrderService/CreateWorkOrder",
        "publish WorkOrderCreated",
        "apply WorkOrderCreated",
        "timer clock",
        "deliver by email",
        "ContactService/ResolveContact",
    ] {
        let is_there = names.iter().any(|name| name.starts_with(wanted));
        ensure!(is_there, "the trace of the report lacks {wanted}:\n{picture}");
    }
    ensure!(picture.lines().all(|line| line.chars().count() <= WIDTH), "{picture}");
    Ok(())
}
