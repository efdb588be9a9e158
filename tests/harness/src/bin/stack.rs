//! `steward-stack`: runs the development stack. `cargo dev` builds it and hands over to it.

use std::{
    process::ExitCode,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use jiff::{SignedDuration, Timestamp};
use steward_dev::{say, shutdown::stop_everything};
use steward_harness::{
    Claims, Mail, TestDatabase,
    stack::{self, Files, Keys, SERVICES, Service, Stack},
    story::{self, Stage},
    traces::{self, Collector, Span, Trace},
};
use steward_kit::clock::Clock;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;

#[derive(Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", about = "Runs the development stack of steward", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything that does not run, and follow its logs until Ctrl-C.
    Up {
        /// Leave it running and come back.
        #[arg(long)]
        detach: bool,
    },
    /// Play the main job against the stack and tell it step by step.
    Demo {
        /// Begin with an empty stack, and stop it at the end.
        #[arg(long)]
        fresh: bool,
        /// All the while, kill one service after the other as a crash would, and start it again.
        #[arg(long)]
        kill: bool,
        /// Show the trace of the main call at the end, through every service, event, timer and delivery.
        #[arg(long)]
        trace: bool,
    },
    /// Start one service of the stack.
    Start {
        /// `customer`, `work-order`, `notification`, `survey`, `care` or `gateway`.
        service: String,
    },
    /// What runs, where, and how it feels.
    Status,
    /// Print a token of the development issuer.
    Token(TokenArguments),
    /// Show the stack's clock, or move it for every process at once.
    Clock {
        /// `show`, or a span such as `+15min`.
        #[arg(default_value = "show", allow_hyphen_values = true)]
        what: String,
    },
    /// Show, redrive or discard the dead letters of one service or of all.
    Letters {
        /// `customer`, `work-order`, `notification`, `survey` or `care`; all if none is named.
        service: Option<String>,
        /// What to do; show them if nothing is said.
        #[command(subcommand)]
        task: Option<LettersTask>,
    },
    /// Run a command with DATABASE_URL naming a freshly migrated database.
    WithDatabase {
        /// The command.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// The SMTP server and webhook receiver of a running stack.
    #[command(hide = true)]
    ServeSinks,
}

#[derive(Subcommand)]
enum LettersTask {
    /// Apply all open ones, oldest first.
    Redrive,
    /// Give one up for good.
    Discard {
        /// The letter.
        id: String,
        /// Why, in a few words; no personal data.
        #[arg(required = true)]
        reason: Vec<String>,
    },
}

#[derive(clap::Args)]
struct TokenArguments {
    /// A role of `services/kit/data/roles.yaml`.
    #[arg(long = "role")]
    roles: Vec<String>,
    /// An estate the caller may see, or `*`.
    #[arg(long = "estate")]
    estates: Vec<String>,
    /// The caller is this customer.
    #[arg(long)]
    customer: Option<String>,
    /// Who the caller is.
    #[arg(long, default_value = "dev")]
    subject: String,
    /// How long the token is good for, by the stack's clock.
    #[arg(long, default_value = "12h")]
    ttl: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(run(Arguments::parse().command)).await {
        Ok(code) => code,
        Err(error) => {
            say::failure(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    let good = |is_good: bool| if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    match command {
        Command::Up { detach } => up(detach).await.map(|()| ExitCode::SUCCESS),
        Command::Demo { fresh, kill, trace } => Box::pin(demo(fresh, kill, trace)).await.map(|()| ExitCode::SUCCESS),
        Command::Start { service } => Stack::attach(Files::open()?)?.start(Service::named(&service)?).await.map(|()| ExitCode::SUCCESS),
        Command::Status => stack::print_status(&Files::open()?).await.map(good),
        Command::Token(arguments) => token(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Clock { what } => clock(&what).map(|()| ExitCode::SUCCESS),
        Command::Letters { service, task } => letters(service.as_deref(), task).await.map(good),
        Command::WithDatabase { command } => with_database(&command).await.map(good),
        Command::ServeSinks => stack::serve_sinks(&Files::open()?).await.map(|()| ExitCode::SUCCESS),
    }
}

async fn up(detach: bool) -> Result<()> {
    say::step("Starting the stack");
    let stack = Stack::up(Files::open()?).await?;
    story::load_sample(&stage(&stack).await?).await.context("loading the sample estate")?;
    print_welcome(&stack)?;
    if detach {
        return Ok(());
    }
    say::line("Following the logs; Ctrl-C stops everything, the data stays.");
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    let names = SERVICES.map(|service| service.name);
    tokio::select! {
        followed = stack::follow(&stack.files, &names, stop.clone()) => followed?,
        () = watch(&stack) => {}
        pressed = tokio::signal::ctrl_c() => pressed.context("waiting for Ctrl-C")?,
        _told = terminate.recv() => {}
    }
    stop.cancel();
    say::line("");
    say::step("Stopping the stack");
    say::line(format!("stopped {}", stack.down()?.join(", ")));
    Ok(())
}

/// Plays the story on the stack, starting it if it does not run; leaves it as it was found.
async fn demo(fresh: bool, kill: bool, trace: bool) -> Result<()> {
    let mut files = Files::open()?;
    if fresh {
        stop_everything(files.workspace())?;
        files = files.wiped()?;
    }
    let was_up = files.processes()?.alive("gateway").is_some();
    let collector = match trace {
        true if was_up => bail!("the services that run send no traces; `cargo dev down` first, or add --fresh"),
        true => Some(Collector::start().await?),
        false => None,
    };
    say::step("Starting the stack");
    let stack = Stack::up_traced(files, collector.as_ref().map(Collector::url)).await?;
    let played = if kill { play_among_crashes(&stack).await } else { play(&stack).await };
    if !was_up {
        say::line("");
        say::line(format!("stopped {}; the data stays: `cargo dev up` shows it again", stack.down()?.join(", ")));
    }
    // After the end: each service sends what it still has when it stops.
    if let Some(collector) = collector {
        show_trace(&collector.spans())?;
    }
    played
}

/// The trace of the report of the burst pipe.
fn show_trace(spans: &[Span]) -> Result<()> {
    let trace = Trace::biggest(spans, |root| root.name.ends_with("/SubmitReport")).context("no trace of the report came")?;
    say::line("");
    say::step("One call, and what followed from it");
    say::line("The bars are to scale; long waits (⋮) are cut out, and the clock was moved across most of them.");
    for line in traces::draw(&trace).lines() {
        say::line(line);
    }
    Ok(())
}

async fn play(stack: &Stack) -> Result<()> {
    story::play(&stage(stack).await?).await?;
    say::line("");
    say::line(say::paint(say::Colour::Green, "The story ended as it should."));
    Ok(())
}

/// How long a service lives, at the most, while the story is played among crashes.
const LIFE: Duration = Duration::from_millis(400);

/// Plays the story while one service after the other is killed and started again: it ends the same.
async fn play_among_crashes(stack: &Stack) -> Result<()> {
    let crashes = AtomicU32::new(0);
    let crashing = async {
        for service in SERVICES.iter().cycle() {
            tokio::time::sleep(LIFE).await;
            stack.kill(service)?;
            stack.start(service).await?;
            crashes.fetch_add(1, Ordering::Relaxed);
        }
        anyhow::Ok(())
    };
    let stage = stage(stack).await?.among_crashes();
    tokio::select! {
        played = story::play(&stage) => played?,
        crashed = crashing => crashed?,
    }
    say::line("");
    say::line(say::paint(say::Colour::Green, &format!("The story ended as it should, among {} crashes.", crashes.load(Ordering::Relaxed))));
    Ok(())
}

/// The running stack as a stage for stories.
async fn stage(stack: &Stack) -> Result<Stage> {
    let gateway = Endpoint::from_shared(format!("http://127.0.0.1:{}", stack.ports.of("gateway")))?
        .connect()
        .await
        .context("connecting to the gateway")?;
    let clock = Clock::shared(stack.files.clock())?;
    let files = stack.files.clone();
    let moves: story::Moves = Box::new(move |by| stack::advance(&files, by).map(drop));
    let letter_box = stack.files.mail();
    Stage::new(gateway, stack.keys.issuer(), move || clock.now(), moves, Box::new(move || Mail::kept_in(&letter_box)))
}

/// Says once, loudly, when a service ends by itself; nothing is started again behind anybody's back.
async fn watch(stack: &Stack) {
    let mut running = stack.running();
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = stack.running();
        for gone in running.iter().filter(|name| !now.contains(name)) {
            say::failure(format!(
                "{gone} has ended; its log is {}; `cargo dev start {gone}` starts it again",
                stack.files.log(gone).display()
            ));
        }
        running = now;
    }
}

fn print_welcome(stack: &Stack) -> Result<()> {
    let gateway = stack.ports.of("gateway");
    let claims = Claims::staff("dev").role("group_operations").every_estate();
    let token = stack.keys.issuer().mint(&claims)?;
    say::line("");
    for service in SERVICES {
        say::line(format!(
            "  {:<14} http://127.0.0.1:{}   metrics http://127.0.0.1:{}/metrics",
            service.name,
            stack.ports.of(service.name),
            stack.ports.of(&format!("{}-metrics", service.name))
        ));
    }
    say::line(format!(
        "  mail arrives in {}, webhooks sent to http://127.0.0.1:{}/ in {}",
        stack.files.mail().display(),
        stack.ports.of("webhook"),
        stack.files.webhooks().display()
    ));
    say::line("");
    say::line("A token for every estate (others: `cargo dev token --role steward --estate <id>`):");
    say::line(format!("  export TOKEN={token}"));
    say::line("Three calls to try:");
    say::line(format!("  curl -s -H \"authorization: Bearer $TOKEN\" http://127.0.0.1:{gateway}/v1/estates"));
    say::line(format!("  curl -s http://127.0.0.1:{gateway}/openapi.json | head -c 600"));
    say::line(format!(
        "  buf curl --schema http://127.0.0.1:{gateway} --http2-prior-knowledge --protocol grpc -H \"authorization: Bearer $TOKEN\" http://127.0.0.1:{gateway}/steward.customer.v1.EstateService/ListEstates"
    ));
    say::line("");
    Ok(())
}

fn token(arguments: &TokenArguments) -> Result<()> {
    let files = Files::open()?;
    let keys = Keys::open(&files)?;
    let now: Timestamp = Clock::system().now() + stack::offset(&files)?;
    let mut claims = match &arguments.customer {
        Some(id) => Claims::customer(&arguments.subject, id),
        None => Claims::staff(&arguments.subject),
    };
    claims = arguments.roles.iter().fold(claims, |claims, role| claims.role(role));
    claims = match arguments.estates.iter().any(|estate| estate == "*") {
        true => claims.every_estate(),
        false => arguments.estates.iter().fold(claims, |claims, estate| claims.estate(estate)),
    };
    // A little in the past: the clocks of two machines never agree to the second.
    let leeway = SignedDuration::from_mins(1);
    claims = claims.valid(now - leeway, stack::parse_span(&arguments.ttl)? + leeway);
    say::line(keys.issuer().mint(&claims)?);
    Ok(())
}

async fn letters(service: Option<&str>, task: Option<LettersTask>) -> Result<bool> {
    let task = match task {
        None => stack::Task::Show,
        Some(LettersTask::Redrive) => stack::Task::Redrive,
        Some(LettersTask::Discard { id, reason }) => stack::Task::Discard { id, reason: reason.join(" ") },
    };
    stack::letters(service, &task).await
}

fn clock(what: &str) -> Result<()> {
    let files = Files::open()?;
    if what != "show" {
        stack::advance(&files, stack::parse_span(what)?)?;
    }
    let offset = stack::offset(&files)?;
    let now = Clock::system().now() + offset;
    say::line(format!("{now}  ({offset:#} ahead of the machine)"));
    Ok(())
}

async fn with_database(command: &[String]) -> Result<bool> {
    let (program, rest) = command.split_first().context("no command given")?;
    let database = TestDatabase::new().await?;
    let mut child = tokio::process::Command::new(program);
    child.args(rest).env("DATABASE_URL", database.superuser_url());
    let status = child.status().await.with_context(|| format!("running {program}"))?;
    Ok(status.success())
}
