//! Everything about one customer in one call (GR-01).

use std::collections::BTreeSet;

use steward_kit::{error::Violations, proto::to_timestamp};
use steward_proto::{
    customer::v1::{GetCustomerRequest, ListTenuresRequest, ListTimelineEntriesRequest},
    gateway::v1::{Customer360, GetCustomer360Request, Section},
    notification::v1::ListMessagesRequest,
    work_order::v1::{ListWorkOrdersRequest, State},
};
use tonic::{Code, Status};

use super::{
    Caller, Services,
    section::{Missing, within},
};

/// How many rows of each list the picture shows.
pub(super) const SHOWN: i32 = 20;

/// The states of an order that is not ended.
pub(super) fn open_states() -> Vec<i32> {
    [
        State::Received,
        State::Classified,
        State::Assigned,
        State::Accepted,
        State::Contacted,
        State::OnSite,
        State::Completed,
        State::Reopened,
    ]
    .map(i32::from)
    .to_vec()
}

impl Services {
    /// The picture of a customer. All sections are asked for at once; each has its own deadline. Five calls, one wait.
    pub(crate) async fn customer_360(&self, caller: &Caller, request: GetCustomer360Request) -> Result<Customer360, Status> {
        Violations::of(&request).finish()?;
        let wanted: BTreeSet<i32> = request.sections.iter().copied().collect();
        let wants = |section: Section| wanted.is_empty() || wanted.contains(&section.into());
        let id = request.customer_id;
        let today = self.clock.now().to_zoned(super::lookup_caller::home_zone()).date().to_string();

        let profile = within(self.section_deadline, async {
            let question = GetCustomerRequest { customer_id: id.clone() };
            self.customers.clone().get_customer(caller.ask(question)).await
        });
        let tenures = within(self.section_deadline, async {
            let question = ListTenuresRequest { customer_id: id.clone(), page_size: SHOWN, on_date: today, ..Default::default() };
            self.tenures.clone().list_tenures(caller.ask(question)).await
        });
        let orders = within(self.section_deadline, async {
            let question = ListWorkOrdersRequest { customer_id: id.clone(), states: open_states(), page_size: SHOWN, ..Default::default() };
            self.work_orders.clone().list_work_orders(caller.ask(question)).await
        });
        let timeline = within(self.section_deadline, async {
            let question = ListTimelineEntriesRequest { customer_id: id.clone(), page_size: SHOWN, ..Default::default() };
            self.timelines.clone().list_timeline_entries(caller.ask(question)).await
        });
        let messages = within(self.section_deadline, async {
            let question = ListMessagesRequest { customer_id: id.clone(), page_size: SHOWN, ..Default::default() };
            self.messages.clone().list_messages(caller.ask(question)).await
        });
        let (profile, tenures, orders, timeline, messages) = tokio::join!(
            when(wants(Section::Profile), profile),
            when(wants(Section::Tenures), tenures),
            when(wants(Section::OpenWorkOrders), orders),
            when(wants(Section::Timeline), timeline),
            when(wants(Section::Messages), messages),
        );

        // Whoever may not see the customer, or asks for nobody, is told so and gets no picture.
        if let Some(Err(status)) = &profile
            && status.code() == Code::NotFound
        {
            return Err(status.clone());
        }
        let mut missing = Missing::default();
        let mut picture = Customer360 { as_of_time: Some(to_timestamp(self.clock.now())), ..Default::default() };
        let mut more = Vec::new();
        if let Some(answer) = profile.and_then(|part| missing.note(Section::Profile, part)) {
            picture.profile = answer.customer;
        }
        if let Some(answer) = tenures.and_then(|part| missing.note(Section::Tenures, part)) {
            more.extend((!answer.next_page_token.is_empty()).then_some(Section::Tenures));
            picture.tenures = answer.tenures;
        }
        if let Some(answer) = orders.and_then(|part| missing.note(Section::OpenWorkOrders, part)) {
            more.extend((!answer.next_page_token.is_empty()).then_some(Section::OpenWorkOrders));
            picture.open_work_orders = answer.work_orders;
        }
        if let Some(answer) = timeline.and_then(|part| missing.note(Section::Timeline, part)) {
            more.extend((!answer.next_page_token.is_empty()).then_some(Section::Timeline));
            picture.timeline = answer.entries;
        }
        if let Some(answer) = messages.and_then(|part| missing.note(Section::Messages, part)) {
            more.extend((!answer.next_page_token.is_empty()).then_some(Section::Messages));
            picture.messages = answer.messages;
        }
        picture.customer_id = id;
        picture.unavailable_sections = missing.into_vec();
        picture.truncated_sections = more.into_iter().map(i32::from).collect();
        Ok(picture)
    }
}

/// A section that was not asked for costs nothing.
async fn when<T>(wanted: bool, part: impl Future<Output = T>) -> Option<T> {
    if wanted { Some(part.await) } else { None }
}
