//! Rows 6 to 9: timers. The product's own [`TimerService`](steward_kit_store::timers::TimerService), as a service installs it, in a
//! schema of its own on the stage's Postgres, with a handler that writes one row of effect; beside it a bare loop that writes the same.

mod arm;
mod bare;
mod drain;
mod field;
mod idle;
mod lateness;
mod paced;

use anyhow::Result;

use self::{field::Field, lateness::Lateness};
use crate::{row::Row, stage::Stage, tell};

/// What else is pending while anything is timed.
pub(crate) const PENDING: usize = 1_000_000;

/// As many timers as are asked for, fewer where only the mechanics are tried.
fn scaled(stage: &Stage, count: usize) -> usize {
    if stage.options.quick { count / 20 } else { count }
}

/// The four rows.
pub(crate) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let lateness = Lateness::watch()?;
    let field = Field::open(stage).await?;
    let pending = scaled(stage, PENDING);
    tell(format!("    {pending} timers that stay pending"));
    field.add_pending(pending).await?;

    let mut rows = Vec::new();
    let wanted = |number: u8| stage.options.wants(&[number]);
    if wanted(9) {
        rows.extend(arm::run(&field, pending).await?);
    }
    if wanted(7) {
        rows.extend(idle::run(&field, pending).await?);
    }
    if wanted(6) {
        rows.extend(paced::run(&field, &lateness, pending).await?);
    }
    if wanted(8) {
        rows.extend(drain::run(&field, &lateness).await?);
    }
    field.close().await?;
    Ok(rows)
}
