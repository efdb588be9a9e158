//! What remains to be seen: the customer's 360 view, the resident's inbox, the order's history.

use anyhow::{Context, Result, ensure};
use steward_proto::{
    customer::v1::TimelineEntry,
    gateway::v1::{Customer360, GetCustomer360Request, customer360_service_client::Customer360ServiceClient},
    notification::v1::{InboxItem, ListInboxItemsRequest, inbox_service_client::InboxServiceClient},
    work_order::v1::WorkOrder,
};

use super::{
    night::{desk, history},
    prologue::Estate,
    stage::{Actor, Stage},
};
use crate::tokens::Claims;

/// What the timeline must hold in the end, oldest first: each fact once, none missing.
const TIMELINE: [&str; 19] = [
    "customer.created",
    "tenure.started",
    "work_order.created",
    "work_order.assigned",
    "work_order.clock_breached",
    "work_order.escalated",
    "work_order.clock_breached",
    "work_order.clock_breached",
    "work_order.contacted",
    "work_order.arrived",
    "work_order.completed",
    "work_order.called_back",
    "work_order.reopened",
    "work_order.assigned",
    "work_order.contacted",
    "work_order.arrived",
    "work_order.completed",
    "work_order.called_back",
    "work_order.closed",
];

/// Messages that the resident must find in the inbox: received, closed, reopened, and twice assigned, promised, arrived, completed.
const INBOX: usize = 11;

pub(super) async fn play(stage: &Stage, estate: &Estate, order: &WorkOrder) -> Result<()> {
    let steward = stage.actor("the steward", &Claims::staff("steward.sun").role("steward").estate(&estate.id))?;
    stage.scene("The customer's 360 view shows all of it");
    let picture = customer_360(stage, &steward, estate, order).await?;
    let profile = picture.profile.context("the profile")?;
    stage.tell(format!(
        "{} {} {}, {} tenure(s), {} open order(s)",
        profile.number,
        profile.name,
        profile.phone,
        picture.tenures.len(),
        picture.open_work_orders.len()
    ));
    ensure!(!profile.phone.contains("00000001"), "the phone number is masked");
    for entry in picture.timeline.iter().rev() {
        stage.tell(format!("  {}  {} {}", stage.local_proto(entry.occur_time), entry.kind().as_str_name(), entry.title_code));
    }

    let titles: Vec<&str> = picture.timeline.iter().rev().map(|entry| entry.title_code.as_str()).collect();
    ensure!(titles == TIMELINE, "the timeline tells {titles:?}");

    stage.scene("The resident's inbox");
    let resident = Claims::customer("resident.luo", &estate.customer_id).role("resident").estate(&estate.id);
    let resident = stage.actor("the resident", &resident)?;
    for item in inbox(stage, &resident, order).await?.iter().rev() {
        stage.tell(format!("  {}  {}", stage.local_proto(item.create_time), item.title));
    }

    stage.scene("The order's own history, append-only and hash-chained");
    let lines = history(stage, &desk(stage, estate)?, &order.id).await?;
    ensure!(lines.iter().zip(1..).all(|(line, position)| line.position == position), "the history has no gap");
    for line in lines {
        stage.tell(format!(
            "  {:>2} {}  {:<16} {}",
            line.position,
            stage.local_proto(line.record_time),
            line.action,
            &line.hash.get(..12).unwrap_or_default()
        ));
    }
    Ok(())
}

/// The picture, as soon as the order's facts have reached the timeline and no section is missing.
async fn customer_360(stage: &Stage, steward: &Actor, estate: &Estate, order: &WorkOrder) -> Result<Customer360> {
    let views = Customer360ServiceClient::new(stage.gateway.clone());
    stage
        .await_some("the order in the customer's timeline", || {
            let request = GetCustomer360Request { customer_id: estate.customer_id.clone(), sections: Vec::new() };
            let (mut views, request) = (views.clone(), steward.asks(request));
            async move {
                let picture = views.get_customer360(request?).await.context("asking for the 360 view")?.into_inner().customer360;
                Ok(picture.filter(|picture| {
                    // Facts of different subjects come by different ways; all have come when the last of each has.
                    let closed = |entry: &TimelineEntry| entry.subject_id == order.id && entry.title_code == "work_order.closed";
                    let complete = picture.timeline.len() >= TIMELINE.len();
                    picture.unavailable_sections.is_empty() && complete && picture.timeline.iter().any(closed)
                }))
            }
        })
        .await
}

async fn inbox(stage: &Stage, resident: &Actor, order: &WorkOrder) -> Result<Vec<InboxItem>> {
    let inboxes = InboxServiceClient::new(stage.gateway.clone());
    stage
        .await_some("a message about the order in the resident's inbox", || {
            let (mut inboxes, request) =
                (inboxes.clone(), resident.asks(ListInboxItemsRequest { page_size: 50, ..ListInboxItemsRequest::default() }));
            async move {
                let items = inboxes.list_inbox_items(request?).await.context("reading the inbox")?.into_inner().items;
                let of_order: Vec<InboxItem> = items.into_iter().filter(|item| item.subject_id == order.id).collect();
                ensure!(of_order.len() <= INBOX, "{} messages about the order, {INBOX} were expected", of_order.len());
                Ok((of_order.len() == INBOX).then_some(of_order))
            }
        })
        .await
}
