//! Facts of survey and care that ask for an order.

use std::sync::Arc;

use jiff::Timestamp;
use prost::Name;
use sqlx::PgConnection;
use steward_kit::error::Violations;
use steward_kit::ids::WorkOrderId;
use steward_kit::pii::Pii;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;
use steward_kit_store::inbox::{EventHandler, payload};
use steward_proto::care::v1 as care;
use steward_proto::event::v1::Event;
use steward_proto::survey::v1 as survey;

use crate::app::{App, AskedOrder};
use crate::contract::Code;
use crate::domain::{Channel, Kind, Source};

/// Creates an order for each.
pub(crate) struct AskedOrders(Arc<App>);

impl AskedOrders {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self(app)
    }
}

/// Who lives where, and what is asked, as facts say it.
struct Asked<'a> {
    estate: &'a str,
    unit: &'a str,
    customer: &'a str,
    kind: Kind,
    channel: Channel,
    category: &'a str,
    description: String,
    source: Source,
    subject: &'static str,
}

#[tonic::async_trait]
impl EventHandler for AskedOrders {
    fn wants(&self, kind: &str) -> bool {
        [survey::LowScoreReceived::full_name(), care::VisitIssueRaised::full_name(), care::TouchpointOrderDue::full_name()]
            .iter()
            .any(|wanted| wanted == kind)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        let kind = event.r#type.as_str();
        let asked = if kind == survey::LowScoreReceived::full_name() {
            read(event, low_score(&payload(event)?))
        } else if kind == care::VisitIssueRaised::full_name() {
            let fact: care::VisitIssueRaised = payload(event)?;
            let visit = fact.visit.clone().unwrap_or_default();
            read(event, visit_issue(&fact, &visit)?)
        } else {
            let fact: care::TouchpointOrderDue = payload(event)?;
            let touchpoint = fact.touchpoint.clone().unwrap_or_default();
            read(event, touchpoint_order(&fact, &touchpoint)?)
        };
        self.0.create_order_by_event(tx, asked?, now).await
    }
}

/// SV-45: somebody asks the customer what went wrong.
fn low_score(fact: &survey::LowScoreReceived) -> Asked<'_> {
    Asked {
        estate: &fact.estate_id,
        unit: &fact.unit_id,
        customer: &fact.customer_id,
        kind: Kind::Request,
        channel: Channel::Web,
        category: "",
        description: format!("满意度调查低分 {}/{}（{}）", fact.score, fact.scale_max, fact.question_code),
        source: Source { kind: "survey_response", id: fact.response_id.clone() },
        subject: "service.survey",
    }
}

/// CA-47: what was said stands in the visit's form, which the order names.
fn visit_issue<'a>(fact: &'a care::VisitIssueRaised, visit: &'a care::VisitFacts) -> Result<Asked<'a>> {
    Ok(Asked {
        estate: &visit.estate_id,
        unit: &visit.unit_id,
        customer: &visit.customer_id,
        kind: kind(fact.kind)?,
        channel: Channel::Visit,
        category: &fact.category,
        description: format!("入户回访问题 {}", fact.position + 1),
        source: Source { kind: "visit", id: visit.visit_id.clone() },
        subject: "service.care",
    })
}

fn touchpoint_order<'a>(fact: &'a care::TouchpointOrderDue, touchpoint: &'a care::TouchpointFacts) -> Result<Asked<'a>> {
    Ok(Asked {
        estate: &touchpoint.estate_id,
        unit: &touchpoint.unit_id,
        customer: &touchpoint.customer_id,
        kind: kind(fact.kind)?,
        channel: Channel::Visit,
        category: &fact.category,
        // What was written for one household alone stands in its touchpoint, which the order names.
        description: Some(fact.description.clone())
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| format!("关怀触点 {}", touchpoint.definition_code)),
        source: Source { kind: "touchpoint", id: touchpoint.touchpoint_id.clone() },
        subject: "service.care",
    })
}

fn kind(number: i32) -> Result<Kind> {
    Kind::of_number(number).ok_or_else(|| Error::bug("an order of no kind is asked for"))
}

fn read(event: &Event, asked: Asked<'_>) -> Result<AskedOrder> {
    let mut bad = Violations::new();
    let id = bad.id::<WorkOrderId>("id", &event.id);
    let estate_id = bad.id("estate_id", asked.estate);
    let (unit_id, customer_id) = (bad.optional_id("unit_id", asked.unit), bad.optional_id("customer_id", asked.customer));
    bad.build(|| {
        Some(AskedOrder {
            id: id?,
            estate_id: estate_id?,
            unit_id,
            customer_id,
            kind: asked.kind,
            channel: asked.channel,
            category: asked.category.to_owned(),
            description: Pii::new(asked.description),
            source: asked.source,
            subject: asked.subject,
        })
    })
}
