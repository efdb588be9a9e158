//! The RPCs about orders, as a load calls them: of the product and of the bare program, which answers the same ones.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use steward_proto::{
    common::v1 as common,
    work_order::v1::{self as pb, work_order_service_client::WorkOrderServiceClient},
};
use tonic::transport::Channel;
use uuid::Uuid;

use crate::{
    caller::Bearer,
    ground::{self, ESTATES, UNITS},
    load::{Counter, Load, closed},
    stage::{Served, Stage},
};

/// Connections that the callers of a load share, as those of a gateway would.
const CONNECTIONS: usize = 4;

/// Callers of one side.
#[derive(Clone)]
pub(crate) struct Orders {
    clients: Arc<[WorkOrderServiceClient<Channel>]>,
    bearer: Bearer,
    made: Counter,
}

impl Orders {
    pub(crate) async fn of(served: &Served, bearer: &Bearer) -> Result<Self> {
        let channels = served.channels(CONNECTIONS).await?;
        let clients = channels.into_iter().map(WorkOrderServiceClient::new).collect();
        Ok(Self { clients, bearer: bearer.clone(), made: Counter::default() })
    }

    /// How many were created.
    pub(crate) fn made(&self) -> u64 {
        self.made.count()
    }

    fn client(&self, caller: usize) -> WorkOrderServiceClient<Channel> {
        self.clients[caller % CONNECTIONS].clone()
    }

    /// A report is taken in; nobody reported it before.
    pub(crate) async fn create(&self, caller: usize) -> Result<pb::WorkOrder> {
        let number = self.made.next();
        // Steps that have no factor in common with the counts: neighbours in time are not neighbours in space.
        let (estate, unit) = (number * 37 % ESTATES, number * 61 % UNITS);
        self.ask(caller, report(estate, unit)).await
    }

    /// This report is taken in.
    pub(crate) async fn ask(&self, caller: usize, report: pb::CreateWorkOrderRequest) -> Result<pb::WorkOrder> {
        let answer = self.client(caller).create_work_order(self.bearer.asks(report)).await.context("creating an order")?;
        answer.into_inner().work_order.context("an answer without its order")
    }

    /// An order by its id.
    pub(crate) async fn get(&self, caller: usize, id: &str) -> Result<pb::WorkOrder> {
        let request = pb::GetWorkOrderRequest { work_order_id: id.to_owned() };
        let answer = self.client(caller).get_work_order(self.bearer.asks(request)).await.context("reading an order")?;
        answer.into_inner().work_order.context("an answer without its order")
    }

    /// A page of an estate's orders.
    pub(crate) async fn list(&self, caller: usize, estate: u64, page_size: i32, page_token: String) -> Result<pb::ListWorkOrdersResponse> {
        let estate_id = ground::estate(estate).to_string();
        let request = pb::ListWorkOrdersRequest { estate_id, page_size, page_token, ..pb::ListWorkOrdersRequest::default() };
        Ok(self.client(caller).list_work_orders(self.bearer.asks(request)).await.context("listing orders")?.into_inner())
    }
}

/// Callers read one order after the other, half a turn long.
pub(crate) async fn read(stage: &Stage, orders: &Orders, ids: &Arc<[String]>, callers: usize) -> Result<Load> {
    let (orders, ids, next) = (orders.clone(), Arc::clone(ids), Counter::default());
    closed(callers, stage.options.turn() / 2, move |caller| {
        let (orders, ids, next) = (orders.clone(), Arc::clone(&ids), next.clone());
        async move {
            let place = usize::try_from(next.next())? % ids.len();
            orders.get(caller, &ids[place]).await.map(drop)
        }
    })
    .await
}

/// A burst pipe, told on the telephone.
pub(crate) fn report(estate: u64, unit: u64) -> pb::CreateWorkOrderRequest {
    pb::CreateWorkOrderRequest {
        request_id: Uuid::now_v7().to_string(),
        estate_id: ground::estate(estate).to_string(),
        unit_id: ground::unit(estate, unit).to_string(),
        customer_id: ground::customer(estate, unit).to_string(),
        kind: common::WorkOrderKind::Repair.into(),
        channel: common::Channel::Hotline.into(),
        description: "厨房水管爆漏，水漫到客厅了".to_owned(),
        location: "厨房水槽下面".to_owned(),
        ..pb::CreateWorkOrderRequest::default()
    }
}
