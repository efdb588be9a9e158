//! One call from the report to the promise.
//!
//! The gateway holds no data, so the call is made safe to repeat by its parts: every id sent on is derived from the
//! caller's request id. A call that broke half way is completed by the same call again.

use steward_kit::{
    Error,
    auth::{Access, PrincipalKind},
    error::{Violations, WrongState},
    ids::{CustomerId, derive_request_id},
};
use steward_proto::{
    customer::v1::{CreateCustomerRequest, CustomerKind, DataSource, ListTenuresRequest, SearchCustomersByPhoneRequest, Tenure},
    gateway::v1::{Classification, PromisedClock, Reporter, ReporterMatch, SubmitReportRequest, SubmitReportResponse},
    work_order::v1::{ClockState, CreateWorkOrderRequest, WorkOrder},
};
use tonic::Status;

use super::{Caller, Services, lookup_caller::home_zone};

/// Customers that are looked at when several have one phone.
const CANDIDATES: i32 = 20;

impl Services {
    /// Takes a report in. At most four calls: find the reporter, check the tenure, record a new customer, open the order.
    pub(crate) async fn submit_report(
        &self,
        access: &Access,
        caller: &Caller,
        request: SubmitReportRequest,
    ) -> Result<SubmitReportResponse, Status> {
        Violations::of(&request).finish()?;
        let (customer_id, reporter_match) = self.find_reporter(access, caller, &request).await?;
        if !customer_id.is_empty() && !request.unit_id.is_empty() && reporter_match != ReporterMatch::Created {
            self.check_tenure(access, caller, &request.unit_id, &customer_id).await?;
        }
        let order = CreateWorkOrderRequest {
            request_id: derive_request_id(&request.request_id, "work_order"),
            estate_id: request.estate_id,
            unit_id: request.unit_id,
            customer_id,
            kind: request.kind,
            channel: request.channel,
            description: request.text,
            location: request.location,
            media: request.media,
            category: request.category,
            // A resident's own idea of urgency is heard in the text; the estate's rules decide.
            urgency: if access.principal.kind == PrincipalKind::Customer { 0 } else { request.urgency },
            occur_time: request.occur_time,
            caused_by: request.caused_by,
            origin: request.origin,
            accused: None,
        };
        let answer = self.work_orders.clone().create_work_order(caller.ask(order)).await?.into_inner();
        let order = answer.work_order.ok_or_else(|| Error::bug("work-order answered without an order"))?;
        Ok(SubmitReportResponse {
            classification: Some(Classification {
                category: order.category.clone(),
                urgency: order.urgency,
                classified_by: order.classified_by.clone(),
            }),
            promises: promises(&order),
            reporter_match: reporter_match.into(),
            work_order: Some(order),
        })
    }

    async fn find_reporter(
        &self,
        access: &Access,
        caller: &Caller,
        request: &SubmitReportRequest,
    ) -> Result<(String, ReporterMatch), Status> {
        let given = request.reporter.clone().unwrap_or_default();
        if access.principal.kind == PrincipalKind::Customer {
            return own_report(access.principal.customer_id, &given).map_err(Status::from);
        }
        if !given.customer_id.is_empty() {
            return Ok((given.customer_id, ReporterMatch::Given));
        }
        if given.phone.is_empty() {
            return Ok((String::new(), ReporterMatch::Unspecified));
        }
        let question = SearchCustomersByPhoneRequest { phone: given.phone.clone(), page_size: CANDIDATES, ..Default::default() };
        let found = self.customers.clone().search_customers_by_phone(caller.ask(question)).await?.into_inner().customers;
        match found.as_slice() {
            [] if given.name.is_empty() => {
                Err(Error::invalid("reporter.name", "REPORTER_UNKNOWN", "no customer has this phone; give a name to record one").into())
            }
            [] => self.record(caller, request, given).await,
            [one] => Ok((one.id.clone(), ReporterMatch::Phone)),
            several => {
                let tenures = self.tenures_of_unit(caller, &request.unit_id).await?;
                let mut here = several.iter().filter(|customer| tenures.iter().any(|tenure| tenure.customer_id == customer.id));
                match (here.next(), here.next()) {
                    (Some(one), None) => Ok((one.id.clone(), ReporterMatch::Phone)),
                    _ => {
                        Err(Error::invalid("reporter.customer_id", "REPORTER_AMBIGUOUS", "several customers have this phone; say which")
                            .into())
                    }
                }
            }
        }
    }

    async fn tenures_of_unit(&self, caller: &Caller, unit_id: &str) -> Result<Vec<Tenure>, Status> {
        if unit_id.is_empty() {
            return Ok(Vec::new());
        }
        let question = ListTenuresRequest { unit_id: unit_id.to_owned(), on_date: self.today(), page_size: 200, ..Default::default() };
        Ok(self.tenures.clone().list_tenures(caller.ask(question)).await?.into_inner().tenures)
    }

    async fn record(&self, caller: &Caller, request: &SubmitReportRequest, given: Reporter) -> Result<(String, ReporterMatch), Status> {
        let create = CreateCustomerRequest {
            request_id: derive_request_id(&request.request_id, "customer"),
            kind: CustomerKind::Person.into(),
            home_estate_id: request.estate_id.clone(),
            name: given.name,
            phone: given.phone,
            source: DataSource::Hotline.into(),
            ..Default::default()
        };
        let answer = self.customers.clone().create_customer(caller.ask(create)).await?.into_inner();
        let customer = answer.customer.ok_or_else(|| Error::bug("customer answered without a customer"))?;
        Ok((customer.id, ReporterMatch::Created))
    }

    /// A tenant whose tenure is over is told so (CP-14); a resident reports for their own units only. Staff may take in
    /// a report about a unit from somebody who never lived there.
    async fn check_tenure(&self, access: &Access, caller: &Caller, unit_id: &str, customer_id: &str) -> Result<(), Status> {
        let question =
            ListTenuresRequest { unit_id: unit_id.to_owned(), customer_id: customer_id.to_owned(), page_size: 200, ..Default::default() };
        let tenures = self.tenures.clone().list_tenures(caller.ask(question)).await?.into_inner().tenures;
        let today = self.today();
        let holds = tenures.iter().any(|tenure| tenure.from_date <= today && (tenure.to_date.is_empty() || tenure.to_date >= today));
        if holds || (tenures.is_empty() && access.principal.kind != PrincipalKind::Customer) {
            return Ok(());
        }
        if tenures.is_empty() {
            return Err(Error::invalid("unit_id", "UNIT_UNKNOWN", "is not one of your units").into());
        }
        let refusal = WrongState::new(
            "REPORTER_TENURE_ENDED",
            format!("unit {unit_id}"),
            "tenure ended",
            Vec::<String>::new(),
            "the reporter's tenure in this unit is over; the owner can report",
        );
        Err(Error::from(refusal).into())
    }

    /// Local dates compare as text: YYYY-MM-DD.
    fn today(&self) -> String {
        self.clock.now().to_zoned(home_zone()).date().to_string()
    }
}

fn own_report(own: Option<CustomerId>, given: &Reporter) -> Result<(String, ReporterMatch), Error> {
    let own = own.ok_or_else(|| Error::bug("a customer's token without a customer"))?.to_string();
    if !given.phone.is_empty() || (!given.customer_id.is_empty() && given.customer_id != own) {
        return Err(Error::invalid("reporter", "REPORTER_FORBIDDEN", "a customer reports for themselves; leave the reporter out"));
    }
    Ok((own, ReporterMatch::Token))
}

/// The running clocks, the next due first.
fn promises(order: &WorkOrder) -> Vec<PromisedClock> {
    let mut promises: Vec<PromisedClock> = order
        .clocks
        .iter()
        .filter(|clock| clock.state() == ClockState::Running)
        .map(|clock| PromisedClock { clock: clock.name.clone(), due_time: clock.due_time, is_provisional: clock.provisional })
        .collect();
    promises.sort_by_key(|promise| promise.due_time.map(|due| (due.seconds, due.nanos)));
    promises
}

#[cfg(test)]
mod tests {
    use steward_kit::ids::CustomerId;
    use steward_proto::gateway::v1::{Reporter, ReporterMatch};

    use super::own_report;

    #[test]
    fn a_customer_reports_for_themselves_only() {
        let me = CustomerId::new();
        let found = own_report(Some(me), &Reporter::default()).expect("their own report");
        assert_eq!(found, (me.to_string(), ReporterMatch::Token));
        assert!(own_report(Some(me), &Reporter { customer_id: me.to_string(), ..Default::default() }).is_ok());
        assert!(own_report(Some(me), &Reporter { customer_id: CustomerId::new().to_string(), ..Default::default() }).is_err());
        assert!(own_report(Some(me), &Reporter { phone: "19900000001".to_owned(), ..Default::default() }).is_err());
    }
}
