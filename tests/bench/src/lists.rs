//! Row 13: a page of an estate's orders where there are many, against the same page where there are a tenth of them.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::{
    caller::Bearer,
    ground::{self, ESTATES},
    house,
    load::{Load, open},
    orders::{Orders, report},
    paired::{Pairs, by_turns},
    row::Row,
    seed::{Seeder, published},
    stage::{Served, Stage},
    tell,
};

/// Orders of the smaller database; the larger one has ten times as many.
const FEW: u32 = 100_000;

/// Rows of a page.
const PAGE: i32 = 50;

/// Pages a second: far from what is possible, so that a page waits for its own reading only.
const RATE: f64 = 50.0;

/// The smaller database.
const SMALL: &str = "steward_small";

/// Pages that are asked for: the first of an estate, or one behind it.
type Places = Arc<[(u64, String)]>;

pub(crate) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let few = if stage.options.quick { FEW / 50 } else { FEW };
    let bearer = Bearer::new(&stage.operations()?)?;

    let large = house::work_order(stage, &bearer).await?;
    let of_many = Orders::of(&large, &bearer).await?;
    tell(format!("filling up to {} orders", few * 10));
    fill(stage, &of_many, &stage.database_url("postgres"), few * 10).await?;
    published(stage.pool()).await?;

    stage.another_database(SMALL, "work-order").await?;
    let url = stage.url_of_another(SMALL, "postgres");
    ground::lay(&PgPoolOptions::new().max_connections(1).connect(&url).await?).await?;
    let small = small(stage).await?;
    ground::rules(small.channel().await?, &bearer).await?;
    let of_few = Orders::of(&small, &bearer).await?;
    fill(stage, &of_few, &url, few).await?;

    let (many_places, few_places) = (places(&of_many).await?, places(&of_few).await?);
    for (orders, places) in [(&of_many, &many_places), (&of_few, &few_places)] {
        pages(orders, places, stage.options.warm_up()).await?;
    }
    let turn = stage.options.turn();
    let turns = by_turns(
        stage.options.turns(),
        async || pages(&of_many, &many_places, turn).await,
        async || pages(&of_few, &few_places, turn).await,
    );
    let turns = turns.await?;
    small.stop()?;
    large.stop()?;
    let middle = Pairs::of(&turns, |load| load.times.p50_ms());
    let late = Pairs::of(&turns, |load| load.times.p99_ms());
    let name = format!("page of {PAGE} of {} orders, by {few}: p99", few * 10);
    Ok(vec![Row::paired(13, name, &late, "ms").at_most(2.0, 1.2).note(format!(
        "open loop, {RATE:.0} pages/s, first to fourth page of each estate; p50 {:.2} and {:.2} ms",
        middle.product(),
        middle.limit()
    ))])
}

/// work-order over the smaller database; its index and streams are in another database of Redis.
async fn small(stage: &Stage) -> Result<Served> {
    let (database, redis) = (stage.url_of_another(SMALL, "work_order_app"), format!("{}1", stage.redis_url()));
    stage.start_another("work-order-small", "work-order", &[("DATABASE_URL", &database), ("REDIS_URL", &redis)]).await
}

async fn fill(stage: &Stage, orders: &Orders, url: &str, wanted: u32) -> Result<()> {
    let pattern = orders.ask(0, report(0, 0)).await?;
    let mut seeder = Seeder::new(&stage.keyring("work-order")?, url, Uuid::parse_str(&pattern.id)?).await?;
    seeder.fill(wanted, stage.clock.now()).await
}

/// The first four pages of each estate.
async fn places(orders: &Orders) -> Result<Places> {
    let mut places = Vec::new();
    for estate in 0..ESTATES {
        let mut token = String::new();
        for _ in 0..4 {
            places.push((estate, token.clone()));
            token = orders.list(0, estate, PAGE, token).await?.next_page_token;
            if token.is_empty() {
                break;
            }
        }
    }
    Ok(places.into())
}

async fn pages(orders: &Orders, places: &Places, span: Duration) -> Result<Load> {
    let (orders, places) = (orders.clone(), Arc::clone(places));
    open(RATE, span, move |number| {
        let (orders, places) = (orders.clone(), Arc::clone(&places));
        async move {
            // A step without a common factor: neighbours in time are pages of different estates.
            let at = usize::try_from(number)? * 37 % places.len();
            let (estate, token) = places.get(at).context("a place")?;
            let page = orders.list(at, *estate, PAGE, token.clone()).await?;
            anyhow::ensure!(!page.work_orders.is_empty(), "an empty page");
            Ok(())
        }
    })
    .await
}
