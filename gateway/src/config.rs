//! What the gateway needs to be told. Each field `name` is `--name` or `STEWARD_GATEWAY__NAME`.

use std::{num::NonZeroU32, time::Duration};

use steward_kit::config::{AuthConfig, ClockConfig, Faults, ServerConfig, ServiceConfig, TelemetryConfig};

/// The gateway's configuration.
#[derive(Debug, Clone, clap::Args)]
pub struct GatewayConfig {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub server: ServerConfig,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub auth: AuthConfig,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub telemetry: TelemetryConfig,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub clock: ClockConfig,
    /// Address of customer, such as `http://customer:8080`.
    #[arg(long)]
    pub customer_url: String,
    /// Address of work-order.
    #[arg(long)]
    pub work_order_url: String,
    /// Address of notification.
    #[arg(long)]
    pub notification_url: String,
    /// Address of survey.
    #[arg(long)]
    pub survey_url: String,
    /// Address of care.
    #[arg(long)]
    pub care_url: String,
    /// Deadline in milliseconds of a forwarded unary call whose caller names none.
    #[arg(long, default_value_t = 10_000)]
    pub default_deadline_ms: u64,
    /// Deadline in milliseconds of each section of an aggregate.
    #[arg(long, default_value_t = 1_500)]
    pub section_deadline_ms: u64,
    /// Requests per second that one principal may make on average.
    #[arg(long, default_value = "50")]
    pub requests_per_second: NonZeroU32,
    /// Requests that one principal may make at once.
    #[arg(long, default_value = "200")]
    pub request_burst: NonZeroU32,
    /// Origins whose pages may call from a browser, separated by commas; `*` is for development only.
    #[arg(long, value_delimiter = ',')]
    pub cors_origins: Vec<String>,
}

impl GatewayConfig {
    /// Deadline of each section of an aggregate.
    pub fn section_deadline(&self) -> Duration {
        Duration::from_millis(self.section_deadline_ms)
    }

    /// Deadline of a forwarded unary call whose caller names none.
    pub fn default_deadline(&self) -> Duration {
        Duration::from_millis(self.default_deadline_ms)
    }
}

impl ServiceConfig for GatewayConfig {
    const SERVICE: &'static str = "gateway";

    fn server(&self) -> &ServerConfig {
        &self.server
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }

    fn check(&self, faults: &mut Faults) {
        self.server.check(faults);
        self.auth.check(self.server.environment, faults);
        self.telemetry.check(faults);
        self.clock.check(self.server.environment, faults);
        let upstreams = [
            ("customer_url", &self.customer_url),
            ("work_order_url", &self.work_order_url),
            ("notification_url", &self.notification_url),
            ("survey_url", &self.survey_url),
            ("care_url", &self.care_url),
        ];
        for (name, url) in upstreams {
            self.server.tls.check_peer(self.server.environment, name, url, faults);
        }
        if self.section_deadline_ms == 0 || self.default_deadline_ms == 0 {
            faults.add("section_deadline_ms", "deadlines must be at least 1");
        }
        if self.cors_origins.iter().any(|origin| origin == "*") {
            faults.development_only(self.server.environment, "cors_origins");
        }
    }
}
