//! The small world that the requests of the table are about: one estate, one unit with its owner, categories, and an order in
//! any state.

mod care;
mod rules;
mod survey;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::Caller;
pub(super) use care::{Care, visit_request};
pub(super) use survey::{Surveys, instrument};

/// Who works on orders.
pub(super) const TECHNICIAN: &str = "tech.zhou";

/// The category whose orders are offered.
const OFFERED: &str = "power.lighting";

/// How long what goes on in the background may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The world, by its ids.
pub(super) struct Ground<'c, 'h> {
    pub(super) caller: &'c Caller<'h>,
    pub(super) group: String,
    pub(super) region: String,
    pub(super) estate: String,
    pub(super) building: String,
    pub(super) unit: String,
    pub(super) customer: String,
    pub(super) household: String,
}

/// A fresh UUID.
pub(super) fn id() -> String {
    Uuid::now_v7().to_string()
}

/// The id of a resource in an answer.
pub(super) fn id_of(answer: &Value, resource: &str) -> Result<String> {
    Ok(answer[resource]["id"].as_str().with_context(|| format!("no {resource} in {answer}"))?.to_owned())
}

/// Asks until there is an answer.
pub(super) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask().await? {
            return Ok(found);
        }
        anyhow::ensure!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl<'c, 'h> Ground<'c, 'h> {
    /// Builds it.
    pub(super) async fn laid(caller: &'c Caller<'h>) -> Result<Self> {
        let mut ground = Self {
            caller,
            group: id(),
            region: id(),
            estate: String::new(),
            building: String::new(),
            unit: String::new(),
            customer: String::new(),
            household: String::new(),
        };
        ground.estate = ground.make("customer.v1.EstateService/RegisterEstate", "estate", ground.an_estate("JX-1")).await?;
        let building = json!({"requestId": id(), "estateId": ground.estate, "code": "1"});
        ground.building = ground.make("customer.v1.UnitService/CreateBuilding", "building", building).await?;
        ground.unit = ground.a_unit("101").await?;
        ground.customer = ground.a_customer("王芳").await?;
        ground.a_tenure(&ground.unit, &ground.customer).await?;
        let households = ground.ask("customer.v1.HouseholdService/ListHouseholds", json!({"estateId": ground.estate})).await?;
        ground.household = households["households"][0]["id"].as_str().context("a household")?.to_owned();
        let policy = json!({
            "requestId": id(), "scope": {"level": "POLICY_SCOPE_LEVEL_BASE"},
            "document": {"intake": {"categories": [
                {"code": "water", "nameZh": "给排水", "nameEn": "Water"},
                {"code": "power", "nameZh": "电", "nameEn": "Power"},
                {"code": OFFERED, "nameZh": "照明", "nameEn": "Lighting"},
            ]}},
        });
        ground.ask("plan.v1.PolicyService/CreatePolicyVersion", policy).await?;
        // A limit that is not reached here, and a pause that a second person approves.
        let limit = json!({"value": 3000, "unit": "UNIT_DAY", "calendar": "civil"});
        let clock = json!({"clock": "closing", "startOn": "MILESTONE_RECEIVED", "stopOn": ["MILESTONE_CLOSED"], "limit": limit});
        let rules = json!([{"reason": "SUSPENSION_REASON_WEATHER", "needsApproval": true}]);
        // Orders of one category are offered, for as long as the test may last.
        let dispatch = json!({
            "rules": [{"appliesTo": {"categories": [OFFERED]}, "mode": "DISPATCH_MODE_OFFER"}], "acceptWithin": limit, "maxOffers": 3,
            "weights": {"skill": 1}, "escalateRoles": ["estate_manager"],
        });
        let policy = json!({
            "requestId": id(), "scope": {"level": "POLICY_SCOPE_LEVEL_BASE"},
            "document": {"sla": {"clockRules": [clock], "suspensionRules": rules, "dispatch": dispatch}},
        });
        ground.ask("plan.v1.PolicyService/CreatePolicyVersion", policy).await?;
        ground.until_known().await?;
        ground.plans().await.context("the plans")?;
        Ok(ground)
    }

    /// One call that must succeed; `rpc` without `steward.`.
    pub(super) async fn ask(&self, rpc: &str, body: Value) -> Result<Value> {
        self.caller.ask(&format!("steward.{rpc}"), None, body).await
    }

    /// One call that makes a resource; its id.
    pub(super) async fn make(&self, rpc: &str, resource: &str, body: Value) -> Result<String> {
        id_of(&self.ask(rpc, body).await?, resource)
    }

    pub(super) fn an_estate(&self, code: &str) -> Value {
        json!({
            "requestId": id(), "groupId": self.group, "regionId": self.region, "name": "锦绣花园", "code": code,
            "cityCode": "330100", "timeZone": "Asia/Shanghai", "premisesType": "PREMISES_TYPE_RESIDENTIAL",
        })
    }

    pub(super) async fn a_unit(&self, code: &str) -> Result<String> {
        let unit = json!({"requestId": id(), "buildingId": self.building, "code": code});
        self.make("customer.v1.UnitService/CreateUnit", "unit", unit).await
    }

    pub(super) async fn a_customer(&self, name: &str) -> Result<String> {
        let customer = json!({
            "requestId": id(), "kind": "CUSTOMER_KIND_PERSON", "homeEstateId": self.estate, "name": name,
            "source": "DATA_SOURCE_STAFF",
        });
        self.make("customer.v1.CustomerService/CreateCustomer", "customer", customer).await
    }

    pub(super) async fn a_tenure(&self, unit: &str, customer: &str) -> Result<String> {
        let tenure = json!({
            "requestId": id(), "unitId": unit, "customerId": customer, "role": "TENURE_ROLE_OWNER", "fromDate": "2024-05-01",
        });
        self.make("customer.v1.TenureService/CreateTenure", "tenure", tenure).await
    }

    pub(super) fn a_report(&self) -> Value {
        json!({
            "requestId": id(), "estateId": self.estate, "unitId": self.unit, "customerId": self.customer,
            "kind": "WORK_ORDER_KIND_REPAIR", "channel": "CHANNEL_FRONT_DESK", "description": "灯不亮", "category": "power",
        })
    }

    /// An order after these verbs, each of them named without `WorkOrder`.
    pub(super) async fn an_order(&self, verbs: &[&str]) -> Result<String> {
        let order = self.make("work_order.v1.WorkOrderService/CreateWorkOrder", "workOrder", self.a_report()).await?;
        for verb in verbs {
            let (rpc, mut body) = verb_request(verb)?;
            body["requestId"] = json!(id());
            body["workOrderId"] = json!(order);
            let by = if ["assign", "call_back"].contains(verb) { None } else { Some(TECHNICIAN) };
            self.caller
                .ask(&format!("steward.work_order.v1.WorkOrderService/{rpc}"), by, body)
                .await
                .with_context(|| (*verb).to_owned())?;
        }
        Ok(order)
    }

    /// An order that is offered to the technician, who stands in the roster.
    pub(super) async fn an_offered_order(&self) -> Result<String> {
        let mut report = self.a_report();
        report["category"] = json!(OFFERED);
        let order = self.make("work_order.v1.WorkOrderService/CreateWorkOrder", "workOrder", report).await?;
        let begun = Instant::now();
        loop {
            let seen = self.ask("work_order.v1.WorkOrderService/GetWorkOrder", json!({"workOrderId": order})).await?;
            if seen["workOrder"]["offer"]["offeredTo"] == TECHNICIAN {
                return Ok(order);
            }
            anyhow::ensure!(begun.elapsed() < PATIENCE, "nobody is offered the order: {seen}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The present of the house, as a request says it.
    pub(super) fn now(&self) -> String {
        self.caller.house().hand.now().to_string()
    }

    /// Until work-order and notification have heard of the estate and of who lives there.
    async fn until_known(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let order = self.ask("work_order.v1.WorkOrderService/CreateWorkOrder", self.a_report()).await;
            let told = self.ask("notification.v1.MessageService/SendMessage", self.a_message()).await;
            match order.and(told) {
                Ok(_) => return Ok(()),
                Err(error) => anyhow::ensure!(begun.elapsed() < PATIENCE, "nobody hears of the estate: {error:#}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(super) fn a_message(&self) -> Value {
        json!({
            "requestId": id(), "estateId": self.estate, "recipient": {"customerId": self.customer},
            "templateKey": "work_order.assigned", "variables": {"number": "WO-2026-000001"},
        })
    }
}

/// What is asked for a verb on an order.
pub(super) fn verb_request(verb: &str) -> Result<(&'static str, Value)> {
    let photo = |kind: &str| json!({"key": format!("orders/{kind}.jpg"), "sha256": "0f".repeat(32), "kind": kind});
    Ok(match verb {
        "assign" => ("AssignWorkOrder", json!({"assignee": TECHNICIAN})),
        "accept" => ("AcceptWorkOrder", json!({})),
        "contact" => (
            "ContactCustomer",
            json!({"reached": true, "promise": {"value": 2, "unit": "UNIT_HOUR", "calendar": "24x7"}, "note": "马上到"}),
        ),
        "arrive" => ("ArriveOnSite", json!({})),
        "complete" => (
            "CompleteWorkOrder",
            json!({"summary": "换了灯管", "media": [photo("MEDIA_KIND_BEFORE"), photo("MEDIA_KIND_AFTER"), photo("MEDIA_KIND_SIGNATURE")]}),
        ),
        "call_back" => ("RecordCallback", json!({"outcome": "CALLBACK_OUTCOME_REACHED", "score": 5, "mode": "CALLBACK_MODE_PHONE"})),
        "close" => ("CloseWorkOrder", json!({"closeCode": "CLOSE_CODE_RESOLVED"})),
        "suspend" => ("SuspendWorkOrder", json!({"reason": "SUSPENSION_REASON_PARTS"})),
        "suspend_for_weather" => ("SuspendWorkOrder", json!({"reason": "SUSPENSION_REASON_WEATHER"})),
        "quote" => ("QuoteWork", json!({})),
        other => anyhow::bail!("no verb {other}"),
    })
}
