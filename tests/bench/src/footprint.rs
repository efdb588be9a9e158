//! Row 17: what a service takes when nobody calls, and when many do; how soon it is there.

use std::time::Duration;

use anyhow::{Context as _, Result};
use steward_harness::{Claims, stack::SERVICES};
use steward_proto::operation::v1::{ListDeadLettersRequest, dead_letter_service_client::DeadLetterServiceClient};

use crate::{
    caller::Bearer,
    gateway::{UNLIMITED, orders},
    house,
    load::closed,
    orders::{Orders, read},
    quantiles::median,
    row::{Goal, Row},
    stage::{Served, Stage},
};

const CALLERS: usize = 32;

/// Starts of each, of which the middle one counts.
const STARTS: usize = 3;

/// How long nobody calls before a service is looked at.
const IDLE: Duration = Duration::from_secs(5);

pub(crate) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let bearer = Bearer::new(&stage.operations()?)?;
    let mut ready = Vec::new();
    let mut running: Vec<(&str, Served)> = Vec::new();
    for service in &SERVICES {
        if service.name == "work-order" {
            house::work_order(stage, &bearer).await?.stop()?;
        }
        let settings: &[(&str, &str)] = if service.schema.is_none() { &UNLIMITED } else { &[] };
        let mut times = Vec::new();
        for start in 1..=STARTS {
            let served = stage.start_with(service.name, settings).await?;
            times.push(served.ready().as_secs_f64() * 1000.0);
            if start == STARTS {
                running.push((service.name, served));
            }
        }
        ready.push((service.name, median(times)));
    }
    tokio::time::sleep(IDLE).await;
    let idle = sizes(&running)?;

    let operator = Bearer::new(&stage.token(&Claims::staff("bench.operator").role("operator").every_estate())?)?;
    for (name, served) in &running {
        match *name {
            "work-order" => {
                let calls = Orders::of(served, &bearer).await?;
                made(stage, &calls).await?;
            }
            "gateway" => {
                let calls = Orders::of(served, &bearer).await?;
                let ids = orders(stage, &calls).await?;
                read(stage, &calls, &ids, CALLERS).await?;
            }
            _others => asked(stage, served, &operator).await?,
        }
    }
    let busy = sizes(&running)?;
    for (_, served) in running {
        served.stop()?;
    }
    Ok(vec![
        largest("idle, the largest of six", "MiB", &idle).at_most(25.0, 15.0),
        largest("at 32 callers, the largest of six", "MiB", &busy).bar(Goal::AtMost(100.0)),
        largest("from start to serving, the slowest of six", "ms", &ready).at_most(300.0, 100.0),
    ])
}

fn sizes(running: &[(&'static str, Served)]) -> Result<Vec<(&'static str, f64)>> {
    running.iter().map(|(name, served)| Ok((*name, served.resident_mib()?))).collect()
}

/// The greatest one as the figure, all of them as the note.
fn largest(name: &str, unit: &'static str, all: &[(&str, f64)]) -> Row {
    let most = all.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let each: Vec<String> = all.iter().map(|(name, value)| format!("{name} {value:.1}")).collect();
    Row::value(17, name, most, unit).note(each.join(", "))
}

/// Orders are created.
async fn made(stage: &Stage, orders: &Orders) -> Result<()> {
    let orders = orders.clone();
    closed(CALLERS, stage.options.turn(), move |caller| {
        let orders = orders.clone();
        async move { orders.create(caller).await.map(drop) }
    })
    .await
    .map(drop)
}

/// What every service with a schema answers from its store.
async fn asked(stage: &Stage, served: &Served, bearer: &Bearer) -> Result<()> {
    let client = DeadLetterServiceClient::new(served.channel().await?);
    let bearer = bearer.clone();
    closed(CALLERS, stage.options.turn(), move |_| {
        let (mut client, bearer) = (client.clone(), bearer.clone());
        async move {
            let request = bearer.asks(ListDeadLettersRequest::default());
            client.list_dead_letters(request).await.context("listing dead letters").map(drop)
        }
    })
    .await
    .map(drop)
}
