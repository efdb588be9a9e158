//! `steward-faults`: the fault suite. `cargo dev faults` builds it with everything else and hands over to it.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use steward_dev::say::{self, Colour};
use steward_e2e::House;
use steward_faults::{
    fault::{FULL, SHORT},
    fuzz,
    garbage::walk,
    site::sweep,
    storm,
    suite::Suite,
    table::{Row, heading},
};

#[derive(Parser)]
#[command(
    name = "cargo dev faults",
    about = "Breaks the suite in every way under load and counts what is lost or doubled",
    disable_version_flag = true
)]
struct Arguments {
    /// Rounds of `kill -9 of a service`; the other faults are made in proportion.
    #[arg(long, default_value_t = 100)]
    rounds: u32,
    /// Minutes of the soak; 0 leaves it out.
    #[arg(long, default_value_t = 10)]
    soak: u64,
    /// The seed of a run that is to be made again.
    #[arg(long)]
    seed: Option<u64>,
    /// The short run that is part of every check.
    #[arg(long)]
    short: bool,
    /// Only faults whose name holds this.
    #[arg(long)]
    only: Option<String>,
    /// Garbage for each RPC; 0 leaves it out.
    #[arg(long, default_value_t = 40)]
    garbage: usize,
    /// Seconds for each parser; 0 leaves them out.
    #[arg(long, default_value_t = 10)]
    fuzz: u64,
    /// Nothing of this: the day of a storm (`cargo dev demo --storm`).
    #[arg(long)]
    storm: bool,
    /// Reports of the day of the storm.
    #[arg(long, default_value_t = storm::ORDERS_OF_M)]
    orders: u32,
    /// Homes of each of its estates.
    #[arg(long, default_value_t = 5)]
    homes: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(run(&Arguments::parse())).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say::failure(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<bool> {
    let seed = arguments.seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0 >> 16);
    if arguments.storm {
        return the_storm(seed, arguments).await;
    }
    say::step(format!("Faults under load, seed {seed}"));
    let mut is_well = true;
    if !arguments.short && arguments.only.is_none() {
        let lasting = Duration::from_secs(arguments.fuzz);
        is_well &= tokio::task::spawn_blocking(move || parsers(seed, lasting)).await??;
        is_well &= Box::pin(garbage(seed, arguments.garbage)).await?;
    }
    if arguments.rounds > 0 {
        let outcome = Box::pin(faults(seed, arguments)).await;
        sweep()?;
        is_well &= outcome?;
    }
    Ok(is_well)
}

async fn the_storm(seed: u64, arguments: &Arguments) -> Result<bool> {
    say::step(format!("A storm over the estates of profile M, seed {seed}"));
    let played = Box::pin(storm::play(storm::Size { orders: arguments.orders, homes: arguments.homes, seed })).await;
    sweep()?;
    let is_well = played?;
    let (colour, verdict) =
        if is_well { (Colour::Green, "no clock lost, nothing doubled, the board right") } else { (Colour::Red, "see above") };
    say::line(say::paint(colour, &format!("seed {seed}: {verdict}")));
    Ok(is_well)
}

fn parsers(seed: u64, lasting: Duration) -> Result<bool> {
    let mut is_well = true;
    for target in if lasting.is_zero() { Vec::new() } else { fuzz::all()? } {
        let fuzzed = fuzz::fuzz(&target, seed, lasting);
        match fuzzed.broken {
            None => say::line(format!("{:<26} {:>10} inputs, nothing broke", target.name, fuzzed.inputs)),
            Some((input, why)) => {
                is_well = false;
                say::failure(format!(
                    "{}: {why} at {:?} (input {} of seed {seed})",
                    target.name,
                    String::from_utf8_lossy(&input),
                    fuzzed.inputs
                ));
            }
        }
    }
    Ok(is_well)
}

async fn garbage(seed: u64, each: usize) -> Result<bool> {
    if each == 0 {
        return Ok(true);
    }
    let begun = std::time::Instant::now();
    let house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    let walked = walk(&house, seed, each).await?;
    house.close().await?;
    for wrong in walked.wrong.iter().take(200) {
        say::failure(wrong);
    }
    let words =
        format!("garbage: {} calls of {} RPCs, {} answered, {} wrong", walked.calls, walked.rpcs, walked.answered, walked.wrong.len());
    say::done(words, begun.elapsed());
    Ok(walked.wrong.is_empty())
}

async fn faults(seed: u64, arguments: &Arguments) -> Result<bool> {
    let mut suite = Suite::open(seed).await?;
    let rows = Box::pin(play(&mut suite, arguments)).await;
    let (words, findings) = (suite.load_in_words(), std::mem::take(&mut suite.findings));
    drop(suite);
    for finding in findings.iter().take(40) {
        say::failure(finding);
    }
    let rows = rows?;
    say::line("");
    say::line(heading());
    for row in &rows {
        say::line(row.line());
    }
    say::line("");
    say::line(words);
    let is_well = rows.iter().all(Row::is_zero) && findings.is_empty();
    let (colour, verdict) = if is_well { (Colour::Green, "nothing lost, nothing doubled") } else { (Colour::Red, "see above") };
    say::line(say::paint(colour, &format!("seed {seed}: {verdict}")));
    Ok(is_well)
}

async fn play(suite: &mut Suite, arguments: &Arguments) -> Result<Vec<Row>> {
    let wanted = |name: &str| arguments.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    let mut rows = Vec::new();
    if arguments.short {
        for (name, faults) in SHORT.iter().filter(|(name, _)| wanted(name)) {
            rows.push(suite.rounds(name, faults, 1).await?);
        }
        return Ok(rows);
    }
    for (fault, count) in FULL.iter().filter(|(fault, _)| wanted(fault.name())) {
        let count = (count * arguments.rounds).div_ceil(100).max(1);
        rows.push(suite.rounds(fault.name(), &[*fault], count).await?);
    }
    if arguments.soak > 0 && arguments.only.is_none() {
        rows.push(suite.soak(Duration::from_secs(60 * arguments.soak)).await?);
    }
    Ok(rows)
}
