//! The customer service, as far as care asks it: households with facts, held against predicates by `kit::predicate`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jiff::civil::Date;
use steward_kit::error::Violations;
use steward_kit::predicate::{Catalogue, Compiled, Fact};
use steward_proto::common::v1 as common;
use steward_proto::customer::v1 as pb;
use steward_proto::customer::v1::AudienceVerdict;
use steward_proto::customer::v1::audience_service_server::AudienceService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// A household and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Household {
    pub(crate) id: Uuid,
    pub(crate) unit: Uuid,
    pub(crate) customer: Uuid,
    pub(crate) facts: BTreeMap<String, Fact>,
    /// Days that its customer keeps: kind and next occurrence.
    pub(crate) key_dates: Vec<(String, Date)>,
}

/// The households of an estate, and how many pages of them were asked for.
#[derive(Clone, Default)]
pub(crate) struct Households(pub(crate) Arc<Mutex<BTreeMap<Uuid, Household>>>, Arc<AtomicUsize>);

impl Households {
    /// A household that lives in a home delivered on a day.
    pub(crate) fn add(&self, delivered: Date) -> Household {
        let id = Uuid::now_v7();
        let facts = [
            ("household.occupancy", Fact::Code("occupied".to_owned())),
            ("household.is_delivered", Fact::Boolean(true)),
            ("household.delivered_date", Fact::Date(delivered)),
            ("household.has_major_complaint", Fact::Boolean(false)),
            ("household.is_renovating", Fact::Boolean(false)),
            ("unit.building_code", Fact::Code("1".to_owned())),
            ("tag", Fact::Codes(Vec::new())),
        ];
        let facts = facts.into_iter().map(|(field, fact)| (field.to_owned(), fact)).collect();
        let household = Household { id, unit: Uuid::now_v7(), customer: Uuid::now_v7(), facts, key_dates: Vec::new() };
        self.0.lock().unwrap().insert(id, household.clone());
        household
    }

    /// Changes what is known of a household.
    pub(crate) fn set(&self, id: Uuid, field: &str, fact: Fact) {
        self.0.lock().unwrap().get_mut(&id).unwrap().facts.insert(field.to_owned(), fact);
    }

    /// A day that its customer keeps.
    pub(crate) fn keep(&self, id: Uuid, kind: &str, day: Date) {
        self.0.lock().unwrap().get_mut(&id).unwrap().key_dates.push((kind.to_owned(), day));
    }

    /// How many pages were asked for.
    pub(crate) fn pages(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }

    fn all(&self) -> Vec<Household> {
        self.0.lock().unwrap().values().cloned().collect()
    }
}

fn holds(predicate: Option<&common::Predicate>, household: &Household) -> Result<bool, Status> {
    let Some(predicate) = predicate else { return Ok(true) };
    let mut bad = Violations::new();
    let compiled = Compiled::of(predicate, Catalogue::household(), "predicate", &mut bad);
    let Some(compiled) = compiled else { return Err(bad.finish().unwrap_err().into()) };
    let facts = |field: &str| household.facts.get(field).cloned();
    Ok(compiled.evaluate(&facts, jiff::civil::date(2026, 6, 1)).holds())
}

/// What decided a predicate, as customer says it.
fn reasons(predicate: Option<&common::Predicate>, household: &Household) -> Vec<common::ConditionFinding> {
    let compiled = predicate.and_then(|predicate| Compiled::of(predicate, Catalogue::household(), "predicate", &mut Violations::new()));
    let facts = |field: &str| household.facts.get(field).cloned();
    compiled.map(|compiled| compiled.evaluate(&facts, jiff::civil::date(2026, 6, 1)).wire()).unwrap_or_default()
}

fn excluded<'a>(exclusions: &'a [pb::AudienceExclusion], household: &Household) -> Result<Option<&'a str>, Status> {
    for exclusion in exclusions {
        if holds(exclusion.predicate.as_ref(), household)? {
            return Ok(Some(&exclusion.code));
        }
    }
    Ok(None)
}

fn text(fact: &Fact) -> String {
    match fact {
        Fact::Date(date) => date.to_string(),
        Fact::Code(code) => code.clone(),
        Fact::Boolean(truth) => truth.to_string(),
        Fact::Codes(codes) => codes.join(","),
        Fact::Integer(_) | Fact::Decimal(_) => format!("{fact:?}"),
    }
}

#[tonic::async_trait]
impl AudienceService for Households {
    async fn list_audience_members(
        &self,
        request: Request<pb::ListAudienceMembersRequest>,
    ) -> Result<Response<pb::ListAudienceMembersResponse>, Status> {
        // With the service's own token, or not at all.
        assert!(request.metadata().get("authorization").is_some());
        self.1.fetch_add(1, Ordering::SeqCst);
        let request = request.into_inner();
        let from: usize = request.page_token.parse().unwrap_or(0);
        let size = usize::try_from(request.page_size).unwrap();
        let all = self.all();
        let mut answer = pb::ListAudienceMembersResponse::default();
        for household in all.iter().skip(from).take(size) {
            if !holds(request.predicate.as_ref(), household)? {
                continue;
            }
            let [household_id, unit_id, customer_id] = [household.id, household.unit, household.customer].map(|id| id.to_string());
            match excluded(&request.exclusions, household)? {
                Some(code) => {
                    let code = code.to_owned();
                    answer.excluded.push(pb::ExcludedHousehold { household_id, unit_id, customer_id, code, ..Default::default() });
                }
                None => {
                    let known = |field: &String| household.facts.get(field).map(|fact| (field.clone(), text(fact)));
                    let facts = request.fact_fields.iter().filter_map(known).collect();
                    answer.members.push(pb::AudienceMember { household_id, unit_id, customer_id, facts, ..Default::default() });
                }
            }
        }
        if from + size < all.len() {
            answer.next_page_token = (from + size).to_string();
        }
        Ok(Response::new(answer))
    }

    async fn check_audience(&self, request: Request<pb::CheckAudienceRequest>) -> Result<Response<pb::CheckAudienceResponse>, Status> {
        let request = request.into_inner();
        let mut checks = Vec::new();
        for household_id in request.household_ids {
            let id = Uuid::parse_str(&household_id).unwrap();
            let found = self.0.lock().unwrap().get(&id).cloned();
            let (verdict, code, customer) = match &found {
                None => (AudienceVerdict::UnknownHousehold, "", String::new()),
                Some(household) => {
                    let customer = household.customer.to_string();
                    match (holds(request.predicate.as_ref(), household)?, excluded(&request.exclusions, household)?) {
                        (false, _) => (AudienceVerdict::NotMember, "", customer),
                        (true, Some(code)) => (AudienceVerdict::Excluded, code, customer),
                        (true, None) => (AudienceVerdict::Member, "", customer),
                    }
                }
            };
            let exclusion_code = code.to_owned();
            let reasons = found.as_ref().map(|household| reasons(request.predicate.as_ref(), household)).unwrap_or_default();
            let check = pb::AudienceCheck {
                household_id,
                verdict: verdict.into(),
                exclusion_code,
                customer_id: customer,
                reasons,
                unit_id: found.as_ref().map(|household| household.unit.to_string()).unwrap_or_default(),
            };
            checks.push(check);
        }
        Ok(Response::new(pb::CheckAudienceResponse { checks }))
    }

    async fn get_household_base(
        &self,
        request: Request<pb::GetHouseholdBaseRequest>,
    ) -> Result<Response<pb::GetHouseholdBaseResponse>, Status> {
        let delivered =
            self.all().into_iter().filter(|household| household.facts.get("household.is_delivered") == Some(&Fact::Boolean(true)));
        let count_sum = i64::try_from(delivered.count()).unwrap();
        let base = |estate_id: String| pb::HouseholdBase {
            estate_id,
            kind: pb::HouseholdBaseKind::Delivered.into(),
            count_sum,
            day_count: 1,
            derived_day_count: 0,
        };
        Ok(Response::new(pb::GetHouseholdBaseResponse { bases: request.into_inner().estate_ids.into_iter().map(base).collect() }))
    }

    async fn list_undelivered_households(
        &self,
        request: Request<pb::ListUndeliveredHouseholdsRequest>,
    ) -> Result<Response<pb::ListUndeliveredHouseholdsResponse>, Status> {
        let request = request.into_inner();
        let day: Date = request.as_of_date.parse().unwrap();
        let is_later = |household: &Household| match household.facts.get("household.delivered_date") {
            Some(Fact::Date(delivered)) => *delivered > day,
            _ => household.facts.get("household.is_delivered") != Some(&Fact::Boolean(true)),
        };
        // Every household of the tests is of the first estate that they ask about.
        let of_first = |household: Household| pb::UndeliveredHousehold {
            estate_id: request.estate_ids[0].clone(),
            household_id: household.id.to_string(),
        };
        let households = self.all().into_iter().filter(is_later).map(of_first).collect();
        Ok(Response::new(pb::ListUndeliveredHouseholdsResponse { households, next_page_token: String::new() }))
    }

    async fn list_key_date_occurrences(
        &self,
        request: Request<pb::ListKeyDateOccurrencesRequest>,
    ) -> Result<Response<pb::ListKeyDateOccurrencesResponse>, Status> {
        let request = request.into_inner();
        let (from, to): (Date, Date) = (request.from_date.parse().unwrap(), request.to_date.parse().unwrap());
        let mut occurrences = Vec::new();
        for household in self.all() {
            for (kind, day) in household.key_dates.iter().filter(|(kind, day)| request.kinds.contains(kind) && (from..=to).contains(day)) {
                occurrences.push(pb::KeyDateOccurrence {
                    customer_id: household.customer.to_string(),
                    household_id: household.id.to_string(),
                    unit_id: household.unit.to_string(),
                    kind: kind.clone(),
                    occur_date: day.to_string(),
                    is_lunar: true,
                });
            }
        }
        Ok(Response::new(pb::ListKeyDateOccurrencesResponse { occurrences, next_page_token: String::new() }))
    }
}
