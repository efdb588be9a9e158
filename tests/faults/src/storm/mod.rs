//! The day of a storm: profile M's reports of such a day through the gateway, a kill and a flush in the midst of its worst hour, and the
//! counts at its end. `cargo dev demo --storm` plays it.

mod board;
pub mod curve;
mod day;
mod deeds;
mod estates;
mod verdict;
pub mod waits;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use sqlx::PgPool;
use steward_dev::say;

use crate::{
    caller::Callers,
    checks::{self, Counted, Sums},
    rest::at_rest,
    site::Site,
};
use day::Day;
use estates::{ESTATES_OF_M, HOUSEHOLDS_OF_M, Home};
use verdict::Table;
use waits::Moves;

/// A day's reports of profile M in a storm.
pub const ORDERS_OF_M: u32 = 18_000;

/// How often is counted what is off at first, a second apart: what fell due in the midst of the counts is on its way then.
const LOOKS: u32 = 10;

/// How large.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Reports of the day.
    pub orders: u32,
    /// Homes of each estate that reports come from.
    pub homes: u32,
    /// What chances are taken from.
    pub seed: u64,
}

impl Size {
    /// As many estates as profile M has, or fewer for fewer orders.
    fn estates(self) -> u32 {
        (ESTATES_OF_M * self.orders.min(ORDERS_OF_M)).div_ceil(ORDERS_OF_M)
    }
}

/// Plays the day; whether everything is as it must be.
///
/// # Errors
/// Something does not start, a call is refused, or there is no rest.
pub async fn play(size: Size) -> Result<bool> {
    let begun = Instant::now();
    let site = Site::roomy().await?;
    let callers = Callers::new(site.gateway()?, site.keys().issuer(), site.clock())?;
    let db = site.database().await?;
    say::done("the suite runs", begun.elapsed());
    let homes = lay(&site, &callers, &db, size).await?;
    let zone = TimeZone::get("Asia/Shanghai").context("the estates' time zone")?;
    let day = site.now().to_zoned(zone.clone()).date().tomorrow()?;
    let start = day.to_zoned(zone.clone())?.timestamp();
    let month = (day.first_of_month().to_zoned(zone.clone())?.timestamp(), day.last_of_month().tomorrow()?.to_zoned(zone)?.timestamp());
    site.step(start.duration_since(site.now()) - SignedDuration::from_secs(1))?;

    say::step(format!(
        "The day of the storm: {} reports on {day}, the storm from {}:00 to {}:00",
        size.orders,
        curve::STORM_HOUR,
        curve::STORM_HOUR + 1
    ));
    let begun = Instant::now();
    let mut estates: Vec<String> = homes.iter().map(|home| home.estate.clone()).collect();
    estates.dedup();
    let played = Box::pin(Day::new(&site, &callers, &db, start, &homes, size.orders, size.seed).play()).await?;
    say::line(format!(
        "In the storm hour work-order was killed (away for {}), and Redis forgot everything while {} timers waited; the hour took {}.",
        say::seconds(played.away),
        played.timers_at_flush,
        say::seconds(played.storm)
    ));
    say::done("the day is over", begun.elapsed());

    say::step("Counting");
    let begun = Instant::now();
    let (counted, sums) = settled(&site, &callers, &db, start).await?;
    for check in &counted {
        for (what, expected, found) in check.off.iter().take(5) {
            say::failure(format!("{}: {what}: {expected} expected, {found} found", check.check));
        }
    }
    let mut table = Table::default();
    orders(&callers, &counted, sums, size, &mut table);
    let moves = Moves::new(site.moves());
    verdict::clocks(&db, site.now(), &mut table).await?;
    verdict::breaches(&db, &mut table).await?;
    verdict::lateness(&db, &moves, &mut table).await?;
    verdict::messages(&db, &moves, &mut table).await?;
    the_board(&callers, &db, &estates, (month, site.now()), day, &mut table).await?;
    let (dead, wrong) = (site.dead(), callers.journal.take_wrong());
    table.line(
        "what no server may do",
        format!("{} ended by themselves, {} answers were INTERNAL or UNKNOWN", dead.len(), wrong.len()),
        dead.is_empty() && wrong.is_empty(),
    );
    say::done("counted", begun.elapsed());
    let is_well = table.show();
    db.close().await;
    Ok(is_well)
}

async fn lay(site: &Site, callers: &Callers, db: &PgPool, size: Size) -> Result<Vec<Home>> {
    let begun = Instant::now();
    let (from, estates) = (site.now(), size.estates());
    let homes = estates::lay(callers, estates, size.homes).await.context("laying the estates")?;
    while checks::hear(db).await? > 0 {
        at_rest(site, db, from, Instant::now()).await?;
    }
    say::line(format!(
        "{estates} of the {ESTATES_OF_M} estates of profile M, and {} of its {HOUSEHOLDS_OF_M} households: those that reports come from; each of \
         them through the gateway, as a caller would, because each write is counted at the end. What a million customers cost is measured by `cargo dev bench`.",
        homes.len()
    ));
    say::done("the estates are laid", begun.elapsed());
    Ok(homes)
}

/// Waits for rest, and counts.
async fn settled(site: &Site, callers: &Callers, db: &PgPool, since: Timestamp) -> Result<(Vec<Counted>, Sums)> {
    at_rest(site, db, since, Instant::now()).await?;
    while checks::hear(db).await? > 0 {
        at_rest(site, db, since, Instant::now()).await?;
    }
    let mut looks = 0;
    loop {
        let mut counted = checks::take(db, &callers.journal, site.now()).await?;
        counted.extend(checks::take_outside(db, &site.mail, &site.webhooks).await?);
        let sums = checks::judge(&counted);
        looks += 1;
        if sums.is_zero() || looks == LOOKS {
            return Ok((counted, sums));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        at_rest(site, db, since, Instant::now()).await?;
    }
}

fn orders(callers: &Callers, counted: &[Counted], sums: Sums, size: Size, table: &mut Table) {
    let of = |name: &str| counted.iter().find(|check| check.check == name).map_or((0, 0), |check| (check.looked_at, check.off.len()));
    let acknowledged = callers.journal.acknowledged("order").len();
    let (stored, off) = of("orders");
    table.line(
        "orders",
        format!("{acknowledged} acknowledged, {stored} stored, {} calls made again", callers.journal.repeated()),
        off == 0 && usize::try_from(size.orders) == Ok(acknowledged) && usize::try_from(stored) == Ok(acknowledged),
    );
    let looked_at: i64 = counted.iter().map(|check| check.looked_at).sum();
    table.line(
        "lost or doubled",
        format!(
            "of {} acknowledged writes {} lost; of {looked_at} things counted {} promises lost, {} effects doubled",
            callers.journal.count(),
            sums.writes_lost,
            sums.obligations_lost,
            sums.effects_doubled
        ),
        sums.is_zero(),
    );
    let refused = callers.journal.refused().len();
    table.line("refused", format!("{refused} calls"), refused == 0);
}

/// Each figure of the board beside the one that was counted.
async fn the_board(
    callers: &Callers,
    db: &PgPool,
    estates: &[String],
    ((start, end), now): ((Timestamp, Timestamp), Timestamp),
    day: jiff::civil::Date,
    table: &mut Table,
) -> Result<()> {
    let counted = board::counted(db, start, end, now).await?;
    let shown = board::shown(callers, estates, day, &counted).await?;
    for (metric, (numerator, denominator)) in &counted {
        let (shown_numerator, shown_denominator) = shown.get(metric).copied().unwrap_or_default();
        table.line(
            format!("board: {metric}"),
            format!("{shown_numerator} of {shown_denominator} shown, {numerator} of {denominator} counted"),
            (shown_numerator, shown_denominator) == (*numerator, *denominator),
        );
    }
    Ok(())
}
