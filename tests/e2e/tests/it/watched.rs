//! What the suite tells of itself while something is played: the log, spans, metrics, refusals; and what must never be among it.

use std::{
    collections::BTreeSet,
    fs, io,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};
use steward_e2e::{House, Room};
use steward_harness::{
    Claims,
    in_process::Host,
    traces::{Collector, Span},
};
use steward_kit::{
    config::TelemetryConfig,
    telemetry::{LogFormat, TelemetryGuard, init_to},
};

/// Names of things that anybody may read on a sign.
const PUBLIC: [&str; 2] = ["锦绣花园", "9号楼"];

/// Telemetry of this process, switched on as in production, every trace recorded, and all of it kept.
pub(crate) struct Watched {
    log: Log,
    collector: Collector,
    page: String,
    guard: TelemetryGuard,
}

/// Everything that was told.
pub(crate) struct Told {
    /// JSON, a line each.
    pub(crate) log: String,
    pub(crate) spans: Vec<Span>,
    /// What Prometheus reads.
    pub(crate) page: String,
    /// Names of the metrics that were pushed.
    pub(crate) pushed: Vec<String>,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Watched {
    /// Must come before anything that measures.
    pub(crate) async fn start() -> Result<Self> {
        let (log, collector) = (Log::default(), Collector::start().await?);
        // Free until the page is served there.
        let address = Host::listener().await?.local_addr()?;
        let config = TelemetryConfig {
            log: "info,steward_kit=debug,steward_kit_store=debug,steward_gateway=debug,steward_notification=debug".to_owned(),
            log_format: LogFormat::Json,
            otlp_endpoint: Some(collector.url().to_owned()),
            trace_ratio: 1.0,
            metrics_listen: Some(address),
        };
        // It hides what panics say; a test's say why it failed.
        let hook = std::panic::take_hook();
        let written = log.clone();
        let guard = init_to("house", &config, move || written.clone()).await?;
        std::panic::set_hook(hook);
        Ok(Self { log, collector, page: format!("http://{address}/metrics"), guard })
    }

    /// What Prometheus would read now.
    pub(crate) async fn page(&self) -> Result<String> {
        Ok(reqwest::get(&self.page).await?.error_for_status()?.text().await?)
    }

    /// Sends what is still unsent.
    pub(crate) async fn end(self) -> Result<Told> {
        let Self { log, collector, guard, page } = self;
        let page = reqwest::get(page).await?.error_for_status()?.text().await?;
        // It waits for the collector, which needs this thread.
        tokio::task::spawn_blocking(move || drop(guard)).await?;
        let log = String::from_utf8(log.0.lock().unwrap_or_else(PoisonError::into_inner).clone())?;
        Ok(Told { log, spans: collector.spans(), page, pushed: collector.metrics() })
    }
}

impl Told {
    /// All of it as one text.
    pub(crate) fn words(&self) -> String {
        let spans: Vec<String> = self.spans.iter().map(Span::words).collect();
        // Of a sample its name and labels: among the digits of sums of seconds stands any number, sooner or later.
        let samples =
            self.page.lines().map(|line| if line.starts_with('#') { line } else { line.rsplit_once(' ').map_or(line, |(name, _)| name) });
        let samples: Vec<&str> = samples.collect();
        [self.log.as_str(), &samples.join("\n"), &spans.join("\n")].join("\n")
    }

    /// The lines of the log.
    pub(crate) fn lines(&self) -> Result<Vec<Value>> {
        self.log.lines().map(|line| serde_json::from_str(line).with_context(|| format!("a line that is no JSON: {line}"))).collect()
    }
}

/// Calls that are refused and are full of personal data; what they were answered.
pub(crate) async fn refusals(house: &House) -> Result<String> {
    let gateway = house.url(Room::Gateway)?;
    let good = house.token(Claims::staff("ops.lin").role("group_operations").every_estate())?;
    let steward = house.token(Claims::staff("steward.qin").role("technician"))?;
    let estate = uuid::Uuid::now_v7().to_string();
    let person = |phone: &str, email: &str| {
        json!({"requestId": uuid::Uuid::now_v7(), "kind": "CUSTOMER_KIND_PERSON", "homeEstateId": estate, "name": "沈静安",
               "phone": phone, "email": email, "source": "DATA_SOURCE_STAFF"})
    };
    let calls = [
        ("/v1/customers", &good, person("199 0000 0909, abends", "resident0001@example.com und andere")),
        ("/v1/customers", &good, person("199 0000 0909", "resident0001@example.com")),
        ("/v1/customers", &steward, person("199 0000 0909", "resident0001@example.com")),
        ("/v1/customers", &format!("{good}x"), person("199 0000 0909", "resident0001@example.com")),
        ("/v1/customers", &good, json!({"requestId": "x", "name": {"沈静安": "199 0000 0909"}})),
    ];
    let http = reqwest::Client::new();
    let mut answers = String::new();
    for (path, token, body) in calls {
        let answer = http.post(format!("{gateway}{path}")).bearer_auth(token).json(&body).send().await?;
        ensure!(answer.status().is_client_error(), "{path} answered {}", answer.status());
        answers.push_str(&format!("{:?}\n{}\n", answer.headers().clone(), answer.text().await?));
    }
    Ok(answers)
}

/// Every personal datum of the story: the columns of the registers that are imported, and each text and number that its scenes hold.
pub(crate) fn personal_data() -> Result<BTreeSet<String>> {
    let root = steward_harness::stack::Files::open()?.workspace().root().to_path_buf();
    let mut found = BTreeSet::new();
    let registers = root.join("tests/fixtures/estate-import");
    for file in fs::read_dir(registers)?.flatten().filter(|file| file.path().extension().is_some_and(|kind| kind == "csv")) {
        let text = fs::read_to_string(file.path())?;
        let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let head = rows.next().context("a head")?;
        for row in rows {
            // What is too short to be one, as in the rows with mistakes, would be found everywhere.
            let is_datum = |name: &str, cell: &str| match name {
                "name" => cell.chars().count() > 1,
                "phone" | "id_number" => cell.len() > 8,
                "email" => cell.contains('@'),
                _ => false,
            };
            let cells = head.iter().zip(row).filter(|(name, cell)| is_datum(name, cell)).map(|(_, cell)| cell.trim().to_owned());
            found.extend(cells);
        }
    }
    for file in fs::read_dir(root.join("tests/harness/src/story"))?.flatten() {
        let text = fs::read_to_string(file.path())?;
        found.extend(text.split('"').skip(1).step_by(2).filter(|literal| is_personal(literal)).map(str::to_owned));
    }
    found.retain(|text| !PUBLIC.contains(&text.as_str()));
    // Phones are told in several spellings.
    let digits: Vec<String> = found.iter().filter(|text| is_phone(text)).map(|text| text.replace(' ', "")).collect();
    found.extend(digits);
    // Tokens, and secrets of webhooks.
    found.extend(["eyJ".to_owned(), "whsec_".to_owned()]);
    Ok(found)
}

fn is_phone(text: &str) -> bool {
    text.len() >= 11 && text.chars().all(|letter| letter.is_ascii_digit() || letter == ' ')
}

/// A text in the language of the story that is more than a word, or a phone, or an address.
fn is_personal(literal: &str) -> bool {
    let spoken = literal.chars().filter(|letter| ('\u{4e00}'..='\u{9fff}').contains(letter)).count();
    spoken >= 3 || is_phone(literal) || (literal.contains('@') && literal.contains('.') && !literal.contains([' ', '{']))
}

/// Which of `data` stand in `text`, with what stands around them.
pub(crate) fn found_in(text: &str, data: &BTreeSet<String>) -> Vec<String> {
    let around = |at: usize| {
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        text[line..].lines().next().unwrap_or_default().chars().take(400).collect::<String>()
    };
    data.iter().filter_map(|datum| text.find(datum.as_str()).map(|at| format!("`{datum}` in: {}", around(at)))).collect()
}

/// When the main job is played.
pub(crate) fn the_day() -> Timestamp {
    "2026-07-14T15:00:00Z".parse().expect("a time")
}

#[test]
fn a_personal_datum_that_is_told_is_found() {
    let data = personal_data().unwrap();
    for known in ["罗东熙", "199 0000 0001", "19900000001", "resident0001@example.com", "夜里等了太久，墙角还在渗水", "沈静安"]
    {
        assert!(data.contains(known), "{known} is not looked for");
    }
    assert!(!data.contains("锦绣花园"));
    assert_eq!(
        found_in("{\"level\":\"INFO\",\"message\":\"a call came\"}\nsteward_rpc_duration_seconds_count 3", &data),
        Vec::<String>::new()
    );
    for planted in ["name=沈静安", "caller 19900000001 was reached", "bearer eyJhbGciOiJFUzI1NiJ9.e30.x"] {
        assert_eq!(found_in(&format!("a line\n{{\"message\":\"{planted}\"}}\nanother"), &data).len(), 1, "{planted}");
    }
}
