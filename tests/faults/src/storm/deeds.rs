//! What is done about one report: who reports what, and how long staff take for each step. Some are quick enough, some are not.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{curve::STORM_HOUR, estates::Home};
use crate::{
    caller::{Callers, Told, Who},
    chance::Chance,
};

const ORDERS: &str = "work_order.v1.WorkOrderService";

/// Words of a storm, and how many of a hundred reports have them: a category and an urgency follow from the words.
const MATTERS: [(&str, &str, usize); 6] = [
    ("REPAIR", "厨房水管爆裂，水漏到楼下了", 20),
    ("REPAIR", "整个单元停电了", 25),
    ("REPAIR", "大树枝被风刮断，压住了绿化带的路", 20),
    ("REPAIR", "窗边渗水，墙面湿了一片", 25),
    ("COMPLAINT", "地下车库积水没人处理，车位进水", 5),
    ("INQUIRY", "请问停水什么时候恢复", 5),
];

/// Where reports come from, and how many of a hundred.
const CHANNELS: [(&str, usize); 4] = [("HOTLINE", 40), ("APP", 30), ("WECHAT", 20), ("FRONT_DESK", 10)];

/// A step of the work on an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// The report itself.
    Report,
    /// Given to a technician.
    Assign,
    /// Accepted.
    Accept,
    /// The customer is called.
    Contact,
    /// At the door.
    Arrive,
    /// Done.
    Complete,
    /// The customer is asked.
    CallBack,
    /// Closed.
    Close,
}

/// An order on its way.
#[derive(Debug, Clone)]
pub(super) struct Case {
    home: Home,
    id: String,
    chance: Chance,
}

impl Case {
    /// Not reported yet.
    pub(super) fn of(home: Home, seed: u64) -> Self {
        Self { home, id: String::new(), chance: Chance::new(seed) }
    }

    /// Does a step, and says what is next, after how many minutes; nothing if nobody comes to it today.
    ///
    /// # Errors
    /// It is refused, or never answered.
    pub(super) async fn take(&mut self, deed: Deed, minute: u32, callers: &Callers) -> Result<Option<(Deed, u32)>> {
        let technician = Who::staff(format!("tech.{}", self.home.place % 40));
        let desk = Who::staff(format!("desk.{}", self.home.place % 8));
        let photo =
            |kind: &str| json!({"key": format!("orders/{kind}.jpg"), "sha256": "0f".repeat(32), "kind": format!("MEDIA_KIND_{kind}")});
        let mut score = 0;
        match deed {
            Deed::Report => self.report(&desk, callers).await?,
            Deed::Assign => {
                let body = json!({"assignee": format!("tech.{}", self.home.place % 40)});
                self.verb(callers, &desk, "AssignWorkOrder", "order.assign", body).await?;
            }
            Deed::Accept => self.verb(callers, &technician, "AcceptWorkOrder", "order.accept", json!({})).await?,
            Deed::Contact => {
                let promise = json!({"value": 4, "unit": "UNIT_HOUR", "calendar": "24x7"});
                let body = json!({"reached": true, "promise": promise, "note": "马上到"});
                self.verb(callers, &technician, "ContactCustomer", "order.contact", body).await?;
            }
            Deed::Arrive => self.verb(callers, &technician, "ArriveOnSite", "order.arrive", json!({})).await?,
            Deed::Complete => {
                let media = ["BEFORE", "AFTER", "SIGNATURE"].map(photo);
                let body = json!({"summary": "已处理", "media": media});
                self.verb(callers, &technician, "CompleteWorkOrder", "order.complete", body).await?;
            }
            Deed::CallBack => {
                score = *self.chance.pick(&[5, 5, 5, 5, 5, 4, 4, 4, 3, 2]);
                let mut body = json!({"outcome": "CALLBACK_OUTCOME_REACHED", "score": score, "mode": "CALLBACK_MODE_PHONE"});
                if score < 3 {
                    body["improvement"] = json!("来得太慢");
                }
                self.verb(callers, &desk, "RecordCallback", "order.record_callback", body).await?;
            }
            Deed::Close => {
                self.verb(callers, &desk, "CloseWorkOrder", "order.close", json!({"closeCode": "CLOSE_CODE_RESOLVED"})).await?;
            }
        }
        Ok(self.next(deed, minute, score))
    }

    /// The next step: how many of a hundred orders come to it today, how many minutes that takes at least, and how many more it may.
    fn next(&mut self, deed: Deed, minute: u32, score: u32) -> Option<(Deed, u32)> {
        let (next, of_a_hundred, least, more) = match deed {
            // Eight in ten are assigned as they come; the others lie there for some minutes.
            Deed::Report if !self.chance.one_in(5) => (Deed::Assign, 95, 0, 1),
            Deed::Report => (Deed::Assign, 60, 2, 10),
            Deed::Assign => (Deed::Accept, 95, 1, 5),
            Deed::Accept => (Deed::Contact, 90, 2, 25),
            Deed::Contact => (Deed::Arrive, 75, 10, 90),
            Deed::Arrive => (Deed::Complete, 80, 15, 75),
            Deed::Complete => (Deed::CallBack, 60, 30, 240),
            // Who is not satisfied has it reopened, and tomorrow is a day too.
            Deed::CallBack if score < 3 => return None,
            Deed::CallBack => (Deed::Close, 100, 1, 1),
            Deed::Close => return None,
        };
        let is_done = self.chance.below(100) < of_a_hundred;
        // Nobody is quick while the storm lasts, nor in the hours after it.
        let hurry = if (STORM_HOUR..STORM_HOUR + 3).contains(&(minute / 60)) && least > 0 { 2 } else { 1 };
        let takes = least + u32::try_from(self.chance.below(more)).unwrap_or(0);
        is_done.then_some((next, takes * hurry))
    }

    async fn report(&mut self, desk: &Who, callers: &Callers) -> Result<()> {
        let (kind, words) = share(&mut self.chance, MATTERS.map(|(kind, words, share)| ((kind, words), share)));
        let channel = share(&mut self.chance, CHANNELS);
        let report = json!({
            "estateId": self.home.estate, "unitId": self.home.unit, "customerId": self.home.customer, "description": words,
            "kind": format!("WORK_ORDER_KIND_{kind}"), "channel": format!("CHANNEL_{channel}"),
        });
        // By phone and at the desk somebody writes it down; in an app residents do so themselves.
        let resident = Who::Customer(self.home.customer.clone());
        let by = if ["APP", "WECHAT"].contains(&channel) { &resident } else { desk };
        let made = callers.make(by, &format!("{ORDERS}/CreateWorkOrder"), "order", "workOrder", report).await?;
        let made = made.with_context(|| format!("a report is refused: {:?}", callers.journal.refused().last()))?;
        self.id = made["id"].as_str().context("an id")?.to_owned();
        Ok(())
    }

    async fn verb(&self, callers: &Callers, who: &Who, rpc: &str, kind: &'static str, mut body: Value) -> Result<()> {
        body["workOrderId"] = json!(self.id);
        match callers.change(who, &format!("{ORDERS}/{rpc}"), kind, &self.id, body).await? {
            Told::Answer(_) => Ok(()),
            Told::Refused(status) => bail!("{rpc} is refused: {}", status.message()),
        }
    }
}

/// One of them, by their shares of a hundred.
fn share<T: Copy, const N: usize>(chance: &mut Chance, of: [(T, usize); N]) -> T {
    let mut left = chance.below(of.iter().map(|(_, share)| share).sum());
    for (one, share) in of {
        if left < share {
            return one;
        }
        left -= share;
    }
    of[0].0
}
