//! Row 3: an order by its id, through the caller's scope and opened, against the same columns read bare.

use std::sync::Arc;

use anyhow::{Context as _, Result};

use crate::{
    cores::{costed, told},
    house::House,
    orders::read,
    paired::{Pairs, by_turns},
    row::Row,
    stage::Stage,
};

const CALLERS: usize = 32;

/// Orders that are read, spread over all that are there.
const READ: i64 = 20_000;

pub(crate) async fn run(stage: &Stage, house: &House) -> Result<Vec<Row>> {
    // Those that both sides have: since the copy each has made orders of its own.
    let both = "SELECT id::text FROM work_order.work_orders JOIN bare.work_orders USING (id) ORDER BY md5(id::text) LIMIT $1";
    let ids: Vec<String> = sqlx::query_scalar(both).bind(READ).fetch_all(stage.pool()).await.context("choosing orders")?;
    let ids: Arc<[String]> = ids.into();
    for orders in [&house.product, &house.bare] {
        read(stage, orders, &ids, CALLERS).await?;
    }
    let many = by_turns(
        stage.options.turns(),
        async || costed(stage, house.service(), read(stage, &house.product, &ids, CALLERS)).await,
        async || costed(stage, house.twin(), read(stage, &house.bare, &ids, CALLERS)).await,
    );
    let many = many.await?;
    let one = by_turns(
        stage.options.turns(),
        async || read(stage, &house.product, &ids, 1).await,
        async || read(stage, &house.bare, &ids, 1).await,
    );
    let one = Pairs::of(&one.await?, |load| load.times.p50_ms());
    Ok(vec![
        Row::paired(3, "get order by id, 32 callers", &Pairs::of(&many, |turn| turn.load.rate), "/s")
            .at_least(0.75, 0.90)
            .note(told(&many)),
        Row::paired(3, "get order by id, one caller: p50", &one, "ms"),
    ])
}
