//! Row 14: the picture of a customer, put together by the gateway from parts that take their time, one that takes too long, and one
//! that is down.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use steward_proto::{
    customer::v1::{
        self as customer, customer_service_client::CustomerServiceClient, estate_service_client::EstateServiceClient,
        tenure_service_client::TenureServiceClient, timeline_service_client::TimelineServiceClient,
    },
    gateway::v1::{self as gateway, customer360_service_client::Customer360ServiceClient},
    notification::v1::{ListMessagesRequest, message_service_client::MessageServiceClient},
    work_order::v1::{ListWorkOrdersRequest, work_order_service_client::WorkOrderServiceClient},
};
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

use crate::{
    caller::Bearer,
    gateway::UNLIMITED,
    house,
    lag::Lag,
    paired::Pairs,
    quantiles::{Times, median},
    row::Row,
    stage::Stage,
};

/// What a part takes on its way, there and back.
const PART: Duration = Duration::from_millis(20);

/// What the gateway gives a part.
const DEADLINE: Duration = Duration::from_millis(200);

/// Longer than any part is waited for.
const TOO_LONG: Duration = Duration::from_secs(5);

/// How long the first whole picture may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Calls of a turn.
const CALLS: usize = 20;

/// The parts, each at the end of its way.
struct Parts {
    customer: Channel,
    work_order: Channel,
    notification: Channel,
    bearer: Bearer,
    id: String,
}

pub(crate) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let bearer = Bearer::new(&stage.operations()?)?;
    let work_order = house::work_order(stage, &bearer).await?;
    let (customer, notification) = (stage.start("customer").await?, stage.start("notification").await?);
    let id = somebody(customer.channel().await?, &bearer).await?;

    let way = async |name: &str| Lag::to(stage.address(name), PART / 2).await;
    let (to_customer, to_orders, to_messages) = (way("customer").await?, way("work-order").await?, way("notification").await?);
    let deadline = DEADLINE.as_millis().to_string();
    let urls = [to_customer.url(), to_orders.url(), to_messages.url()];
    let settings = [
        ("CUSTOMER_URL", urls[0].as_str()),
        ("WORK_ORDER_URL", urls[1].as_str()),
        ("NOTIFICATION_URL", urls[2].as_str()),
        ("SECTION_DEADLINE_MS", deadline.as_str()),
        UNLIMITED[0],
        UNLIMITED[1],
    ];
    let gateway = stage.start_with("gateway", &settings).await?;
    let at = async |url: &str| Endpoint::from_shared(url.to_owned())?.tcp_nodelay(true).connect().await.context("connecting to a part");
    let parts = Parts {
        customer: at(&urls[0]).await?,
        work_order: at(&urls[1]).await?,
        notification: at(&urls[2]).await?,
        bearer: bearer.clone(),
        id: id.clone(),
    };
    let pictures = Customer360ServiceClient::new(gateway.channel().await?);
    let picture = async |missing: usize| one(&pictures, &bearer, &id, missing).await;

    // The first of each opens the ways, for which a part's deadline need not be enough.
    let begun = Instant::now();
    while let Err(error) = picture(0).await {
        ensure!(begun.elapsed() < PATIENCE, "no whole picture comes: {error:#}");
    }
    parts.slowest().await?;
    let mut pairs = Vec::new();
    for _ in 0..stage.options.turns() {
        let mut times = Vec::new();
        for _ in 0..CALLS {
            times.push(picture(0).await?);
        }
        pairs.push((Times::new(times).p50_ms(), parts.slowest().await?));
    }
    let whole = Pairs::of(&pairs, |ms| *ms);

    to_messages.set(TOO_LONG);
    let slow = later(async || picture(1).await).await?;
    to_messages.set(PART / 2);
    notification.stop()?;
    // The gateway learns it by the first call that fails.
    picture(1).await?;
    let down = later(async || picture(1).await).await?;
    for served in [gateway, customer, work_order] {
        served.stop()?;
    }
    let after = |name: &str, times: &Times| {
        let over = (times.quantile_ms(0.95) - DEADLINE.as_secs_f64() * 1000.0).max(0.0);
        Row::value(14, name, over, "ms").at_most(10.0, 5.0).note(format!(
            "beyond the deadline of {} ms, p95 of {}; the picture came after {:.1} ms at the median",
            DEADLINE.as_millis(),
            times.count(),
            times.p50_ms()
        ))
    };
    Ok(vec![
        Row::paired(14, "customer 360, parts of 20 ms, by the slowest", &whole, "ms").at_most(1.10, 1.05),
        after("customer 360, one part too slow", &slow),
        after("customer 360, one part down", &down),
    ])
}

/// One picture, which must lack so many parts; how long it took.
async fn one(pictures: &Customer360ServiceClient<Channel>, bearer: &Bearer, id: &str, missing: usize) -> Result<Duration> {
    let request = gateway::GetCustomer360Request { customer_id: id.to_owned(), sections: Vec::new() };
    let begun = Instant::now();
    let answer = pictures.clone().get_customer360(bearer.asks(request)).await.context("asking for the picture")?;
    let took = begun.elapsed();
    let picture = answer.into_inner().customer360.context("an answer without its picture")?;
    let lacks = &picture.unavailable_sections;
    ensure!(lacks.len() == missing, "the picture lacks {lacks:?}, and {missing} part(s) should be missing");
    Ok(took)
}

async fn later(picture: impl AsyncFn() -> Result<Duration>) -> Result<Times> {
    let mut times = Vec::new();
    for _ in 0..CALLS * 2 {
        times.push(picture().await?);
    }
    Ok(Times::new(times))
}

/// A customer who is asked about.
async fn somebody(channel: Channel, bearer: &Bearer) -> Result<String> {
    let code = Uuid::now_v7().simple().to_string();
    let request = customer::RegisterEstateRequest {
        request_id: Uuid::now_v7().to_string(),
        group_id: Uuid::now_v7().to_string(),
        region_id: Uuid::now_v7().to_string(),
        name: "锦绣花园".to_owned(),
        code: format!("BE-{}", &code[20..]),
        city_code: "330100".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        premises_type: customer::PremisesType::Residential.into(),
    };
    let registered =
        EstateServiceClient::new(channel.clone()).register_estate(bearer.asks(request)).await.context("registering an estate")?;
    let estate = registered.into_inner().estate.context("an answer without its estate")?;
    let request = customer::CreateCustomerRequest {
        request_id: Uuid::now_v7().to_string(),
        kind: customer::CustomerKind::Person.into(),
        home_estate_id: estate.id,
        name: "王芳".to_owned(),
        ..customer::CreateCustomerRequest::default()
    };
    let created = CustomerServiceClient::new(channel).create_customer(bearer.asks(request)).await.context("creating a customer")?;
    Ok(created.into_inner().customer.context("an answer without its customer")?.id)
}

impl Parts {
    /// The median of the part that has the greatest one, in milliseconds: each asked alone, by the same way.
    async fn slowest(&self) -> Result<f64> {
        let id = || self.id.clone();
        let profile = async || {
            let request = customer::GetCustomerRequest { customer_id: id() };
            CustomerServiceClient::new(self.customer.clone()).get_customer(self.bearer.asks(request)).await.map(drop)
        };
        let tenures = async || {
            let request = customer::ListTenuresRequest { customer_id: id(), page_size: 20, ..Default::default() };
            TenureServiceClient::new(self.customer.clone()).list_tenures(self.bearer.asks(request)).await.map(drop)
        };
        let timeline = async || {
            let request = customer::ListTimelineEntriesRequest { customer_id: id(), page_size: 20, ..Default::default() };
            TimelineServiceClient::new(self.customer.clone()).list_timeline_entries(self.bearer.asks(request)).await.map(drop)
        };
        let orders = async || {
            let request = ListWorkOrdersRequest { customer_id: id(), page_size: 20, ..Default::default() };
            WorkOrderServiceClient::new(self.work_order.clone()).list_work_orders(self.bearer.asks(request)).await.map(drop)
        };
        let messages = async || {
            let request = ListMessagesRequest { customer_id: id(), page_size: 20, ..Default::default() };
            MessageServiceClient::new(self.notification.clone()).list_messages(self.bearer.asks(request)).await.map(drop)
        };
        let all = [middle(profile).await?, middle(tenures).await?, middle(timeline).await?, middle(orders).await?, middle(messages).await?];
        Ok(all.into_iter().fold(0.0, f64::max))
    }
}

async fn middle(call: impl AsyncFn() -> Result<(), tonic::Status>) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let begun = Instant::now();
        call().await.context("asking a part")?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(times))
}
