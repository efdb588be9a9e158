//! What `cargo dev` can be asked for.

mod bench;
mod build;
mod faults;
mod prepare;
mod rows;
mod stack;
mod storm;
mod test;

use std::process::ExitCode;

use crate::{Problem, Result, Workspace, say};

const HELP: &str = "\
cargo dev <command>

  up [--detach]        start the whole stack on this machine: private Postgres and Redis, the services, the gateway
  demo                 play the main job against a stack and tell it step by step
      --fresh          begin with an empty stack
      --kill           meanwhile kill one service after the other and start it again
      --trace          at the end, show what one call led to, through every service, as a picture
      --storm          the day of a storm over a large group instead, on a stack of its own: 18,000 reports, 15 % of them in one hour, a kill
                       and a flush at its height; ends with what was lost (nothing), how late what was, and the board recounted;
                       builds for release first, which takes many minutes the first time
          --orders N   fewer reports (18 000), and as many fewer estates
          --homes N    of each estate that reports come from (5)
          --seed N     the day that printed this seed again
  down                 stop what `up` started; the data stays
  status               what runs, where, and how it feels
  logs [SERVICE]       the end of the log of one service or of all
      --follow         and what is added to it, until Ctrl-C
  start SERVICE        start one service of a running stack again
  kill SERVICE         kill one service as a crash would
  token [OPTIONS]      print a token of the development issuer
      --role ROLE      a role of services/kit/data/roles.yaml; may be repeated
      --estate ID|*    an estate the caller may see; may be repeated
      --customer ID    the caller is this customer
      --subject NAME   who the caller is
      --ttl SPAN       how long it is good for: 8h, 30min, 7d
  letters [SERVICE] [redrive | discard ID REASON]
                       events that could not be applied, and what sets them right: see services/README.md
  clock [show|+SPAN]   show the stack's clock, or move it forward for every process at once: +15min, +3d

  test [--quick] [FILTER…]   run every check that CI runs; with filters only the tests whose names contain one
  manifests [--quick]  the part of it that is about Kubernetes; quick asks no programs
  prepare [--check]    refresh `.sqlx/` from a real database, or say whether it is stale
  faults [OPTIONS]     break the suite in every way under load, and count what is lost or doubled; ends with one table
      --rounds N       kills of services (100); the other faults in proportion; 0 leaves them out
      --soak MINUTES   at half load, with kills (10)
      --garbage N      bad requests for each RPC (40)
      --fuzz SECONDS   for each parser (10)
      --only NAME      only faults whose name holds this
      --seed N         the run that printed this seed again
  bench [OPTIONS]      measure what speed was promised, beside what this machine does without the product; one table, and a file
      --rows 1,2,15    only these
      --orders N       that are there before anything is timed (300 000)
      --customers N    the same (1 000 000)
      --quick          small data and short turns: to see that it works
      --report         succeed although something promised is not reached
      --keep           use the data that the last run left
  rows FILE [--missing]      which requirement rows of a list have a test, and which have none
";

/// Does what the arguments ask for.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let (command, rest) = arguments.split_first().map_or(("help", [].as_slice()), |(command, rest)| (command.as_str(), rest));
    if matches!(command, "help" | "--help" | "-h") {
        say::line(HELP);
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = Workspace::find()?;
    match command {
        "demo" if rest.iter().any(|argument| argument == "--storm") => storm::run(&workspace, rest),
        "up" | "demo" => stack::build_and_hand_over(&workspace, arguments),
        "token" | "clock" | "letters" | "start" | "status" => stack::hand_over(&workspace, arguments),
        "down" => stack::down(&workspace),
        "kill" => stack::kill(&workspace, rest),
        "logs" => stack::logs(&workspace, rest),
        "test" => test::run(&workspace, rest),
        "manifests" => test::manifests(&workspace, rest),
        "prepare" => prepare::run(&workspace, rest),
        "faults" => faults::run(&workspace, rest),
        "bench" => bench::run(&workspace, rest),
        "rows" => rows::run(&workspace, rest),
        unknown => Err(Problem::new(format!("`{unknown}` is not a command of cargo dev")).remedy("cargo dev help")),
    }
}

fn exit_code(is_good: bool) -> ExitCode {
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
