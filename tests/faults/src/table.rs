//! The one table.

use std::time::Duration;

use steward_dev::say;

use crate::checks::Sums;

/// One fault's row.
#[derive(Debug, Clone)]
pub struct Row {
    name: String,
    /// How often it was made.
    pub rounds: u32,
    sums: Sums,
    recoveries: Vec<Duration>,
    not_made: Option<String>,
}

impl Row {
    /// Nothing yet.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rounds: 0, sums: Sums::default(), recoveries: Vec::new(), not_made: None }
    }

    /// A fault that this machine does not allow.
    pub fn not_made(name: &str, why: &str) -> Self {
        Self { not_made: Some(why.to_owned()), ..Self::new(name) }
    }

    /// One round more.
    pub fn add(&mut self, sums: Sums, recovery: Duration) {
        self.rounds += 1;
        self.sums += sums;
        self.recoveries.push(recovery);
        self.recoveries.sort_unstable();
    }

    /// Whether all is well.
    pub fn is_zero(&self) -> bool {
        self.sums.is_zero()
    }

    /// The row.
    pub fn line(&self) -> String {
        if let Some(why) = &self.not_made {
            return format!("{:<26} not made: {why}", self.name);
        }
        let median = self.recoveries.get(self.recoveries.len() / 2).copied().unwrap_or_default();
        let worst = self.recoveries.last().copied().unwrap_or_default();
        let Sums { obligations_lost, effects_doubled, writes_lost } = self.sums;
        format!(
            "{:<26} {:>6} {:>12} {:>8} {:>12} {:>10} {:>10}",
            self.name,
            self.rounds,
            obligations_lost,
            effects_doubled,
            writes_lost,
            say::seconds(median),
            say::seconds(worst)
        )
    }
}

/// The heading over the rows.
pub fn heading() -> String {
    format!(
        "{:<26} {:>6} {:>12} {:>8} {:>12} {:>10} {:>10}\n{:<26} {:>6} {:>12} {:>8} {:>12} {:>10} {:>10}",
        "",
        "",
        "obligations",
        "effects",
        "acknowledged",
        "recovery",
        "recovery",
        "fault",
        "rounds",
        "lost",
        "doubled",
        "writes lost",
        "p50",
        "worst"
    )
}
