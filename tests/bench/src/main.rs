//! `steward-bench`: what speed was promised, measured against something that the same machine does in the same run.
//!
//! `cargo dev bench` builds it with everything that it measures, and runs it; `README.md` beside it tells how to read what it prints.

#![allow(clippy::print_stdout, reason = "a benchmark tells its figures to people")]

mod board;
mod caller;
mod cores;
mod create;
mod events;
mod footprint;
mod gateway;
mod get;
mod ground;
mod house;
mod imports;
mod lag;
mod lists;
mod load;
mod machine;
mod notices;
mod options;
mod orders;
mod paired;
mod picture;
mod quantiles;
mod report;
mod row;
mod seed;
mod segments;
mod stage;
mod stateless;
mod table;
mod telemetry;
mod timed;
mod timers;
mod trips;
mod twin;

use std::{process::ExitCode, time::Instant};

use anyhow::Result;
use house::House;
use options::Options;
use report::Report;
use row::{Row, Verdict};
use stage::Stage;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::read()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<ExitCode> {
    let may_miss = options.report;
    let stage = Stage::open(options).await?;
    let (rows, failures) = measured(&stage).await;
    let report = Report::of(&stage, rows).await;
    // Whatever was measured, nothing is left running.
    stage.close()?;
    let report = report?;
    report.print();
    for failure in &failures {
        tell(format!("not measured: {failure}"));
    }
    let missed = report.rows().iter().filter(|row| row.verdict() == Verdict::Missed).count();
    let is_good = failures.is_empty() && (missed == 0 || may_miss);
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every benchmark that is wanted, in the order in which they disturb each other least; and what broke. One that breaks takes none of the
/// others with it.
async fn measured(stage: &Stage) -> (Vec<Row>, Vec<String>) {
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    /// Runs one benchmark if one of its rows is wanted.
    macro_rules! bench {
        ($numbers:expr, $name:literal, $run:expr) => {
            if stage.options.wants(&$numbers) {
                let begun = Instant::now();
                tell(concat!("measuring: ", $name));
                let measured: Result<Vec<Row>> = Box::pin($run).await;
                match measured {
                    Ok(measured) => {
                        for row in &measured {
                            tell(format!("    {}: {:.3}, {:?}", row.name, row.judged(), row.verdict()));
                        }
                        rows.extend(measured);
                    }
                    Err(error) => {
                        tell(format!("    {error:#}"));
                        failures.push(format!("{}: {error:#}", $name));
                    }
                }
                tell(format!("    {:.0} s", begun.elapsed().as_secs_f64()));
            }
        };
    }
    // Before years of orders, or a new consumer would have to read all that was said of them.
    bench!([16], "events", events::run(stage));
    if stage.options.wants(&[1, 2, 3, 4]) {
        match Box::pin(House::open(stage)).await {
            Ok(house) => {
                bench!([1, 2], "creating orders", create::run(stage, &house));
                bench!([3], "reading orders by id", get::run(stage, &house));
                bench!([4], "an RPC that touches no store", stateless::run(stage, &house));
            }
            Err(error) => failures.push(format!("orders of years past: {error:#}")),
        }
    }
    bench!([15], "the gateway", gateway::run(stage));
    bench!([5], "telemetry", telemetry::run(stage));
    bench!([17], "footprint", footprint::run(stage));
    bench!([14], "the picture of a customer", picture::run(stage));
    bench!([6, 7, 8, 9], "timers", timers::run(stage));
    bench!([10], "notices", notices::run(stage));
    bench!([11], "imports", imports::run(stage));
    bench!([13], "lists", lists::run(stage));
    bench!([12], "segments", segments::run(stage));
    bench!([0], "the board of 430 estates", board::run(stage));
    (rows, failures)
}

/// Says how far the run is, beside the table.
fn tell(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}
