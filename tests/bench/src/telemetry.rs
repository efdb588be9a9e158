//! Row 5: what telling of oneself costs: the same service with spans sent of one call in ten, of every call, and of none.

use std::{process::Command, sync::Arc};

use anyhow::Result;
use steward_dev::servers::free_port;

use crate::{
    caller::Bearer,
    gateway::orders,
    house,
    load::Load,
    orders::{Orders, read},
    paired::{Pairs, by_turns},
    row::Row,
    stage::{Served, Stage},
    twin::PROGRAM,
};

const CALLERS: usize = 32;

/// One turn: the load, and what the service itself had of a core for each call, in microseconds.
struct Turn {
    rate: f64,
    cpu_us: f64,
}

pub(crate) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let bearer = Bearer::new(&stage.operations()?)?;
    let sink = sink(stage).await?;
    let collector = sink.url();
    let off = house::work_order(stage, &bearer).await?;
    let traced = async |name: &'static str, ratio: &str| {
        stage.start_another(name, "work-order", &[("OTLP_ENDPOINT", &collector), ("TRACE_RATIO", ratio)]).await
    };
    let (some, all) = (traced("work-order-traced-10", "0.1").await?, traced("work-order-traced-100", "1").await?);
    let [of_off, of_some, of_all] = [Orders::of(&off, &bearer).await?, Orders::of(&some, &bearer).await?, Orders::of(&all, &bearer).await?];
    let ids = orders(stage, &of_off).await?;
    for (served, calls) in [(&off, &of_off), (&some, &of_some), (&all, &of_all)] {
        turn(stage, served, calls, &ids).await?;
    }
    let untraced = async || turn(stage, &off, &of_off, &ids).await;
    let tenth = by_turns(stage.options.turns(), async || turn(stage, &some, &of_some, &ids).await, untraced).await?;
    let untraced = async || turn(stage, &off, &of_off, &ids).await;
    let whole = by_turns(stage.options.turns(), async || turn(stage, &all, &of_all, &ids).await, untraced).await?;
    for served in [all, some, off, sink] {
        served.stop()?;
    }
    let row = |name: &str, turns: &[(Turn, Turn)]| {
        let cpu = Pairs::of(turns, |turn| turn.cpu_us);
        Row::paired(5, name, &Pairs::of(turns, |turn| turn.rate), "/s").note(format!(
            "the service's time of a core for each call: {:.0} µs against {:.0}, by which it keeps {:.2}",
            cpu.product(),
            cpu.limit(),
            1.0 / cpu.ratio()
        ))
    };
    Ok(vec![
        row("get order with 10 % of calls traced, by none", &tenth).at_least(0.93, 0.97),
        row("get order with every call traced, by none", &whole).at_least(0.83, 0.90),
    ])
}

/// A collector that reads what comes and keeps nothing.
async fn sink(stage: &Stage) -> Result<Served> {
    let port = free_port(None)?;
    let mut command = Command::new(stage.program(PROGRAM)?);
    command.args(["sink", "--listen", &format!("127.0.0.1:{port}")]);
    stage.spawn("sink", port, &mut command).await
}

async fn turn(stage: &Stage, served: &Served, orders: &Orders, ids: &Arc<[String]>) -> Result<Turn> {
    let before = served.cpu_time()?;
    let Load { rate, times } = read(stage, orders, ids, CALLERS).await?;
    let cpu = served.cpu_time()?.saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
    let calls = times.count() as f64;
    Ok(Turn { rate, cpu_us: cpu.as_secs_f64() * 1e6 / calls })
}
