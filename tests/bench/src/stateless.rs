//! Row 4: an RPC whose answer is reckoned from memory, through the whole stack of layers, against an empty call of tonic.

use anyhow::{Context as _, Result};
use http::uri::PathAndQuery;
use steward_proto::{
    common::v1 as common,
    work_order::v1::{self as pb, work_order_service_client::WorkOrderServiceClient},
};
use tonic::{Request, client::Grpc, transport::Channel};
use tonic_prost::ProstCodec;

use crate::{
    caller::Bearer,
    cores::{costed, told},
    ground,
    house::House,
    load::{Load, closed},
    paired::{Pairs, by_turns},
    row::Row,
    stage::Stage,
};

const CALLERS: usize = 32;

/// As many connections as the callers of the other rows share.
const CONNECTIONS: usize = 4;

pub(crate) async fn run(stage: &Stage, house: &House) -> Result<Vec<Row>> {
    let product = house.service().channels(CONNECTIONS).await?;
    let bare = house.twin().channels(CONNECTIONS).await?;
    reckoned(stage, &product, &house.bearer).await?;
    empty(stage, &bare).await?;
    let turns = by_turns(
        stage.options.turns(),
        async || costed(stage, house.service(), reckoned(stage, &product, &house.bearer)).await,
        async || costed(stage, house.twin(), empty(stage, &bare)).await,
    );
    let turns = turns.await?;
    let pairs = Pairs::of(&turns, |turn| turn.load.rate);
    let note = format!("ComputeDueTime; {}", told(&turns));
    Ok(vec![Row::paired(4, "RPC without a store, 32 callers", &pairs, "/s").at_least(0.60, 0.80).note(note)])
}

async fn reckoned(stage: &Stage, channels: &[Channel], bearer: &Bearer) -> Result<Load> {
    let clients: Vec<_> = channels.iter().cloned().map(WorkOrderServiceClient::new).collect();
    let bearer = bearer.clone();
    closed(CALLERS, stage.options.turn() / 2, move |caller| {
        let (mut client, bearer) = (clients[caller % CONNECTIONS].clone(), bearer.clone());
        async move {
            let span = common::Span { value: 15, unit: common::Unit::Minute.into(), calendar: "24x7".to_owned() };
            let estate_id = ground::estate(caller as u64).to_string();
            let request = pb::ComputeDueTimeRequest { estate_id, start_time: None, span: Some(span) };
            client.compute_due_time(bearer.asks(request)).await.context("asking for a due time").map(drop)
        }
    })
    .await
}

async fn empty(stage: &Stage, channels: &[Channel]) -> Result<Load> {
    let channels = channels.to_vec();
    closed(CALLERS, stage.options.turn() / 2, move |caller| {
        let mut client = Grpc::new(channels[caller % CONNECTIONS].clone());
        async move {
            client.ready().await.context("a connection")?;
            let path = PathAndQuery::from_static("/steward.work_order.v1.WorkOrderService/Nothing");
            client.unary::<(), (), _>(Request::new(()), path, ProstCodec::default()).await.context("an empty call").map(drop)
        }
    })
    .await
}
