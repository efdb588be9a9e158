//! Who calls (GR-02).

use jiff::tz::TimeZone;
use steward_kit::error::Violations;
use steward_proto::{
    customer::v1::{Customer, ListTenuresRequest, SearchCustomersByPhoneRequest},
    gateway::v1::{CallerCard, LookupCallerRequest, Section},
    work_order::v1::ListWorkOrdersRequest,
};
use tonic::Status;

use super::{
    Caller, Services,
    customer_360::{SHOWN, open_states},
    section::{Missing, within},
};

/// Cards shown for one number.
const CARDS: i32 = 5;

/// The zone by whose day "today's tenures" are meant. Business time is the mainland's (XC-25).
pub(super) fn home_zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC)
}

impl Services {
    /// A card for each customer with the phone. One call, then two for each card, side by side.
    pub(crate) async fn lookup_caller(&self, caller: &Caller, request: LookupCallerRequest) -> Result<Vec<CallerCard>, Status> {
        Violations::of(&request).finish()?;
        let question = SearchCustomersByPhoneRequest { phone: request.phone, page_size: CARDS, ..Default::default() };
        let found = self.customers.clone().search_customers_by_phone(caller.ask(question)).await?.into_inner();
        let cards = found.customers.into_iter().map(|customer| self.card(caller, customer));
        Ok(futures::future::join_all(cards).await)
    }

    async fn card(&self, caller: &Caller, customer: Customer) -> CallerCard {
        let today = self.clock.now().to_zoned(home_zone()).date().to_string();
        let tenures = within(self.section_deadline, async {
            let question = ListTenuresRequest { customer_id: customer.id.clone(), page_size: SHOWN, on_date: today, ..Default::default() };
            self.tenures.clone().list_tenures(caller.ask(question)).await
        });
        let orders = within(self.section_deadline, async {
            let question =
                ListWorkOrdersRequest { customer_id: customer.id.clone(), states: open_states(), page_size: SHOWN, ..Default::default() };
            self.work_orders.clone().list_work_orders(caller.ask(question)).await
        });
        let (tenures, orders) = tokio::join!(tenures, orders);
        let mut missing = Missing::default();
        CallerCard {
            tenures: missing.note(Section::Tenures, tenures).map(|answer| answer.tenures).unwrap_or_default(),
            open_work_orders: missing.note(Section::OpenWorkOrders, orders).map(|answer| answer.work_orders).unwrap_or_default(),
            profile: Some(customer),
            unavailable_sections: missing.into_vec(),
        }
    }
}
