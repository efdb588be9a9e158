//! Rows 1 and 2: an order is created, with everything that the product does for it, against the same rows written bare.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{
    cores::{costed, told},
    house::House,
    load::{Load, closed, open},
    orders::Orders,
    paired::{Pairs, by_turns},
    row::{Goal, Row},
    seed::published,
    stage::Stage,
    tell,
    trips::{Commands, Statements},
};

/// Callers at once.
const CALLERS: usize = 32;

/// The share of its own rate at 32 callers that each side is given in the open loop: busy, not drowned.
const SHARE: f64 = 0.5;

pub(crate) async fn run(stage: &Stage, house: &House) -> Result<Vec<Row>> {
    let options = &stage.options;
    for orders in [&house.product, &house.bare] {
        loaded(orders, CALLERS, options.warm_up()).await?;
    }
    let clocks = house.product.create(0).await?.clocks.len();
    ensure!(clocks >= 4, "an order starts {clocks} clocks, and four were promised");

    let mut lags = Vec::new();
    let many = by_turns(
        options.turns(),
        async || {
            let load = costed(stage, house.service(), loaded(&house.product, CALLERS, options.turn())).await?;
            // What the product still has to publish must not run in the other's turn.
            lags.push(published(stage.pool()).await?);
            Ok(load)
        },
        async || costed(stage, house.twin(), loaded(&house.bare, CALLERS, options.turn())).await,
    );
    let many = many.await?;
    let lag = lags.iter().max().copied().unwrap_or_default();
    let one = by_turns(
        options.turns(),
        async || loaded(&house.product, 1, options.turn() / 2).await,
        async || loaded(&house.bare, 1, options.turn() / 2).await,
    );
    let one = one.await?;
    let rates = Pairs::of(&many, |turn| turn.load.rate);
    let rate = rates.product().min(rates.limit()) * SHARE;
    let scheduled = by_turns(
        options.turns(),
        async || {
            let load = at_rate(&house.product, rate, options.turn()).await?;
            published(stage.pool()).await?;
            Ok(load)
        },
        async || at_rate(&house.bare, rate, options.turn()).await,
    );
    let scheduled = scheduled.await?;

    let mut rows = vec![
        Row::paired(1, "create order, 32 callers", &rates, "/s").at_least(0.70, 0.90).note(format!(
            "{clocks} clocks each; {}; the last event was published at most {} ms after a turn",
            told(&many),
            lag.as_millis()
        )),
        trips(stage, house).await?,
        Row::paired(2, "create order, one caller: p50", &Pairs::of(&one, |load| load.times.p50_ms()), "ms").at_most(1.3, 1.1),
        Row::paired(2, "create order, 32 callers: p99", &Pairs::of(&many, |turn| turn.load.times.p99_ms()), "ms").at_most(1.5, 1.2),
    ];
    let late = Pairs::of(&scheduled, |load| load.times.p99_ms());
    let middle = Pairs::of(&scheduled, |load| load.times.p50_ms());
    let name = "create order, open loop: p99";
    rows.push(Row::paired(2, name, &late, "ms").at_most(1.5, 1.2).note(format!(
        "{rate:.0} calls/s on both sides, from when each was due; p50 {:.2} and {:.2} ms",
        middle.product(),
        middle.limit()
    )));
    Ok(rows)
}

async fn loaded(orders: &Orders, callers: usize, span: Duration) -> Result<Load> {
    let orders = orders.clone();
    closed(callers, span, move |caller| {
        let orders = orders.clone();
        async move { orders.create(caller).await.map(drop) }
    })
    .await
}

async fn at_rate(orders: &Orders, rate: f64, span: Duration) -> Result<Load> {
    let orders = orders.clone();
    open(rate, span, move |number| {
        let orders = orders.clone();
        let place = usize::try_from(number).unwrap_or_default();
        async move { orders.create(place).await.map(drop) }
    })
    .await
}

/// What both servers were asked for while the product created orders at full speed, jobs in the background included.
async fn trips(stage: &Stage, house: &House) -> Result<Row> {
    let (before, made) = (Commands::now(stage).await?, house.product.made());
    Statements::reset(stage.pool()).await?;
    loaded(&house.product, CALLERS, stage.options.turn()).await?;
    published(stage.pool()).await?;
    let made = house.product.made() - made;
    let statements = Statements::of(stage.pool(), "work_order_app").await?;
    let commands = Commands::now(stage).await?.since(&before);
    tell(format!("statements for each of {made} orders:\n{}", statements.told(made)));
    #[expect(clippy::cast_precision_loss, reason = "counts of commands")]
    let of_redis = commands.all() as f64 / made.max(1) as f64;
    Ok(Row::value(1, "statements for one order, jobs included", statements.for_each(made), "trips")
        .bar(Goal::AtMost(3.0))
        .note(format!("Redis, all of it in the background: {of_redis:.2} commands for one order ({})", commands.told())))
}
