//! Facts of other services.

use jiff::Timestamp;
use prost::Name;
use sqlx::PgConnection;
use std::sync::Arc;
use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::ids::{EstateId, WorkOrderId};
use steward_kit::metric::Standing;
use steward_kit_store::Effects;
use steward_kit_store::calendars::CalendarStore;
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::inbox::{EventHandler, payload};
use steward_proto::customer::v1 as customer;
use steward_proto::event::v1::Event;
use steward_proto::notification::v1 as notification;
use steward_proto::survey::v1 as survey;
use steward_proto::work_order::v1 as orders;
use uuid::Uuid;

use crate::app::App;
use crate::domain::caused::{Cause, CausedCase};
use crate::store::caused::{forget_case, note_case};

/// What the customer service tells: which estates there are, who lives where, what changed of a household.
pub(crate) struct CustomerEvents(pub(crate) Arc<App>);

#[tonic::async_trait]
impl EventHandler for CustomerEvents {
    fn wants(&self, kind: &str) -> bool {
        let wanted = [
            customer::HouseholdFactsChanged::full_name(),
            customer::TenureStarted::full_name(),
            customer::TenureEnded::full_name(),
            customer::ImportApplied::full_name(),
        ];
        EstateDirectory::wants(kind) || wanted.iter().any(|wanted| wanted == kind)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        let (app, kind) = (&self.0, event.r#type.as_str());
        app.rules.estates.hear(tx, event, now).await?;
        if kind == customer::HouseholdFactsChanged::full_name() {
            let fact: customer::HouseholdFactsChanged = payload(event)?;
            let mut bad = Violations::new();
            let (estate, household) = (bad.id("estate_id", &fact.estate_id), bad.id("household_id", &fact.household_id));
            let (estate, household) = bad.build(|| Some((estate?, household?)))?;
            return app.hear_household(tx, estate, household, now).await;
        }
        let mut bad = Violations::new();
        let estate = bad.id::<EstateId>("estate_id", &event.estate_id);
        let estate = bad.build(|| estate)?;
        app.hear_estate(tx, estate, now).await
    }
}

/// What notification tells of the messages of touchpoints.
pub(crate) struct MessageEvents(pub(crate) Arc<App>);

/// What a message, or an answer, says that it is about.
const SUBJECT_KIND: &str = "touchpoint";

#[tonic::async_trait]
impl EventHandler for MessageEvents {
    fn wants(&self, kind: &str) -> bool {
        let wanted = [
            notification::MessageDelivered::full_name(),
            notification::MessageRead::full_name(),
            notification::MessageSuppressed::full_name(),
            notification::MessageFailed::full_name(),
        ];
        wanted.iter().any(|wanted| wanted == kind)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        let kind = event.r#type.as_str();
        if kind == notification::MessageSuppressed::full_name() {
            let fact: notification::MessageSuppressed = payload(event)?;
            let reason = fact.reason().as_str_name().trim_start_matches("SUPPRESS_REASON_").to_lowercase();
            return self.held_back(tx, fact.message, &reason, now).await;
        }
        if kind == notification::MessageFailed::full_name() {
            let fact: notification::MessageFailed = payload(event)?;
            return self.held_back(tx, fact.message, "failed", now).await;
        }
        let message = if kind == notification::MessageRead::full_name() {
            payload::<notification::MessageRead>(event)?.message
        } else {
            payload::<notification::MessageDelivered>(event)?.message
        };
        let Some(touchpoint) = subject(message) else { return Ok(Effects::none()) };
        let mut bad = Violations::new();
        let at = bad.timestamp("occur_time", event.occur_time.as_ref());
        let at = bad.build(|| at)?;
        self.0.hear_arrival(tx, touchpoint, at, now).await
    }
}

impl MessageEvents {
    async fn held_back(
        &self,
        tx: &mut PgConnection,
        message: Option<notification::MessageFacts>,
        reason: &str,
        now: Timestamp,
    ) -> Result<Effects> {
        match subject(message) {
            Some(touchpoint) => self.0.hear_held_back(tx, touchpoint, reason, now).await,
            None => Ok(Effects::none()),
        }
    }
}

/// The touchpoint that a message to a customer is about. What staff are told of a touchpoint, that it is due or late, is no care that
/// anybody received.
fn subject(message: Option<notification::MessageFacts>) -> Option<Uuid> {
    let message = message.filter(|message| message.subject_kind == SUBJECT_KIND && !message.customer_id.is_empty())?;
    Uuid::try_parse(&message.subject_id).ok()
}

/// What the survey service tells: who answered what care asked for, and which improvements were carried out.
pub(crate) struct SurveyEvents(pub(crate) Arc<App>);

#[tonic::async_trait]
impl EventHandler for SurveyEvents {
    fn wants(&self, kind: &str) -> bool {
        kind == survey::ResponseAccepted::full_name() || kind == survey::ImprovementPlanVerified::full_name()
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        if event.r#type == survey::ImprovementPlanVerified::full_name() {
            let Some(plan) = payload::<survey::ImprovementPlanVerified>(event)?.plan else { return Ok(Effects::none()) };
            let mut bad = Violations::new();
            let estate = bad.id::<EstateId>("estate_id", &plan.estate_id);
            let estate = bad.build(|| estate)?;
            return self.0.hear_improvement(tx, estate, &plan.improvement_plan_id, now).await;
        }
        let fact: survey::ResponseAccepted = payload(event)?;
        let Some(touchpoint) = Uuid::try_parse(&fact.subject_code).ok().filter(|_| fact.subject_kind == SUBJECT_KIND) else {
            return Ok(Effects::none());
        };
        let mut bad = Violations::new();
        let at = bad.timestamp("occur_time", event.occur_time.as_ref());
        let at = bad.build(|| at)?;
        self.0.hear_answer(tx, touchpoint, at, now).await
    }
}

/// What work-order tells of cases that name what care did (WO-67).
pub(crate) struct OrderEvents;

#[tonic::async_trait]
impl EventHandler for OrderEvents {
    fn wants(&self, kind: &str) -> bool {
        let wanted = [
            orders::WorkOrderCreated::full_name(),
            orders::WorkOrderClassified::full_name(),
            orders::WorkOrderReopened::full_name(),
            orders::WorkOrderClosed::full_name(),
            orders::WorkOrderCancelled::full_name(),
        ];
        wanted.iter().any(|wanted| wanted == kind)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        let kind = event.r#type.as_str();
        let is_classified = kind == orders::WorkOrderClassified::full_name();
        let (order, ended) = if kind == orders::WorkOrderCreated::full_name() {
            (payload::<orders::WorkOrderCreated>(event)?.order, orders::CloseCode::Unspecified)
        } else if is_classified {
            (payload::<orders::WorkOrderClassified>(event)?.order, orders::CloseCode::Unspecified)
        } else if kind == orders::WorkOrderReopened::full_name() {
            (payload::<orders::WorkOrderReopened>(event)?.order, orders::CloseCode::Unspecified)
        } else if kind == orders::WorkOrderClosed::full_name() {
            let fact: orders::WorkOrderClosed = payload(event)?;
            (fact.order.clone(), fact.close_code())
        } else {
            let fact: orders::WorkOrderCancelled = payload(event)?;
            (fact.order.clone(), fact.close_code())
        };
        let order = order.unwrap_or_default();
        let mut bad = Violations::new();
        let id = bad.id::<WorkOrderId>("work_order_id", &order.work_order_id);
        let estate = bad.id::<EstateId>("estate_id", &order.estate_id);
        let customer_id = bad.optional_id("customer_id", &order.customer_id);
        let unit_id = bad.optional_id("unit_id", &order.unit_id);
        let cause = cause(&mut bad, order.caused_by.clone());
        let happened = bad.optional_timestamp("case_time", order.case_time.as_ref());
        let (id, estate_id) = bad.build(|| Some((id?, estate?)))?;
        match (cause, happened) {
            (Some(cause), Some(case_time)) => {
                let kind = order.kind().as_str_name().trim_start_matches("WORK_ORDER_KIND_").to_lowercase();
                let case = CausedCase { id, estate_id, customer_id, unit_id, cause, kind, standing: standing(ended), case_time };
                note_case(tx, &case, now).await?;
            }
            // Only a classification takes back what was said.
            (None, _) | (_, None) if is_classified => forget_case(tx, estate_id, id).await?,
            (None, _) | (_, None) => {}
        }
        Ok(Effects::none())
    }
}

fn cause(bad: &mut Violations, told: Option<orders::CausedBy>) -> Option<Cause> {
    match told?.cause? {
        orders::caused_by::Cause::TouchpointId(id) => bad.id("caused_by.touchpoint_id", &id).map(Cause::Touchpoint),
        orders::caused_by::Cause::CampaignCode(code) => Some(Cause::Campaign(code)),
    }
}

/// How a case stands to figures, by how it ended.
fn standing(ended: orders::CloseCode) -> Standing {
    match ended {
        orders::CloseCode::Unspecified
        | orders::CloseCode::Resolved
        | orders::CloseCode::UnresolvedExplained
        | orders::CloseCode::AutoClosed => Standing::Valid,
        orders::CloseCode::OutOfScope => Standing::OutOfScope,
        orders::CloseCode::Withdrawn => Standing::Withdrawn,
        orders::CloseCode::Duplicate => Standing::Duplicate,
        orders::CloseCode::Invalid => Standing::Invalid,
        orders::CloseCode::Transferred => Standing::Transferred,
    }
}

/// What work-order tells of calendars.
pub(crate) struct CalendarEvents(pub(crate) Arc<App>);

#[tonic::async_trait]
impl EventHandler for CalendarEvents {
    fn wants(&self, kind: &str) -> bool {
        CalendarStore::wants(kind)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        self.0.hear_calendar(tx, event, now).await
    }
}
