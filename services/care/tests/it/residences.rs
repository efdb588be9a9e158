//! The customer service, as far as care asks who lives where.

use steward_kit::Error;
use steward_proto::customer::v1 as pb;
use steward_proto::customer::v1::household_service_server::HouseholdService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::households::{Household, Households};

/// Somebody else of the household than its main contact.
pub(crate) fn family_member(of: &Household) -> Uuid {
    Uuid::from_u128(of.customer.as_u128() ^ 1)
}

#[tonic::async_trait]
impl HouseholdService for Households {
    async fn get_household(&self, request: Request<pb::GetHouseholdRequest>) -> Result<Response<pb::GetHouseholdResponse>, Status> {
        // With the service's own token: a customer's would not be let in.
        assert!(request.metadata().get("authorization").is_some());
        let unit = Uuid::parse_str(&request.into_inner().unit_id).unwrap();
        let found = self.0.lock().unwrap().values().find(|household| household.unit == unit).cloned();
        let found = found.ok_or_else(|| Error::not_found("unit", unit))?;
        let member = |id: Uuid| pb::HouseholdMember { customer_id: id.to_string(), ..Default::default() };
        let household = pb::Household {
            id: found.id.to_string(),
            unit_id: unit.to_string(),
            members: vec![member(found.customer), member(family_member(&found))],
            main_contact_customer_id: found.customer.to_string(),
            ..Default::default()
        };
        Ok(Response::new(pb::GetHouseholdResponse { household: Some(household) }))
    }

    async fn list_households(&self, _: Request<pb::ListHouseholdsRequest>) -> Result<Response<pb::ListHouseholdsResponse>, Status> {
        Err(Error::bug("care does not ask this").into())
    }
}
