//! work-order with years of orders, and beside it the bare program over a copy of them: what rows 1 to 4 are measured in.

use anyhow::{Context as _, Result};
use uuid::Uuid;

use crate::{
    caller::Bearer,
    ground,
    orders::{Orders, report},
    seed::{Seeder, published},
    stage::{Served, Stage},
    twin,
};

/// Both sides, running.
pub(crate) struct House {
    service: Served,
    twin: Served,
    /// The product's side.
    pub(crate) product: Orders,
    /// The bare program's side.
    pub(crate) bare: Orders,
    pub(crate) bearer: Bearer,
}

impl House {
    /// As many orders as the run was asked for, in both.
    pub(crate) async fn open(stage: &Stage) -> Result<Self> {
        let bearer = Bearer::new(&stage.operations()?)?;
        let service = work_order(stage, &bearer).await?;
        let product = Orders::of(&service, &bearer).await?;
        let request = report(0, 0);
        let request_id = request.request_id.clone();
        let pattern = product.ask(0, request).await?;
        let (keys, url) = (stage.keyring("work-order")?, stage.database_url("postgres"));
        let mut seeder = Seeder::new(&keys, &url, Uuid::parse_str(&pattern.id)?).await?;
        seeder.fill(stage.options.orders, stage.clock.now()).await?;
        published(stage.pool()).await?;
        let twin = twin::start(stage, &pattern, &request_id).await.context("starting the bare program")?;
        let bare = Orders::of(&twin, &bearer).await?;
        Ok(Self { service, twin, product, bare, bearer })
    }

    /// The product's process.
    pub(crate) fn service(&self) -> &Served {
        &self.service
    }

    /// The bare program's process.
    pub(crate) fn twin(&self) -> &Served {
        &self.twin
    }
}

/// work-order with estates and rules.
pub(crate) async fn work_order(stage: &Stage, bearer: &Bearer) -> Result<Served> {
    let laid = ground::lay(stage.pool()).await?;
    let service = stage.start("work-order").await?;
    if laid {
        ground::rules(service.channel().await?, bearer).await?;
    }
    Ok(service)
}
