//! Row 16: facts on their way. The product's own relay over a full outbox, and the way of an order into its resident's inbox.

mod inbox;
mod relay;

use anyhow::Result;

pub(crate) use self::inbox::{orders_while, residents};
use crate::{row::Row, stage::Stage};

/// Both parts.
pub(crate) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let mut rows = relay::run(stage).await?;
    rows.extend(inbox::run(stage).await?);
    Ok(rows)
}
