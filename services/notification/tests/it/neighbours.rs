//! The customer service, as far as this one asks it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use steward_proto::customer::v1 as customer;
use steward_proto::customer::v1::audience_service_server::AudienceService;
use steward_proto::customer::v1::contact_service_server::ContactService;
use tonic::{Request, Response, Status};

/// E-mail addresses, by customer.
#[derive(Clone, Default)]
pub(crate) struct Addresses(pub(crate) Arc<Mutex<HashMap<String, String>>>);

#[tonic::async_trait]
impl ContactService for Addresses {
    async fn resolve_contact(
        &self,
        request: Request<customer::ResolveContactRequest>,
    ) -> Result<Response<customer::ResolveContactResponse>, Status> {
        // With the service's own token, or not at all.
        assert!(request.metadata().get("authorization").is_some());
        let email = self.0.lock().unwrap().get(&request.into_inner().customer_id).cloned();
        Ok(Response::new(customer::ResolveContactResponse { email: email.unwrap_or_default(), ..Default::default() }))
    }
}

/// The situations of households, by the code of what they are excluded by.
#[derive(Clone, Default)]
pub(crate) struct Situations(pub(crate) Arc<Mutex<HashMap<String, String>>>);

fn not_here<T>() -> Result<Response<T>, Status> {
    Err(steward_kit::Error::bug("nobody asks this here").into())
}

#[tonic::async_trait]
impl AudienceService for Situations {
    async fn list_audience_members(
        &self,
        _request: Request<customer::ListAudienceMembersRequest>,
    ) -> Result<Response<customer::ListAudienceMembersResponse>, Status> {
        not_here()
    }

    async fn check_audience(
        &self,
        request: Request<customer::CheckAudienceRequest>,
    ) -> Result<Response<customer::CheckAudienceResponse>, Status> {
        let request = request.into_inner();
        let known = self.0.lock().unwrap();
        let check = |household: &String| {
            let code = known.get(household).filter(|code| request.exclusions.iter().any(|exclusion| exclusion.code == **code));
            customer::AudienceCheck {
                household_id: household.clone(),
                verdict: if code.is_some() { customer::AudienceVerdict::Excluded } else { customer::AudienceVerdict::Member }.into(),
                exclusion_code: code.cloned().unwrap_or_default(),
                ..Default::default()
            }
        };
        Ok(Response::new(customer::CheckAudienceResponse { checks: request.household_ids.iter().map(check).collect() }))
    }

    async fn get_household_base(
        &self,
        _request: Request<customer::GetHouseholdBaseRequest>,
    ) -> Result<Response<customer::GetHouseholdBaseResponse>, Status> {
        not_here()
    }

    async fn list_key_date_occurrences(
        &self,
        _request: Request<customer::ListKeyDateOccurrencesRequest>,
    ) -> Result<Response<customer::ListKeyDateOccurrencesResponse>, Status> {
        not_here()
    }
}
