//! Row 10: a notice to an audience: who belongs to it, who agreed, who was told enough this month, who was told already, and the rows of
//! whom it is for; beside COPY of the very same rows.

mod copy;
mod people;

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use steward_proto::notification::v1::{
    Broadcast, BroadcastState, CreateBroadcastRequest, GetBroadcastRequest, broadcast_service_client::BroadcastServiceClient,
};
use tonic::transport::Channel;
use uuid::Uuid;

use self::copy::Copies;
use crate::{
    caller::Bearer,
    events::orders_while,
    house,
    orders::Orders,
    paired::Pairs,
    row::{Goal, Row},
    stage::Stage,
    tell,
};

/// Most estates of one broadcast.
const MOST_ESTATES: usize = 200;

/// How long the big one may take.
const PATIENCE: Duration = Duration::from_secs(1800);

/// Orders a second while it runs.
const ORDERS: f64 = 20.0;

pub(crate) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let bearer = Bearer::new(&stage.operations()?)?;
    let estates = people::lay(stage).await?;
    let customer = stage.start("customer").await?;
    let notification = stage.start("notification").await?;
    people::template(stage, notification.channel().await?).await?;
    let notices = Notices { client: BroadcastServiceClient::new(notification.channel().await?), bearer: bearer.clone() };

    // Each turn tells estates that were not told before: nobody is told a fifth time in a month.
    let (turns, each) = (stage.options.turns(), if stage.options.quick { 2 } else { 10 });
    let mut fresh = estates.chunks(each);
    let mut next = || fresh.next().context("there are estates for every turn");
    let copies = Copies::open(stage.pool()).await?;
    let last = RefCell::new(notices.tell(next()?).await?.0);
    let product = async || {
        let (broadcast, elapsed) = notices.tell(next()?).await?;
        let told = made(&broadcast);
        last.replace(broadcast);
        Ok(told / elapsed.as_secs_f64())
    };
    let limit = async || {
        let broadcast = last.borrow().clone();
        copies.write_again(&broadcast).await
    };
    let pairs = Pairs::measured(turns, product, limit).await?;
    let last = last.into_inner();
    let of_each = copies.rows_of(&last).await?;
    copies.close().await?;
    let many = big(stage, &notices, &estates, &bearer).await?;
    notification.stop()?;
    customer.stop()?;
    let mut rows = vec![Row::paired(10, "notice to an audience, against COPY of its rows", &pairs, "/s").at_least(0.30, 0.60).note(
        format!("{} households a turn; of marketing: consent, caps, situations, dedupe; {of_each:.1} rows for each message", made(&last)),
    )];
    rows.extend(many);
    Ok(rows)
}

/// Everybody, while orders come in whose residents are told of them.
async fn big(stage: &Stage, notices: &Notices, estates: &[Uuid], bearer: &Bearer) -> Result<Vec<Row>> {
    let everybody = if stage.options.quick { 20 } else { 300 };
    let work_order = house::work_order(stage, bearer).await?;
    let orders = Orders::of(&work_order, bearer).await?;
    tell(format!("a notice to {everybody} estates"));
    let mut left = everybody;
    let fan_out = async {
        let begun = Instant::now();
        let mut told = 0.0;
        // From the end: the turns took the first ones.
        for group in estates.rchunks(MOST_ESTATES) {
            let some = group.get(..left.min(group.len())).unwrap_or_default();
            if some.is_empty() {
                break;
            }
            left -= some.len();
            told += made(&notices.tell(some).await?.0);
        }
        anyhow::Ok((told, begun.elapsed()))
    };
    let ((told, elapsed), late) = orders_while(stage, &orders, ORDERS, fan_out).await?;
    work_order.stop()?;
    let goal = 600_000.0 / 300.0;
    Ok(vec![
        Row::value(10, "600 k handed to a local sink in 5 min", told / elapsed.as_secs_f64(), "/s")
            .bar(Goal::AtLeast(goal))
            .note(format!("{told} messages in {:.0} s, into the inboxes of their customers", elapsed.as_secs_f64())),
        Row::value(10, "an order's message meanwhile: p95", late.p95_ms, "ms")
            .bar(Goal::AtMost(1000.0))
            .note(format!("{} orders at {ORDERS}/s; p50 {:.0} ms, worst {:.0} ms", late.count, late.p50_ms, late.worst_ms)),
    ])
}

fn made(broadcast: &Broadcast) -> f64 {
    broadcast.progress.as_ref().map_or(0.0, |progress| f64::from(progress.message_count))
}

struct Notices {
    client: BroadcastServiceClient<Channel>,
    bearer: Bearer,
}

impl Notices {
    /// Tells every household of these estates; the broadcast when it is done, and how long that took from asking for it.
    async fn tell(&self, estates: &[Uuid]) -> Result<(Broadcast, Duration)> {
        let begun = Instant::now();
        let mut client = self.client.clone();
        let request = CreateBroadcastRequest {
            request_id: Uuid::now_v7().to_string(),
            title: "a notice".to_owned(),
            estate_ids: estates.iter().map(Uuid::to_string).collect(),
            template_key: people::TEMPLATE.to_owned(),
            ..CreateBroadcastRequest::default()
        };
        let made = client.create_broadcast(self.bearer.asks(request)).await.context("creating a broadcast")?;
        let broadcast_id = made.into_inner().broadcast.context("an answer without its broadcast")?.id;
        loop {
            let request = GetBroadcastRequest { broadcast_id: broadcast_id.clone() };
            let found = client.get_broadcast(self.bearer.asks(request)).await.context("looking at a broadcast")?;
            let broadcast = found.into_inner().broadcast.context("an answer without its broadcast")?;
            if broadcast.state() == BroadcastState::Done {
                return Ok((broadcast, begun.elapsed()));
            }
            ensure!(begun.elapsed() < PATIENCE, "a broadcast was not done within half an hour");
            // A look counts what was sent: seldom enough to cost nothing.
            tokio::time::sleep((begun.elapsed() / 20).max(Duration::from_millis(10))).await;
        }
    }
}
