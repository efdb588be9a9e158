//! What is missing is named, never silently absent (GR-01).

use std::time::Duration;

use anyhow::{Context as _, Result};
use steward_e2e::{House, Room};
use steward_harness::Claims;
use steward_proto::{
    customer::v1::{
        CreateCustomerRequest, CustomerKind, PremisesType, RegisterEstateRequest, customer_service_client::CustomerServiceClient,
        estate_service_client::EstateServiceClient,
    },
    gateway::v1::{GetCustomer360Request, Section, customer360_service_client::Customer360ServiceClient},
};

/// GR-01
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_down_is_named_and_the_rest_is_answered() -> Result<()> {
    let mut house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    let token = format!("Bearer {}", house.token(Claims::staff("ops.lin").role("group_operations").every_estate())?);
    let gateway = house.gateway().await?;
    fn ask<T>(token: &str, message: T) -> Result<tonic::Request<T>> {
        let mut request = tonic::Request::new(message);
        request.metadata_mut().insert("authorization", token.parse()?);
        Ok(request)
    }
    let estate = RegisterEstateRequest {
        request_id: uuid::Uuid::now_v7().to_string(),
        group_id: uuid::Uuid::now_v7().to_string(),
        region_id: uuid::Uuid::now_v7().to_string(),
        name: "锦绣花园".to_owned(),
        code: "JX-1".to_owned(),
        city_code: "330100".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        premises_type: PremisesType::Residential.into(),
    };
    let estate = EstateServiceClient::new(gateway.clone()).register_estate(ask(&token, estate)?).await?.into_inner();
    let customer = CreateCustomerRequest {
        request_id: uuid::Uuid::now_v7().to_string(),
        kind: CustomerKind::Person.into(),
        home_estate_id: estate.estate.context("an estate")?.id,
        name: "王芳".to_owned(),
        phone: "19900000001".to_owned(),
        ..Default::default()
    };
    let customer = CustomerServiceClient::new(gateway.clone()).create_customer(ask(&token, customer)?).await?.into_inner();
    let customer = customer.customer.context("a customer")?;
    assert!(!customer.name.contains("芳"), "the name is masked: {}", customer.name);

    house.stop(Room::Notification)?;
    let question = GetCustomer360Request { customer_id: customer.id.clone(), sections: vec![] };
    let mut pictures = Customer360ServiceClient::new(gateway);
    let begun = std::time::Instant::now();
    // A service that drains still answers what it has begun; then it is gone.
    let picture = loop {
        let answer = pictures.get_customer360(ask(&token, question.clone())?).await?.into_inner();
        let picture = answer.customer360.context("a picture")?;
        if !picture.unavailable_sections.is_empty() || begun.elapsed() > Duration::from_secs(20) {
            break picture;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(picture.profile.map(|profile| profile.id), Some(customer.id));
    let missing: Vec<Section> = picture.unavailable_sections.iter().map(|section| section.section()).collect();
    assert_eq!(missing, [Section::Messages]);
    house.close().await
}
