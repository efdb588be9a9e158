//! Row 15: an RPC that the gateway passes on, against the same RPC asked of its service.

use std::sync::Arc;

use anyhow::{Context as _, Result};

use crate::{
    caller::Bearer,
    house,
    orders::{Orders, read},
    paired::{Pairs, by_turns},
    row::Row,
    stage::{Served, Stage},
};

const CALLERS: usize = 32;

/// Orders that are read.
const READ: usize = 2_000;

/// No caller of a benchmark is one of many callers with a share of their own.
pub(crate) const UNLIMITED: [(&str, &str); 2] = [("REQUESTS_PER_SECOND", "1000000"), ("REQUEST_BURST", "1000000")];

pub(crate) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let bearer = Bearer::new(&stage.operations()?)?;
    let service = house::work_order(stage, &bearer).await?;
    let gateway = stage.start_with("gateway", &UNLIMITED).await?;
    let (through, direct) = (Orders::of(&gateway, &bearer).await?, Orders::of(&service, &bearer).await?);
    let ids = orders(stage, &direct).await?;
    for orders in [&through, &direct] {
        read(stage, orders, &ids, CALLERS).await?;
    }
    let turns = stage.options.turns();
    let rates = by_turns(turns, async || read(stage, &through, &ids, CALLERS).await, async || read(stage, &direct, &ids, CALLERS).await);
    let rates = Pairs::of(&rates.await?, |load| load.rate);
    let one = by_turns(turns, async || read(stage, &through, &ids, 1).await, async || read(stage, &direct, &ids, 1).await).await?;
    let middle = Pairs::of(&one, |load| load.times.p50_ms());
    let more = crate::quantiles::median(one.iter().map(|(through, direct)| through.times.p50_ms() - direct.times.p50_ms()));
    stop([gateway, service])?;
    Ok(vec![
        Row::paired(15, "get order through the gateway, 32 callers", &rates, "/s").at_least(0.70, 0.85),
        Row::value(15, "the gateway's own share of it: p50, one caller", more, "ms").at_most(0.3, 0.15).note(format!(
            "{:.2} ms through it, {:.2} ms without",
            middle.product(),
            middle.limit()
        )),
    ])
}

/// Ids of some orders; made if there are none.
pub(crate) async fn orders(stage: &Stage, orders: &Orders) -> Result<Arc<[String]>> {
    let sql = "SELECT id::text FROM work_order.work_orders ORDER BY md5(id::text) LIMIT $1";
    let mut ids: Vec<String> =
        sqlx::query_scalar(sql).bind(i64::try_from(READ)?).fetch_all(stage.pool()).await.context("choosing orders")?;
    while ids.len() < READ / 10 {
        ids.push(orders.create(0).await?.id);
    }
    Ok(ids.into())
}

fn stop(processes: impl IntoIterator<Item = Served>) -> Result<()> {
    processes.into_iter().try_for_each(Served::stop)
}
