//! A server of kit's with certificates in a mounted secret, and callers with others.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use steward_harness::{
    PrivateDir,
    certificates::{Authority, Issued, Mount},
    in_process::Host,
};
use steward_kit::{
    auth::{Roles, TokenVerifier},
    client::{Identity, Peer},
    clock::Clock,
    config::{ServerConfig, TelemetryConfig, TlsConfig},
    server::Server,
    telemetry::{self, LogFormat, TelemetryGuard},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Status;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// When the server's certificate ends.
pub(super) const SERVING: &str = r#"steward_certificate_expiry_timestamp_seconds{side="serving"}"#;

/// The first second of the year with which certificates end, unless a test says otherwise.
pub(super) const Y2090: f64 = 3_786_912_000.0;

/// How often files are looked at here.
pub(super) const RELOAD_MS: u64 = 40;

pub(super) struct World {
    pub(super) dir: PrivateDir,
    pub(super) authority: Authority,
    pub(super) server: Mount,
    pub(super) address: SocketAddr,
    log: Log,
    metrics: SocketAddr,
    _host: Host,
    _telemetry: TelemetryGuard,
}

impl World {
    /// A server for `localhost` that asks for certificates of its authority, as `change` has it.
    pub(super) async fn new(change: impl FnOnce(&mut ServerConfig)) -> Result<Self> {
        let (dir, authority) = (PrivateDir::new()?, Authority::new("steward")?);
        let mut server = Mount::new(dir.path().join("server"))?;
        server.swap(&authority.issue(&["localhost"])?, authority.pem())?;
        let (log, metrics) = (Log::default(), free_address()?);
        let telemetry = TelemetryConfig {
            log: "info".to_owned(),
            log_format: LogFormat::Json,
            otlp_endpoint: None,
            trace_ratio: 0.0,
            metrics_listen: Some(metrics),
        };
        let sink = log.clone();
        let telemetry = telemetry::init_to("contract", &telemetry, move || sink.clone()).await?;

        let mut config = ServerConfig::development();
        config.tls = TlsConfig {
            tls_cert_file: Some(server.file("tls.crt")),
            tls_key_file: Some(server.file("tls.key")),
            tls_caller_ca_file: Some(server.file("ca.crt")),
            tls_reload_ms: RELOAD_MS,
            ..TlsConfig::default()
        };
        change(&mut config);
        let verifier = Arc::new(TokenVerifier::new(Vec::new(), "steward", Clock::system())?);
        let service = Server::new(&config, verifier, Arc::new(Roles::built_in()));
        let mut host = Host::new();
        let started = host.start("service", |listener, shutdown| service.serve(listener, shutdown)).await?;
        let world = Self { dir, authority, server, address: started.address, log, metrics, _host: host, _telemetry: telemetry };
        // It serves, so what is swapped from now on is a rotation.
        world.metric_is(SERVING, Y2090).await?;
        Ok(world)
    }

    /// A caller with the certificate of a mount, believing this authority.
    pub(super) fn caller(&self, mount: &Mount) -> Result<Caller> {
        let config = TlsConfig {
            call_cert_file: Some(mount.file("tls.crt")),
            call_key_file: Some(mount.file("tls.key")),
            call_ca_file: Some(mount.file("ca.crt")),
            tls_reload_ms: RELOAD_MS,
            ..TlsConfig::default()
        };
        Caller::new(format!("https://localhost:{}", self.address.port()), &config)
    }

    /// A caller with this certificate.
    pub(super) fn caller_with(&self, own: &Issued) -> Result<Caller> {
        self.caller(&self.mount(own)?)
    }

    /// A secret with this certificate.
    pub(super) fn mount(&self, own: &Issued) -> Result<Mount> {
        let mut mount = Mount::new(self.dir.path().join(uuid()))?;
        mount.swap(own, self.authority.pem())?;
        Ok(mount)
    }

    /// Log lines that hold a text.
    pub(super) fn lines(&self, text: &str) -> Vec<String> {
        let log = self.log.0.lock().expect("not poisoned");
        String::from_utf8_lossy(&log).lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }

    /// The value of a series on the metrics page.
    pub(super) async fn metric(&self, series: &str) -> Result<Option<f64>> {
        let mut page = TcpStream::connect(self.metrics).await?;
        page.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
        let mut text = String::new();
        page.read_to_string(&mut text).await?;
        let value = text.lines().find_map(|line| line.strip_prefix(series)).map(|value| value.trim().parse());
        value.transpose().context("a number")
    }

    /// Waits until a series has this value.
    pub(super) async fn metric_is(&self, series: &str, value: f64) -> Result<()> {
        let begun = Instant::now();
        loop {
            let now = self.metric(series).await?;
            if now == Some(value) {
                return Ok(());
            }
            ensure!(begun.elapsed() < Duration::from_secs(5), "{series} is {now:?} and not {value}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Somebody who calls, with connections of their own.
#[derive(Clone)]
pub(super) struct Caller {
    url: String,
    identity: Identity,
    pub(super) client: HealthClient<Peer>,
}

impl Caller {
    pub(super) fn new(url: String, config: &TlsConfig) -> Result<Self> {
        let identity = Identity::new(config, None)?;
        let client = HealthClient::new(Peer::connect(&url, Duration::from_secs(2), &identity)?);
        Ok(Self { url, identity, client })
    }

    /// The same caller, by new connections.
    pub(super) fn anew(&self) -> Result<Self> {
        let client = HealthClient::new(Peer::connect(&self.url, Duration::from_secs(2), &self.identity)?);
        Ok(Self { client, ..self.clone() })
    }

    pub(super) async fn call(&self) -> Result<(), Status> {
        self.client.clone().check(HealthCheckRequest::default()).await.map(drop)
    }
}

/// A port that was free a moment ago.
pub(super) fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A name that nothing else has.
fn uuid() -> String {
    steward_kit::ids::RequestId::new().to_string()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
