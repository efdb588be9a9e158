//! The customer service, as far as this one asks it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use steward_kit::error::Violations;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId};
use steward_kit::predicate::{Catalogue, Compiled, Fact};
use steward_proto::common::v1::{ConditionFinding, Predicate};
use steward_proto::customer::v1 as customer;
use steward_proto::customer::v1::AudienceVerdict;
use steward_proto::customer::v1::audience_service_server::AudienceService;
use steward_proto::customer::v1::contact_service_server::ContactService;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

/// E-mail addresses, by customer; those of others are told when the gate lets them through.
#[derive(Clone, Default)]
pub(crate) struct Addresses(pub(crate) Arc<Mutex<HashMap<String, String>>>, pub(crate) Arc<Mutex<Option<Arc<Semaphore>>>>);

#[tonic::async_trait]
impl ContactService for Addresses {
    async fn resolve_contact(
        &self,
        request: Request<customer::ResolveContactRequest>,
    ) -> Result<Response<customer::ResolveContactResponse>, Status> {
        // With the service's own token, or not at all.
        assert!(request.metadata().get("authorization").is_some());
        let customer = request.into_inner().customer_id;
        let email = self.0.lock().unwrap().get(&customer).cloned();
        let gate = self.1.lock().unwrap().clone().filter(|_| email.is_none());
        pass(gate).await;
        Ok(Response::new(customer::ResolveContactResponse { email: email.unwrap_or_default(), ..Default::default() }))
    }
}

/// The situations of households, by the code of what they are excluded by, and what else is known of households.
#[derive(Clone, Default)]
pub(crate) struct Situations(pub(crate) Arc<Mutex<HashMap<String, String>>>, pub(crate) Arc<Mutex<Register>>);

/// The facts of households that predicates ask.
#[derive(Default)]
pub(crate) struct Register {
    /// Whether nobody answers.
    pub(crate) is_down: bool,
    /// How often households were asked about.
    pub(crate) asked: usize,
    /// Facts by household and field.
    pub(crate) facts: HashMap<String, HashMap<&'static str, Fact>>,
    /// Who lives where, in the order of a list.
    pub(crate) homes: Vec<Home>,
    /// How often households were listed, answered or not.
    pub(crate) listed: usize,
    /// What lets lists through, one each; none lets all.
    pub(crate) gate: Option<Arc<Semaphore>>,
}

/// A household with its main contact.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    pub(crate) estate: EstateId,
    pub(crate) household: HouseholdId,
    pub(crate) customer: Option<CustomerId>,
}

/// Waits until the gate lets one more through.
async fn pass(gate: Option<Arc<Semaphore>>) {
    if let Some(gate) = gate {
        gate.acquire().await.unwrap().forget();
    }
}

impl Register {
    /// A household against a predicate, as customer holds it.
    fn held(&self, household: &str, predicate: &Predicate, as_of: &str) -> (AudienceVerdict, Vec<ConditionFinding>) {
        let Some(facts) = self.facts.get(household) else { return (AudienceVerdict::UnknownHousehold, Vec::new()) };
        let compiled = Compiled::of(predicate, Catalogue::household(), "predicate", &mut Violations::new()).unwrap();
        let finding = compiled.evaluate(&|field: &str| facts.get(field).cloned(), as_of.parse().unwrap());
        (if finding.holds() { AudienceVerdict::Member } else { AudienceVerdict::NotMember }, finding.wire())
    }

    /// Whether a predicate holds of a household; nothing is known of one without facts.
    fn holds(&self, household: &str, predicate: Option<&Predicate>) -> bool {
        predicate.is_none_or(|predicate| self.held(household, predicate, "2026-03-02").0 == AudienceVerdict::Member)
    }

    /// A page of households; the token is the place in the list.
    fn list(&self, request: &customer::ListAudienceMembersRequest) -> customer::ListAudienceMembersResponse {
        let from: usize = request.page_token.parse().unwrap_or(0);
        let size = usize::try_from(request.page_size).unwrap();
        let all: Vec<&Home> = self.homes.iter().filter(|home| home.estate.to_string() == request.estate_id).collect();
        let mut answer = customer::ListAudienceMembersResponse::default();
        for home in all.iter().skip(from).take(size) {
            let household_id = home.household.to_string();
            if !self.holds(&household_id, request.predicate.as_ref()) {
                continue;
            }
            let customer_id = home.customer.map(|id| id.to_string()).unwrap_or_default();
            let excludes = |one: &&customer::AudienceExclusion| self.holds(&household_id, one.predicate.as_ref());
            match request.exclusions.iter().find(excludes) {
                Some(exclusion) => {
                    let code = exclusion.code.clone();
                    answer.excluded.push(customer::ExcludedHousehold { household_id, customer_id, code, ..Default::default() });
                }
                None => answer.members.push(customer::AudienceMember { household_id, customer_id, ..Default::default() }),
            }
        }
        if from + size < all.len() {
            answer.next_page_token = (from + size).to_string();
        }
        answer
    }
}

fn not_here<T>() -> Result<Response<T>, Status> {
    Err(steward_kit::Error::bug("nobody asks this here").into())
}

#[tonic::async_trait]
impl AudienceService for Situations {
    async fn list_audience_members(
        &self,
        request: Request<customer::ListAudienceMembersRequest>,
    ) -> Result<Response<customer::ListAudienceMembersResponse>, Status> {
        let request = request.into_inner();
        let gate = {
            let mut register = self.1.lock().unwrap();
            register.listed += 1;
            register.gate.clone()
        };
        pass(gate).await;
        let register = self.1.lock().unwrap();
        if register.is_down {
            return Err(steward_kit::Error::unavailable("customer", anyhow::anyhow!("down for the test")).into());
        }
        Ok(Response::new(register.list(&request)))
    }

    async fn check_audience(
        &self,
        request: Request<customer::CheckAudienceRequest>,
    ) -> Result<Response<customer::CheckAudienceResponse>, Status> {
        let request = request.into_inner();
        let (known, mut register) = (self.0.lock().unwrap(), self.1.lock().unwrap());
        register.asked += 1;
        if register.is_down {
            return Err(steward_kit::Error::unavailable("customer", anyhow::anyhow!("down for the test")).into());
        }
        let check = |household: &String| {
            let code = known.get(household).filter(|code| request.exclusions.iter().any(|exclusion| exclusion.code == **code));
            let held = request.predicate.as_ref().map(|predicate| register.held(household, predicate, &request.as_of_date));
            let (verdict, reasons) = match (held, code) {
                (Some((AudienceVerdict::Member, reasons)), None) => (AudienceVerdict::Member, reasons),
                (Some((AudienceVerdict::Member, _)) | None, Some(_)) => (AudienceVerdict::Excluded, Vec::new()),
                (Some((verdict, reasons)), _) => (verdict, reasons),
                (None, None) => (AudienceVerdict::Member, Vec::new()),
            };
            customer::AudienceCheck {
                household_id: household.clone(),
                verdict: verdict.into(),
                exclusion_code: code.filter(|_| verdict == AudienceVerdict::Excluded).cloned().unwrap_or_default(),
                reasons,
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

    async fn list_undelivered_households(
        &self,
        _request: Request<customer::ListUndeliveredHouseholdsRequest>,
    ) -> Result<Response<customer::ListUndeliveredHouseholdsResponse>, Status> {
        not_here()
    }

    async fn list_key_date_occurrences(
        &self,
        _request: Request<customer::ListKeyDateOccurrencesRequest>,
    ) -> Result<Response<customer::ListKeyDateOccurrencesResponse>, Status> {
        not_here()
    }
}
