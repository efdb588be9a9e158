//! Everything that can be set, with its default; `check-config` names every fault at once.

use secrecy::{ExposeSecret, SecretString};
use steward_kit::config::{Environment, Faults, ServerConfig, ServiceConfig, TelemetryConfig};
use steward_kit_store::ServiceGroups;

/// The configuration of the service.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help text of the whole group")]
    pub groups: ServiceGroups,
    /// The customer service, which is asked for an address when a message leaves.
    #[arg(long)]
    pub customer_url: String,
    /// Mail server: `smtps://user:password@host`, or `smtp://host?tls=required`; plain `smtp://` in development only.
    #[arg(long)]
    pub smtp_url: SecretString,
    /// Sender of mails; its domain is part of every Message-ID.
    #[arg(long)]
    pub mail_from: String,
    /// Lets webhooks lead into private networks and to plain HTTP. Always so in development.
    #[arg(long)]
    pub webhook_private_targets: bool,
    /// How many deliveries of broadcasts may wait for their turn before the next page of one is put off: what is said to many
    /// never heaps up before what is said to one.
    #[arg(long, default_value_t = 2000)]
    pub bulk_backlog: u32,
}

impl Config {
    /// Whether webhooks may lead into our own network.
    pub(crate) fn allows_private_targets(&self) -> bool {
        match self.groups.environment() {
            Environment::Development => true,
            Environment::Production => self.webhook_private_targets,
        }
    }
}

impl ServiceConfig for Config {
    const SERVICE: &'static str = "notification";

    fn server(&self) -> &ServerConfig {
        &self.groups.server
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.groups.telemetry
    }

    fn check(&self, faults: &mut Faults) {
        let environment = self.groups.environment();
        self.groups.check(faults);
        self.groups.server.tls.check_peer(environment, "customer_url", &self.customer_url, faults);
        if self.groups.auth.service_token_file.is_none() {
            faults.add("service_token_file", "must be set: addresses are asked of the customer service");
        }
        if self.bulk_backlog == 0 {
            faults.add("bulk_backlog", "must be at least 1: no broadcast would ever begin");
        }
        if self.mail_from.parse::<lettre::message::Mailbox>().is_err() {
            faults.add("mail_from", "must be an e-mail address");
        }
        let smtp = self.smtp_url.expose_secret();
        if lettre::AsyncSmtpTransport::<lettre::Tokio1Executor>::from_url(smtp).is_err() {
            faults.add("smtp_url", "must be an smtp:// or smtps:// URL");
        }
        if smtp.starts_with("smtp://") && !smtp.contains("tls=required") {
            faults.development_only(environment, "smtp_url");
        }
    }
}
