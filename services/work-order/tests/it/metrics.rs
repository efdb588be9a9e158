//! What tests of figures say often: a case and its verbs in one word each, a figure by its id.

use steward_proto::common::v1 as common;
use steward_proto::metric::v1 as metric;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::CloseCode;
use uuid::Uuid;

use crate::world::{Answer, World, request_id};

/// A definition with the catalogue's choices.
pub(crate) fn defined(metric_id: &str) -> metric::MetricDefinition {
    metric::MetricDefinition { metric_id: metric_id.to_owned(), ..Default::default() }
}

/// A month of 2026.
pub(crate) fn month(from: &str, to: &str) -> Option<metric::MetricPeriod> {
    Some(metric::MetricPeriod { from_date: from.to_owned(), to_date: to.to_owned() })
}

pub(crate) fn march() -> Option<metric::MetricPeriod> {
    month("2026-03-01", "2026-03-31")
}

/// Households of the estate for a period.
pub(crate) fn households(world: &World, period: Option<&metric::MetricPeriod>, count: i64) -> metric::HouseholdBase {
    let period = period.expect("a period");
    metric::HouseholdBase {
        estate_id: world.estate.to_string(),
        basis: metric::HouseholdBasis::Managed.into(),
        from_date: period.from_date.clone(),
        to_date: period.to_date.clone(),
        household_days: count * 31,
        days: 31,
    }
}

impl World {
    /// Asks for figures of the estate in March.
    pub(crate) fn asks_for(&self, definitions: Vec<metric::MetricDefinition>) -> metric::ComputeMetricsRequest {
        metric::ComputeMetricsRequest {
            estate_ids: vec![self.estate.to_string()],
            period: march(),
            plan_code: "a-plan".to_owned(),
            definitions,
            ..Default::default()
        }
    }

    pub(crate) async fn compute(&self, request: metric::ComputeMetricsRequest) -> Answer<Vec<metric::MetricValue>> {
        Ok(self.metrics().compute_metrics(self.operations().asks(request)).await?.into_inner().values)
    }

    /// One figure of the estate in March.
    pub(crate) async fn figure(&self, definition: metric::MetricDefinition) -> metric::MetricValue {
        let values = self.compute(self.asks_for(vec![definition])).await.unwrap();
        values.into_iter().find(|value| !value.estate_id.is_empty()).expect("one for the estate")
    }

    /// Numerator and denominator of a figure of the estate in March.
    pub(crate) async fn counted(&self, metric_id: &str) -> (i64, i64) {
        let value = self.figure(defined(metric_id)).await;
        (value.numerator, value.denominator)
    }

    /// The rows behind a figure of the estate in March.
    pub(crate) async fn explained(&self, definition: metric::MetricDefinition) -> metric::ExplainMetricResponse {
        let request = metric::ExplainMetricRequest {
            estate_id: self.estate.to_string(),
            period: march(),
            metric_id: definition.metric_id.clone(),
            definition: Some(definition),
            page_size: 200,
            ..Default::default()
        };
        self.metrics().explain_metric(self.operations().asks(request)).await.unwrap().into_inner()
    }

    /// Another unit of the estate.
    pub(crate) async fn another_unit(&self) -> Uuid {
        let unit = Uuid::now_v7();
        sqlx::query("INSERT INTO work_order.units (estate_id, id, create_time) VALUES ($1, $2, '2026-01-01Z')")
            .bind(self.estate)
            .bind(unit)
            .execute(&self.db)
            .await
            .unwrap();
        unit
    }

    /// A complaint about cleaning.
    pub(crate) fn complaint(&self) -> pb::CreateWorkOrderRequest {
        pb::CreateWorkOrderRequest {
            kind: common::WorkOrderKind::Complaint.into(),
            description: "楼道打扫不干净".to_owned(),
            location: "三楼楼道".to_owned(),
            ..self.burst_pipe()
        }
    }

    /// Wang reaches the customer; first answers may be given by anybody of the staff.
    pub(crate) async fn answer(&self, id: &str) {
        let request = pb::ContactCustomerRequest {
            work_order_id: id.to_owned(),
            request_id: request_id(),
            reached: true,
            promise: Some(common::Span { value: 8, unit: common::Unit::Hour.into(), calendar: "24x7".to_owned() }),
            note: "told".to_owned(),
            ..Default::default()
        };
        self.orders().contact_customer(self.wang().asks(request)).await.unwrap();
    }

    /// Wang takes the case and does the work.
    pub(crate) async fn work_off(&self, id: &str) {
        self.assign(id, "wang").await.unwrap();
        let accept = pb::AcceptWorkOrderRequest { work_order_id: id.to_owned(), request_id: request_id(), etag: String::new() };
        self.orders().accept_work_order(self.wang().asks(accept)).await.unwrap();
        crate::lifecycle::complete(self, id).await;
    }

    /// The desk calls back.
    pub(crate) async fn call_back(&self, id: &str, outcome: pb::CallbackOutcome, score: u32) {
        let request = pb::RecordCallbackRequest {
            work_order_id: id.to_owned(),
            request_id: request_id(),
            outcome: outcome.into(),
            mode: pb::CallbackMode::Phone.into(),
            score,
            ..Default::default()
        };
        self.orders().record_callback(self.desk().asks(request)).await.unwrap();
    }

    pub(crate) async fn close(&self, id: &str, close_code: CloseCode) {
        let request = pb::CloseWorkOrderRequest {
            work_order_id: id.to_owned(),
            request_id: request_id(),
            close_code: close_code.into(),
            ..Default::default()
        };
        self.orders().close_work_order(self.desk().asks(request)).await.unwrap();
    }

    pub(crate) async fn cancel(&self, id: &str, close_code: CloseCode) {
        let request = pb::CancelWorkOrderRequest {
            work_order_id: id.to_owned(),
            request_id: request_id(),
            close_code: close_code.into(),
            reason: "test".to_owned(),
            ..Default::default()
        };
        self.orders().cancel_work_order(self.desk().asks(request)).await.unwrap();
    }
}
