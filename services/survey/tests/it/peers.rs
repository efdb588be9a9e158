//! The services that survey asks, answering by their contract: who is in an audience, and who may be contacted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use steward_proto::customer::v1 as customer;
use steward_proto::customer::v1::audience_service_server::AudienceService;
use steward_proto::notification::v1 as notification;
use steward_proto::notification::v1::contact_ledger_service_server::ContactLedgerService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// A household of the estate.
#[derive(Clone, Debug)]
pub(crate) struct Household {
    pub(crate) id: Uuid,
    pub(crate) unit: Uuid,
    pub(crate) customer: Option<Uuid>,
    pub(crate) facts: BTreeMap<String, String>,
    /// Code of the exclusion that holds for it.
    pub(crate) excluded: Option<&'static str>,
    /// Why the ledger refuses it.
    pub(crate) refused: Option<&'static str>,
}

impl Household {
    pub(crate) fn new() -> Self {
        let [id, unit, customer] = [(); 3].map(|()| Uuid::now_v7());
        Self { id, unit, customer: Some(customer), facts: BTreeMap::new(), excluded: None, refused: None }
    }

    pub(crate) fn with(mut self, fact: &str, value: &str) -> Self {
        self.facts.insert(fact.to_owned(), value.to_owned());
        self
    }
}

/// Both services over one list of households.
#[derive(Clone, Default)]
pub(crate) struct Peers(pub(crate) Arc<Mutex<Town>>);

/// What the peers know, and what they were asked.
#[derive(Default)]
pub(crate) struct Town {
    pub(crate) households: Vec<Household>,
    pub(crate) pages_asked: u32,
    /// Rows of a page, to make a job take several.
    pub(crate) page: usize,
    pub(crate) refuses_predicates: bool,
}

type Answer<T> = Result<Response<T>, Status>;

fn elsewhere<T>() -> Answer<T> {
    Err(steward_kit::error::unknown_method())
}

#[tonic::async_trait]
impl AudienceService for Peers {
    async fn list_audience_members(
        &self,
        request: Request<customer::ListAudienceMembersRequest>,
    ) -> Answer<customer::ListAudienceMembersResponse> {
        let request = request.into_inner();
        let mut town = self.0.lock().unwrap();
        town.pages_asked += 1;
        if town.refuses_predicates {
            return Err(steward_kit::Error::invalid("predicate", "PREDICATE_INVALID", "no such field").into());
        }
        let start: usize = request.page_token.parse().unwrap_or(0);
        let size = if town.page == 0 { 1000 } else { town.page };
        let mut sorted = town.households.clone();
        sorted.sort_by_key(|household| household.id);
        let page: Vec<Household> = sorted.iter().skip(start).take(size).cloned().collect();
        let known: Vec<&str> = request.exclusions.iter().map(|exclusion| exclusion.code.as_str()).collect();
        let out = |household: &Household| household.excluded.filter(|code| known.contains(code));
        let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        let members = page.iter().filter(|household| out(household).is_none()).map(|household| customer::AudienceMember {
            household_id: household.id.to_string(),
            unit_id: household.unit.to_string(),
            customer_id: text(household.customer),
            facts: household
                .facts
                .iter()
                .filter(|(fact, _)| request.fact_fields.contains(fact))
                .map(|(a, b)| (a.clone(), b.clone()))
                .collect(),
            estate_id: request.estate_id.clone(),
        });
        let excluded = page.iter().filter_map(|household| {
            Some(customer::ExcludedHousehold {
                household_id: household.id.to_string(),
                unit_id: household.unit.to_string(),
                customer_id: text(household.customer),
                code: out(household)?.to_owned(),
                reasons: Vec::new(),
            })
        });
        let next = start + page.len();
        Ok(Response::new(customer::ListAudienceMembersResponse {
            members: members.collect(),
            excluded: excluded.collect(),
            next_page_token: if next < sorted.len() { next.to_string() } else { String::new() },
            as_of_date: "2026-07-01".to_owned(),
        }))
    }

    async fn check_audience(&self, _: Request<customer::CheckAudienceRequest>) -> Answer<customer::CheckAudienceResponse> {
        elsewhere()
    }

    async fn get_household_base(&self, request: Request<customer::GetHouseholdBaseRequest>) -> Answer<customer::GetHouseholdBaseResponse> {
        let count_sum = i64::try_from(self.0.lock().unwrap().households.len()).unwrap();
        let base = |estate_id: String| customer::HouseholdBase {
            estate_id,
            kind: customer::HouseholdBaseKind::Delivered.into(),
            count_sum,
            day_count: 1,
            derived_day_count: 0,
        };
        let bases = request.into_inner().estate_ids.into_iter().map(base).collect();
        Ok(Response::new(customer::GetHouseholdBaseResponse { bases }))
    }

    async fn list_undelivered_households(
        &self,
        _: Request<customer::ListUndeliveredHouseholdsRequest>,
    ) -> Answer<customer::ListUndeliveredHouseholdsResponse> {
        elsewhere()
    }

    async fn list_key_date_occurrences(
        &self,
        _: Request<customer::ListKeyDateOccurrencesRequest>,
    ) -> Answer<customer::ListKeyDateOccurrencesResponse> {
        elsewhere()
    }
}

#[tonic::async_trait]
impl ContactLedgerService for Peers {
    async fn check_contacts(&self, request: Request<notification::CheckContactsRequest>) -> Answer<notification::CheckContactsResponse> {
        let town = self.0.lock().unwrap();
        let verdict = |question: &notification::ContactQuestion| {
            let refused = town.households.iter().find(|one| one.id.to_string() == question.household_id).and_then(|one| one.refused);
            match refused {
                Some(code) => notification::ContactVerdict {
                    outcome: notification::ContactOutcome::Refused.into(),
                    reasons: vec![notification::ContactReason { code: code.to_owned(), ..Default::default() }],
                    ..Default::default()
                },
                None => notification::ContactVerdict { outcome: notification::ContactOutcome::Allowed.into(), ..Default::default() },
            }
        };
        let verdicts = request.into_inner().contacts.iter().map(verdict).collect();
        Ok(Response::new(notification::CheckContactsResponse { verdicts }))
    }

    async fn reserve_contacts(&self, _: Request<notification::ReserveContactsRequest>) -> Answer<notification::ReserveContactsResponse> {
        elsewhere()
    }

    async fn release_contacts(&self, _: Request<notification::ReleaseContactsRequest>) -> Answer<notification::ReleaseContactsResponse> {
        elsewhere()
    }

    async fn explain_contact(&self, _: Request<notification::ExplainContactRequest>) -> Answer<notification::ExplainContactResponse> {
        elsewhere()
    }

    async fn list_contacts(&self, _: Request<notification::ListContactsRequest>) -> Answer<notification::ListContactsResponse> {
        elsewhere()
    }

    async fn send_emergency_message(
        &self,
        _: Request<notification::SendEmergencyMessageRequest>,
    ) -> Answer<notification::SendEmergencyMessageResponse> {
        elsewhere()
    }
}
