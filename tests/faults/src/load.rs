//! The load: residents move in, report, are served, register, answer; each of them in their own time.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use steward_kit::clock::Clock;
use tonic::Code;

use crate::{
    caller::{Callers, Told, Who, id},
    chance::Chance,
    ground::{Ground, QUESTIONNAIRE},
};

const ORDERS: &str = "work_order.v1.WorkOrderService";

/// Residents of one run.
pub struct Load {
    callers: Arc<Callers>,
    ground: Ground,
    clock: Clock,
    seed: u64,
    homes: AtomicU64,
    stopping: AtomicBool,
}

/// What a resident has.
struct Home {
    unit: String,
    household: String,
    customer: String,
}

impl Load {
    /// Nobody yet.
    pub fn new(callers: Arc<Callers>, ground: Ground, clock: Clock, seed: u64) -> Self {
        Self { callers, ground, clock, seed, homes: AtomicU64::new(0), stopping: AtomicBool::new(false) }
    }

    /// Lets so many clients live residents' lives one after the other until [`Load::stop`]; a life that has begun is lived to its end.
    ///
    /// # Errors
    /// A call is never answered.
    pub async fn run(&self, clients: usize) -> Result<()> {
        self.stopping.store(false, Ordering::SeqCst);
        try_join_all((0..clients).map(|client| async move {
            while !self.stopping.load(Ordering::SeqCst) {
                self.life(client).await?;
            }
            anyhow::Ok(())
        }))
        .await
        .map(drop)
    }

    /// No new lives.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Residents so far.
    pub fn lives(&self) -> u64 {
        self.homes.load(Ordering::SeqCst)
    }

    /// One resident, from moving in to what they think of it.
    ///
    /// # Errors
    /// A call is never answered.
    pub async fn life(&self, client: usize) -> Result<()> {
        let number = self.homes.fetch_add(1, Ordering::SeqCst);
        let mut chance = Chance::new(self.seed ^ (number << 20));
        let Some(home) = self.move_in(number, client).await? else { return Ok(()) };
        let (served, cared) = (Box::pin(self.order(&home, client, &mut chance)), self.care(&home, client, number));
        let (order, ()) = futures::future::try_join(served, cared).await?;
        self.answer(&home, client, order.as_deref(), number).await
    }

    async fn move_in(&self, number: u64, client: usize) -> Result<Option<Home>> {
        let who = Who::staff(format!("manager.{client}"));
        let make = |rpc: &'static str, kind: &'static str, body: Value| {
            let who = who.clone();
            async move { self.callers.make(&who, &format!("customer.v1.{rpc}"), kind, kind, body).await }
        };
        let unit = json!({"buildingId": self.ground.building, "code": format!("{number}")});
        let Some(unit) = make("UnitService/CreateUnit", "unit", unit).await? else { return Ok(None) };
        let customer = json!({
            "kind": "CUSTOMER_KIND_PERSON", "homeEstateId": self.ground.estate, "name": "王芳", "source": "DATA_SOURCE_STAFF",
            "phone": format!("199{:08}", number % 100_000_000), "email": format!("resident{number}@example.org"),
        });
        let Some(customer) = make("CustomerService/CreateCustomer", "customer", customer).await? else { return Ok(None) };
        let text = |value: &Value, field: &str| Ok::<_, anyhow::Error>(value[field].as_str().context("an id")?.to_owned());
        let (unit, customer) = (text(&unit, "id")?, text(&customer, "id")?);
        let tenure = json!({"unitId": unit, "customerId": customer, "role": "TENURE_ROLE_OWNER", "fromDate": "2024-05-01"});
        make("TenureService/CreateTenure", "tenure", tenure).await?;
        let household = self.callers.ask(&who, "customer.v1.HouseholdService/GetHousehold", json!({"unitId": unit})).await?;
        let household = text(&household["household"], "id")?;
        Ok(Some(Home { unit, household, customer }))
    }

    /// An order, and the work on it: done, done twice, or left until its clocks run out. Its id if it was closed.
    async fn order(&self, home: &Home, client: usize, chance: &mut Chance) -> Result<Option<String>> {
        let desk = Who::staff(format!("desk.{client}"));
        let report = json!({
            "estateId": self.ground.estate, "unitId": home.unit, "customerId": home.customer, "kind": "WORK_ORDER_KIND_REPAIR",
            "channel": "CHANNEL_FRONT_DESK", "description": "厨房水管爆裂，水漏到楼下了",
        });
        let made = loop {
            // Of a new home work-order may not have heard yet: refused then, and asked anew.
            match self.callers.make(&desk, &format!("{ORDERS}/CreateWorkOrder"), "order", "workOrder", report.clone()).await? {
                Some(made) => break made,
                None if self.stopping.load(Ordering::SeqCst) => return Ok(None),
                None => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            }
        };
        let order = made["id"].as_str().context("an id")?.to_owned();
        if chance.one_in(4) {
            // Nobody takes it up: what its clocks promised is escalated.
            return Ok(None);
        }
        let is_unhappy = chance.one_in(4);
        if !self.work(&order, client).await? {
            return Ok(None);
        }
        if is_unhappy {
            self.call_back(&order, client, 1).await?;
            if !self.work(&order, client).await? {
                return Ok(None);
            }
        }
        self.call_back(&order, client, 5).await?;
        let is_closed = self.verb(&desk, &order, "CloseWorkOrder", "order.close", json!({"closeCode": "CLOSE_CODE_RESOLVED"})).await?;
        Ok(is_closed.then_some(order))
    }

    async fn work(&self, order: &str, client: usize) -> Result<bool> {
        let technician = format!("tech.{client}");
        let (desk, by) = (Who::staff(format!("desk.{client}")), Who::staff(&technician));
        let photo =
            |kind: &str| json!({"key": format!("orders/{kind}.jpg"), "sha256": "0f".repeat(32), "kind": format!("MEDIA_KIND_{kind}")});
        let media = ["BEFORE", "AFTER", "SIGNATURE"].map(photo);
        let steps = [
            (&desk, "AssignWorkOrder", "order.assign", json!({"assignee": technician})),
            (&by, "AcceptWorkOrder", "order.accept", json!({})),
            (&by, "ContactCustomer", "order.contact", json!({"reached": true, "note": "马上到"})),
            (&by, "ArriveOnSite", "order.arrive", json!({})),
            (&by, "CompleteWorkOrder", "order.complete", json!({"summary": "更换软管", "media": media})),
        ];
        for (who, rpc, kind, body) in steps {
            if !self.verb(who, order, rpc, kind, body).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn call_back(&self, order: &str, client: usize, score: u32) -> Result<bool> {
        let mut body = json!({"outcome": "CALLBACK_OUTCOME_REACHED", "score": score, "mode": "CALLBACK_MODE_PHONE"});
        if score < 3 {
            body["improvement"] = json!("还在渗水");
        }
        self.verb(&Who::staff(format!("desk.{client}")), order, "RecordCallback", "order.record_callback", body).await
    }

    async fn verb(&self, who: &Who, order: &str, rpc: &str, kind: &'static str, mut body: Value) -> Result<bool> {
        body["workOrderId"] = json!(order);
        let told = self.callers.change(who, &format!("{ORDERS}/{rpc}"), kind, order, body).await?;
        Ok(matches!(told, Told::Answer(_)))
    }

    /// A touchpoint for the household, and a place at the activity.
    async fn care(&self, home: &Home, client: usize, number: u64) -> Result<()> {
        let steward = Who::staff(format!("steward.{client}"));
        // Far enough ahead for the clock to be moved while the request waits to be answered.
        let due = self.clock.now() + SignedDuration::from_mins(40);
        let touchpoint = json!({
            "estateId": self.ground.estate, "householdId": home.household, "unitId": home.unit, "customerId": home.customer,
            "definitionCode": "condolence_visit", "layer": "CARE_LAYER_PREMIUM", "action": {"task": {"role": "steward"}},
            "dueTime": due.to_string(), "individualReason": format!("新住户 {number}"),
        });
        self.heard("care.v1.TouchpointService/CreateTouchpoint", &steward, "touchpoint", "touchpoint", touchpoint).await?;
        let register = json!({"activityId": self.ground.activity, "householdId": home.household, "partySize": 2});
        self.heard("care.v1.ActivityService/Register", &steward, "registration", "registration", register).await
    }

    /// Again while the service has not heard of the home yet.
    async fn heard(&self, rpc: &str, who: &Who, kind: &'static str, resource: &str, body: Value) -> Result<()> {
        loop {
            let told = self.callers.make(who, rpc, kind, resource, body.clone()).await?;
            if told.is_some() || self.stopping.load(Ordering::SeqCst) {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// What the resident thinks; one in five is not satisfied, and an order follows.
    async fn answer(&self, home: &Home, client: usize, order: Option<&str>, number: u64) -> Result<()> {
        let Some(order) = order else { return Ok(()) };
        let desk = Who::staff(format!("desk.{client}"));
        let ask = json!({
            "estateId": self.ground.estate, "householdId": home.household, "unitId": home.unit, "customerId": home.customer,
            "questionnaireCode": QUESTIONNAIRE, "subject": {"kind": "work_order", "code": order},
        });
        let invitation = self.callers.make(&desk, "survey.v1.ResponseService/AskHousehold", "invitation", "invitation", ask).await?;
        let Some(invitation) = invitation else { return Ok(()) };
        let score = if number.is_multiple_of(5) { 1 } else { 5 };
        let submit = json!({
            "waveId": invitation["waveId"], "responseId": id(), "invitationId": invitation["id"],
            "answers": [{"questionCode": "overall", "scale": score}],
            "startTime": (self.clock.now() - SignedDuration::from_mins(3)).to_string(),
        });
        let resident = Who::Customer(home.customer.clone());
        self.callers.make(&resident, "survey.v1.ResponseService/SubmitResponse", "response", "response", submit).await.map(drop)
    }
}

/// Whether a refusal says only that somebody else was there first, or that time went on: no fault of anybody's.
pub fn is_of_the_day(why: &str) -> bool {
    [Code::NotFound, Code::FailedPrecondition].iter().any(|code| why.contains(&format!("{code:?}")))
}
