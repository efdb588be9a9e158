//! What a run is asked for.

use std::time::Duration;

use clap::Parser;

/// Measures what was promised, each figure beside what the same machine does in the same run without the product.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo dev bench", disable_version_flag = true)]
pub(crate) struct Options {
    /// Only these rows, as in `1,2,15`; all if none is named. `board` is row 0.
    #[arg(long, value_delimiter = ',')]
    pub(crate) rows: Vec<u8>,
    /// Orders that are there before anything is timed.
    #[arg(long, default_value_t = 300_000)]
    pub(crate) orders: u32,
    /// Customers that are there before anything is timed.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) customers: u32,
    /// Small data and short turns: to see that it works, not to be believed.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Succeed although a bar is not met.
    #[arg(long)]
    pub(crate) report: bool,
    /// Use the data that the last run left, with what was added by it.
    #[arg(long)]
    pub(crate) keep: bool,
}

impl Options {
    /// From the command line.
    pub(crate) fn read() -> Self {
        let given = Self::parse();
        match given.quick {
            true => Self { orders: given.orders.min(20_000), customers: given.customers.min(20_000), ..given },
            false => given,
        }
    }

    /// Whether any of these rows is wanted.
    pub(crate) fn wants(&self, rows: &[u8]) -> bool {
        self.rows.is_empty() || rows.iter().any(|row| self.rows.contains(row))
    }

    /// How often product and limit take turns: at least five times.
    pub(crate) fn turns(&self) -> usize {
        if self.quick { 5 } else { 7 }
    }

    /// How long one turn of a load is.
    pub(crate) fn turn(&self) -> Duration {
        Duration::from_millis(if self.quick { 700 } else { 4_000 })
    }

    /// How long something is called before it is timed.
    pub(crate) fn warm_up(&self) -> Duration {
        Duration::from_millis(if self.quick { 300 } else { 1_500 })
    }
}
