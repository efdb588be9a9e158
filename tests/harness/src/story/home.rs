//! A home that was handed over nearly three months ago, so that its visit is due in a few days.

use anyhow::{Context, Result, bail};
use jiff::{ToSpan as _, civil::Date};
use steward_proto::customer::v1::{
    CreateBuildingRequest, CreateCustomerRequest, CreateTenureRequest, CreateUnitRequest, CustomerKind, DataSource, GetHouseholdRequest,
    Occupancy, TenureRole, customer_service_client::CustomerServiceClient, household_service_client::HouseholdServiceClient,
    tenure_service_client::TenureServiceClient, unit_service_client::UnitServiceClient,
};

use super::{
    prologue::Estate,
    stage::{Actor, Stage, given, request_id},
};

/// A home and who lives there.
pub(super) struct Home {
    pub(super) unit_id: String,
    pub(super) household_id: String,
    pub(super) customer_id: String,
    /// The day three months after its handover.
    pub(super) visit_date: Date,
}

/// Records a building, a home in it and its owner.
pub(super) async fn move_in(stage: &Stage, manager: &Actor, estate: &Estate) -> Result<Home> {
    let (delivery_date, visit_date) = delivered(stage.local_date(stage.now()))?;
    let mut units = UnitServiceClient::new(stage.gateway.clone());
    let building = CreateBuildingRequest {
        request_id: request_id(),
        estate_id: estate.id.clone(),
        code: "9".to_owned(),
        name: "9号楼".to_owned(),
        floor_count: 6,
    };
    let building = units.create_building(manager.asks(building)?).await.context("recording the building")?.into_inner();
    let unit = CreateUnitRequest {
        request_id: request_id(),
        building_id: given(building.building, "building")?.id,
        code: "101".to_owned(),
        delivery_date: delivery_date.to_string(),
        occupancy: Occupancy::Occupied.into(),
        ..CreateUnitRequest::default()
    };
    let unit = given(units.create_unit(manager.asks(unit)?).await.context("recording the unit")?.into_inner().unit, "unit")?;
    let customer = CreateCustomerRequest {
        request_id: request_id(),
        kind: CustomerKind::Person.into(),
        home_estate_id: estate.id.clone(),
        name: "沈静安".to_owned(),
        phone: "199 0000 0909".to_owned(),
        preferred_language: "zh-CN".to_owned(),
        source: DataSource::Staff.into(),
        ..CreateCustomerRequest::default()
    };
    let mut customers = CustomerServiceClient::new(stage.gateway.clone());
    let customer = customers.create_customer(manager.asks(customer)?).await.context("recording the customer")?.into_inner();
    let customer_id = given(customer.customer, "customer")?.id;
    let tenure = CreateTenureRequest {
        request_id: request_id(),
        unit_id: unit.id.clone(),
        customer_id: customer_id.clone(),
        role: TenureRole::Owner.into(),
        from_date: delivery_date.to_string(),
        to_date: String::new(),
    };
    TenureServiceClient::new(stage.gateway.clone()).create_tenure(manager.asks(tenure)?).await.context("recording the owner")?;
    let household_id = household_of(stage, manager, &unit.id).await?;
    stage.tell(format!("unit {} was handed over on {delivery_date}; its household is {household_id}", unit.full_code));
    Ok(Home { unit_id: unit.id, household_id, customer_id, visit_date })
}

/// The household of a unit.
pub(super) async fn household_of(stage: &Stage, reader: &Actor, unit_id: &str) -> Result<String> {
    let request = reader.asks(GetHouseholdRequest { unit_id: unit_id.to_owned() })?;
    let answer = HouseholdServiceClient::new(stage.gateway.clone()).get_household(request).await.context("asking for the household")?;
    Ok(given(answer.into_inner().household, "household")?.id)
}

/// A day of handover whose corresponding day three months later comes next, and that day. Not every day has one: three months
/// after 30 November is the end of February.
fn delivered(today: Date) -> Result<(Date, Date)> {
    for ahead in 1..=4 {
        let visit = today.checked_add(ahead.days())?;
        let handover = visit.checked_sub(3.months())?;
        if handover.checked_add(3.months())? == visit {
            return Ok((handover, visit));
        }
    }
    bail!("no day after {today} lies three months after another")
}
