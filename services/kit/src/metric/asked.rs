//! What a request to `MetricService` asks for, read and checked in the same way by every service that answers for figures.

use serde::Serialize;
use serde::de::DeserializeOwned;
use steward_proto::metric::v1 as pb;

use super::definition::{Definition, definitions_of};
use super::entry::Owner;
use super::period::Period;
use super::wire;
use crate::error::{Result, Violations};
use crate::ids::EstateId;
use crate::paging::{PageRequest, PageTokens, Query};

/// Figures of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The estates.
    pub estates: Vec<EstateId>,
    /// The days asked for.
    pub period: Period,
    /// The plan, named in the answer.
    pub plan_code: String,
    /// How the plan defines each figure; those of one owner.
    pub definitions: Vec<Definition>,
    /// Households of the estates, for the rates that are of them.
    pub bases: Vec<pb::HouseholdBase>,
}

impl Asked {
    /// Reads a request for figures, of which `owner` answers for its own.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with every fault and its place.
    pub fn of(owner: Owner, request: pb::ComputeMetricsRequest) -> Result<Self> {
        let mut bad = Violations::of(&request);
        let estates = bad.ids("estate_ids", &request.estate_ids);
        let period = wire::period(&mut bad, request.period.as_ref());
        let definitions = definitions_of(owner, &request.definitions, &request.metric_ids, &mut bad);
        let (plan_code, bases) = (request.plan_code, request.household_bases);
        bad.build(|| Some(Self { estates, period: period?, plan_code, definitions, bases }))
    }
}

/// A page of the rows behind one figure. `C` is the place of a row in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedRows<C> {
    /// The estate.
    pub estate: EstateId,
    /// The days asked for.
    pub period: Period,
    /// The plan, named in the answer.
    pub plan_code: String,
    /// How the plan defines the figure.
    pub definition: Definition,
    /// Households of the estate, if the rate is of them.
    pub bases: Vec<pb::HouseholdBase>,
    /// The page.
    pub page: PageRequest<C>,
    query: Query,
}

/// A figure and its rows after a page's start, with one more than fit on the page where there are that many.
pub type Explained<C> = (pb::MetricValue, Vec<(C, pb::MetricRow)>);

impl<C: Copy + DeserializeOwned + Serialize> AskedRows<C> {
    /// Reads a request for the rows behind a figure that `owner` answers for. `pages` opens the page's token.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with every fault and its place; for a token that `pages` did not give out for the same
    /// figure.
    pub fn of(owner: Owner, mut request: pb::ExplainMetricRequest, pages: &PageTokens) -> Result<Self> {
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let period = wire::period(&mut bad, request.period.as_ref());
        let definition =
            bad.required("definition", request.definition.as_ref()).and_then(|message| Definition::read(message, "definition", &mut bad));
        let is_ours = |one: &Definition| one.metric.owner == owner && one.metric.id == request.metric_id;
        if definition.as_ref().is_some_and(|one| !is_ours(one)) {
            bad.add("metric_id", "METRIC_UNKNOWN", "is no figure of this service, or not the one that is defined");
        }
        let (estate, period, definition) = bad.build(|| Some((estate?, period?, definition?)))?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ExplainMetric", &request);
        let page = pages.request(&query, size, &token)?;
        Ok(Self { estate, period, plan_code: request.plan_code, definition, bases: request.household_bases, page, query })
    }

    /// The answer: the figure, and the rows that fit on the page.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) when a row's place does not serialise.
    pub fn answer(&self, pages: &PageTokens, (value, rows): Explained<C>) -> Result<pb::ExplainMetricResponse> {
        let page = pages.page(&self.query, self.page.size, rows, |(place, _)| *place)?;
        let rows = page.rows.into_iter().map(|(_, row)| row).collect();
        Ok(pb::ExplainMetricResponse { value: Some(value), rows, next_page_token: page.next_page_token })
    }
}
