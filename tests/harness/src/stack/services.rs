//! The programs of the stack, in the order they start.

use anyhow::{Context, Result};

/// One program of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// `work-order`: folder, deployment, log and pid file.
    pub name: &'static str,
    /// The schema it owns, if it has data.
    pub schema: Option<&'static str>,
    /// The port it likes best for callers.
    pub port: u16,
    /// The port it likes best for metrics.
    pub metrics_port: u16,
}

/// Every program of the stack. Callers come after what they call.
pub const SERVICES: [Service; 6] = [
    Service { name: "customer", schema: Some("customer"), port: 7101, metrics_port: 7201 },
    Service { name: "work-order", schema: Some("work_order"), port: 7102, metrics_port: 7202 },
    Service { name: "notification", schema: Some("notification"), port: 7103, metrics_port: 7203 },
    Service { name: "survey", schema: Some("survey"), port: 7104, metrics_port: 7204 },
    Service { name: "care", schema: Some("care"), port: 7105, metrics_port: 7205 },
    Service { name: "gateway", schema: None, port: 7100, metrics_port: 7200 },
];

impl Service {
    /// The service of this name.
    pub fn named(name: &str) -> Result<&'static Self> {
        let names = || SERVICES.map(|service| service.name).join(", ");
        SERVICES.iter().find(|service| service.name == name).with_context(|| format!("`{name}` is not one of {}", names()))
    }

    /// `steward-work-order`
    pub fn program(&self) -> String {
        format!("steward-{}", self.name)
    }

    /// `STEWARD_WORK_ORDER__`
    pub fn prefix(&self) -> String {
        format!("STEWARD_{}__", self.name.replace('-', "_").to_uppercase())
    }
}
