//! The customer service, as far as care asks it: who belongs to an audience, now; and whose days fall when.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;
use steward_kit::client::{Identity, Peer, peer_error};
use steward_kit::ids::{CustomerId, EstateId, HouseholdId, UnitId};
use steward_kit::metric::Ratio;
use steward_kit::predicate::ask;
use steward_kit::proto::{date, to_date};
use steward_kit::{Error, Result};
use steward_proto::customer::v1 as customer;
use steward_proto::customer::v1::AudienceVerdict;
use steward_proto::customer::v1::audience_service_client::AudienceServiceClient;
use steward_proto::customer::v1::household_service_client::HouseholdServiceClient;

use crate::contract::predicate;
use crate::domain::programme::{Condition, Exclusion};
use crate::domain::touchpoint::Verdict;

/// How long a page may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Most households of a page.
const PAGE: i32 = 1000;

/// Most households of one question.
pub(crate) const MOST_CHECKED: usize = 200;

/// Whom to ask.
#[derive(Clone, Debug)]
pub(crate) struct Audience(pub(super) AudienceServiceClient<Peer>, pub(super) HouseholdServiceClient<Peer>);

/// A household that belongs.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) household: HouseholdId,
    pub(crate) unit: UnitId,
    pub(crate) customer: Option<CustomerId>,
    /// Facts asked for, by field.
    pub(crate) facts: BTreeMap<String, String>,
    /// Code of the exclusion that leaves it out; only where exclusions were given.
    pub(crate) excluded: Option<String>,
}

impl Member {
    /// A date among its facts.
    pub(crate) fn date(&self, field: &str) -> Option<Date> {
        self.facts.get(field).and_then(|text| date(text))
    }
}

/// Who is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) estate: EstateId,
    pub(crate) condition: Option<&'a Condition>,
    /// Only the households of this building.
    pub(crate) building: Option<&'a str>,
    pub(crate) exclusions: &'a [Exclusion],
    pub(crate) fields: &'a [&'a str],
}

impl Audience {
    /// The customer service at `url`, asked as this service.
    ///
    /// # Errors
    /// `url` is no URL that this service can call.
    pub(crate) fn at(url: &str, identity: &Identity) -> Result<Self> {
        let peer = Peer::connect(url, DEADLINE, identity)?;
        Ok(Self(AudienceServiceClient::new(peer.clone()), HouseholdServiceClient::new(peer)))
    }

    /// The first household that belongs, if there is one.
    pub(crate) async fn any(&self, question: &Question<'_>) -> Result<bool> {
        let request = customer::ListAudienceMembersRequest { page_size: 1, ..members_request(question) };
        let page = self.0.clone().list_audience_members(request).await.map_err(refused)?.into_inner();
        Ok(!page.members.is_empty() || !page.excluded.is_empty())
    }

    /// Whether the estate has the household.
    pub(crate) async fn knows(&self, estate: EstateId, household: HouseholdId) -> Result<bool> {
        let request = customer::CheckAudienceRequest {
            estate_id: estate.to_string(),
            household_ids: vec![household.to_string()],
            ..Default::default()
        };
        let answer = self.0.clone().check_audience(request).await.map_err(refused)?.into_inner();
        Ok(answer.checks.first().is_some_and(|check| check.verdict() == AudienceVerdict::Member))
    }

    /// Delivered households of estates on a day: the active customers of F-08b, prospects left out.
    pub(crate) async fn bases(&self, estates: &[EstateId], day: Date) -> Result<BTreeMap<uuid::Uuid, Ratio>> {
        let mut all = BTreeMap::new();
        for chunk in estates.chunks(MOST_CHECKED) {
            let request = customer::GetHouseholdBaseRequest {
                estate_ids: chunk.iter().map(ToString::to_string).collect(),
                from_date: to_date(day),
                to_date: to_date(day),
            };
            let answer = self.0.clone().get_household_base(request).await.map_err(refused)?.into_inner();
            for base in answer.bases.iter().filter(|base| base.kind() == customer::HouseholdBaseKind::Delivered) {
                let estate = EstateId::parse(&base.estate_id).map_err(Error::internal)?;
                all.extend(Ratio::new(base.count_sum.into(), base.day_count.into()).map(|mean| (estate.as_uuid(), mean)));
            }
        }
        Ok(all)
    }

    /// Facts of one household that the estate has, as codes. What decides a condition stands in its finding, whatever it comes to: each
    /// field is asked whether it is recorded or not, which always holds.
    pub(crate) async fn facts(&self, estate: EstateId, household: HouseholdId, fields: &[&str]) -> Result<BTreeMap<String, String>> {
        let either = |field: &&str| ask::any([ask::not(ask::missing(field)), ask::missing(field)]);
        let request = customer::CheckAudienceRequest {
            estate_id: estate.to_string(),
            household_ids: vec![household.to_string()],
            predicate: Some(ask::all(fields.iter().map(either))),
            ..Default::default()
        };
        let answer = self.0.clone().check_audience(request).await.map_err(refused)?.into_inner();
        let findings = answer.checks.into_iter().flat_map(|check| check.reasons);
        Ok(findings.filter(|finding| !finding.fact.is_empty()).map(|finding| (finding.field, finding.fact)).collect())
    }

    /// Households of estates that are not handed over by the end of a day: what was done for them is of no rate of delivered homes (F-09).
    /// One call for each page of each [`MOST_CHECKED`] estates.
    pub(crate) async fn not_delivered(&self, estates: &[EstateId], day: Date) -> Result<Vec<(EstateId, HouseholdId)>> {
        let mut all = Vec::new();
        for chunk in estates.chunks(MOST_CHECKED) {
            let mut request = customer::ListUndeliveredHouseholdsRequest {
                estate_ids: chunk.iter().map(ToString::to_string).collect(),
                as_of_date: to_date(day),
                page_size: PAGE,
                page_token: String::new(),
            };
            loop {
                let page = self.0.clone().list_undelivered_households(request.clone()).await.map_err(refused)?.into_inner();
                for one in page.households {
                    let estate = EstateId::parse(&one.estate_id).map_err(Error::internal)?;
                    all.push((estate, HouseholdId::parse(&one.household_id).map_err(Error::internal)?));
                }
                if page.next_page_token.is_empty() {
                    break;
                }
                request.page_token = page.next_page_token;
            }
        }
        Ok(all)
    }

    /// Every household that belongs, those left out among them, page by page.
    pub(crate) async fn members(&self, question: &Question<'_>) -> Result<Vec<Member>> {
        self.every_page(members_request(question)).await
    }

    async fn every_page(&self, mut request: customer::ListAudienceMembersRequest) -> Result<Vec<Member>> {
        let mut all = Vec::new();
        loop {
            let page = self.0.clone().list_audience_members(request.clone()).await.map_err(refused)?.into_inner();
            for one in page.members {
                all.push(member(&one.household_id, &one.unit_id, &one.customer_id, one.facts, None)?);
            }
            for one in page.excluded {
                all.push(member(&one.household_id, &one.unit_id, &one.customer_id, BTreeMap::new(), Some(one.code))?);
            }
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Holds at most [`MOST_CHECKED`] households against an audience, at the moment of acting.
    pub(crate) async fn check(
        &self,
        estate: EstateId,
        households: &[HouseholdId],
        condition: Option<&Condition>,
        exclusions: &[Exclusion],
    ) -> Result<BTreeMap<HouseholdId, Verdict>> {
        let request = customer::CheckAudienceRequest {
            estate_id: estate.to_string(),
            household_ids: households.iter().map(ToString::to_string).collect(),
            predicate: condition.and_then(predicate),
            exclusions: wire(exclusions),
            as_of_date: String::new(),
        };
        let answer = self.0.clone().check_audience(request).await.map_err(refused)?.into_inner();
        let mut verdicts = BTreeMap::new();
        for check in answer.checks {
            let verdict = match check.verdict() {
                AudienceVerdict::Member => Verdict::Member { customer: CustomerId::parse(&check.customer_id).ok() },
                AudienceVerdict::Excluded => Verdict::Excluded(check.exclusion_code.clone()),
                AudienceVerdict::NotMember | AudienceVerdict::UnknownHousehold => Verdict::NotMember,
                AudienceVerdict::Unspecified => return Err(Error::bug("a household was not held against its audience")),
            };
            verdicts.insert(HouseholdId::parse(&check.household_id).map_err(Error::internal)?, verdict);
        }
        Ok(verdicts)
    }

    /// Whose day of a kind falls from `from` to `to`: household, unit, customer and day. A household has one of a day.
    pub(crate) async fn key_dates(&self, estate: EstateId, kind: &str, from: Date, to: Date) -> Result<Vec<(Member, Date)>> {
        let mut request = customer::ListKeyDateOccurrencesRequest {
            estate_id: estate.to_string(),
            from_date: to_date(from),
            to_date: to_date(to),
            kinds: vec![kind.to_owned()],
            page_size: 200,
            page_token: String::new(),
        };
        let mut all = Vec::new();
        loop {
            let page = self.0.clone().list_key_date_occurrences(request.clone()).await.map_err(refused)?.into_inner();
            for one in page.occurrences {
                let day = date(&one.occur_date).ok_or_else(|| Error::bug("a key date without a day"))?;
                all.push((member(&one.household_id, &one.unit_id, &one.customer_id, BTreeMap::new(), None)?, day));
            }
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }
}

fn members_request(question: &Question<'_>) -> customer::ListAudienceMembersRequest {
    let of_building = question.building.map(|code| ask::equals("unit.building_code", [code]));
    let predicate = match (question.condition.and_then(predicate), of_building) {
        (Some(audience), Some(building)) => Some(ask::all([audience, building])),
        (Some(one), None) | (None, Some(one)) => Some(one),
        (None, None) => None,
    };
    customer::ListAudienceMembersRequest {
        estate_id: question.estate.to_string(),
        predicate,
        exclusions: wire(question.exclusions),
        as_of_date: String::new(),
        page_size: PAGE,
        page_token: String::new(),
        fact_fields: question.fields.iter().map(|field| (*field).to_owned()).collect(),
    }
}

fn wire(exclusions: &[Exclusion]) -> Vec<customer::AudienceExclusion> {
    let one =
        |exclusion: &Exclusion| customer::AudienceExclusion { code: exclusion.code.clone(), predicate: predicate(&exclusion.condition) };
    exclusions.iter().map(one).collect()
}

fn member(household: &str, unit: &str, customer: &str, facts: BTreeMap<String, String>, excluded: Option<String>) -> Result<Member> {
    Ok(Member {
        household: HouseholdId::parse(household).map_err(Error::internal)?,
        unit: UnitId::parse(unit).map_err(Error::internal)?,
        customer: CustomerId::parse(customer).ok(),
        facts,
        excluded,
    })
}

pub(super) fn refused(status: tonic::Status) -> Error {
    peer_error("customer", status)
}
