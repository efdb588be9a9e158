//! What only the customer service knows of households at the moment of acting: the situations that forbid contacts (NT-38), which
//! the policy says, and whether they meet the conditions of a routing rule. One question for both.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use steward_kit::client::peer_error;
use steward_kit::ids::HouseholdId;
use steward_kit::proto::to_date;
use steward_kit::{Error, Result};
use steward_proto::common::v1::{ConditionFinding, Predicate};
use steward_proto::customer::v1 as customer;

use super::App;
use super::compose::Place;
use crate::domain::circumstances::{Audience, Held};
use crate::domain::codes::Class;

/// Most households in one question.
const AT_ONCE: usize = 200;

/// What is asked of households.
#[derive(Debug)]
pub(super) struct HouseholdQuestion<'a> {
    /// Contacts of this class,
    pub(super) class: Class,
    /// and this topic are thought of: which situations forbid them?
    pub(super) topic: &'a str,
    /// Does this hold?
    pub(super) only_if: Option<&'a Predicate>,
}

/// How a household stands now.
#[derive(Clone, Debug, Default)]
pub(super) struct HouseholdNow {
    /// Codes of the situations that hold and forbid the contact.
    pub(super) situations: Vec<String>,
    /// Whether it meets the conditions asked; not a member where none were.
    pub(super) audience: Audience,
}

impl App {
    /// How each household stands; those of which there is nothing to tell are left out. No trip and no call when neither the policy
    /// nor the question has conditions.
    pub(super) async fn ask_households(
        &self,
        place: &Place,
        asked: &HouseholdQuestion<'_>,
        households: &[HouseholdId],
        now: Timestamp,
    ) -> Result<HashMap<HouseholdId, HouseholdNow>> {
        let exclusions = exclusions_of(place, asked.class, asked.topic);
        let mut found = HashMap::new();
        if exclusions.is_empty() && asked.only_if.is_none() {
            return Ok(found);
        }
        let single: Vec<HouseholdId> = households.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let today = place.estate.zone()?.to_datetime(now).date();
        for some in single.chunks(AT_ONCE) {
            let request = customer::CheckAudienceRequest {
                estate_id: place.estate.id.to_string(),
                household_ids: some.iter().map(ToString::to_string).collect(),
                predicate: asked.only_if.cloned(),
                exclusions: exclusions.clone(),
                as_of_date: to_date(today),
            };
            let answer = self.audience.clone().check_audience(request).await.map_err(|status| peer_error("customer", status))?;
            for check in answer.into_inner().checks {
                let household = HouseholdId::parse(&check.household_id).map_err(Error::internal)?;
                found.insert(household, standing(check)?);
            }
        }
        Ok(found)
    }
}

/// The situations that forbid a contact, as customer is asked about them.
pub(super) fn exclusions_of(place: &Place, class: Class, topic: &str) -> Vec<customer::AudienceExclusion> {
    let exclusion = |code: &str| {
        let predicate = Some(place.situations.get(code)?.clone());
        Some(customer::AudienceExclusion { code: code.to_owned(), predicate })
    };
    place.policy.situations_of(class, topic).filter_map(exclusion).collect()
}

fn standing(check: customer::AudienceCheck) -> Result<HouseholdNow> {
    let of = |is_member: bool, reasons: Vec<ConditionFinding>| Audience { is_member, conditions: reasons.into_iter().map(held).collect() };
    Ok(match check.verdict() {
        customer::AudienceVerdict::Member => HouseholdNow { situations: Vec::new(), audience: of(true, check.reasons) },
        // It belongs, and the reasons are those of the situation.
        customer::AudienceVerdict::Excluded => HouseholdNow { situations: vec![check.exclusion_code], audience: of(true, Vec::new()) },
        customer::AudienceVerdict::NotMember | customer::AudienceVerdict::UnknownHousehold => {
            HouseholdNow { situations: Vec::new(), audience: of(false, check.reasons) }
        }
        customer::AudienceVerdict::Unspecified => return Err(Error::bug("a household was not held against its audience")),
    })
}

fn held(finding: ConditionFinding) -> Held {
    let operator = finding.operator().as_str_name().to_owned();
    Held { field: finding.field, operator, fact: finding.fact }
}
