//! Who belongs to an audience. The estate's facts are settled first, so that what was written before is seen: one trip when
//! nothing is behind. Then one trip a page.

use std::collections::HashMap;

use jiff::civil::Date;
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::predicate::{Compiled, Finding};
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::App;
use super::keep_facts::{local_date, one};
use crate::domain::facts::RowFacts;
use crate::domain::key_date::days_kept_on;
use crate::store::audiences::{HouseholdRow, list_households_by_id, list_matching};
use crate::store::bases::{BaseSums, UndeliveredKey, list_undelivered, sum_bases};
use crate::store::estates::find_estate;
use crate::store::key_dates::{FoundDate, list_key_dates_on};

/// A checked audience.
#[derive(Debug, Clone)]
pub(crate) struct Audience {
    pub(crate) estate_id: EstateId,
    /// `None`: everybody.
    pub(crate) predicate: Option<Compiled>,
    /// Code and predicate; the first that holds is the reason.
    pub(crate) exclusions: Vec<(String, Compiled)>,
    /// `None`: today.
    pub(crate) as_of_date: Option<Date>,
}

/// What a household is to an audience.
#[derive(Debug, Clone)]
pub(crate) enum Checked {
    /// It belongs, because of this.
    Member(HouseholdRow, Option<Finding>),
    /// An exclusion leaves it out.
    Excluded(HouseholdRow, String, Finding),
    /// The predicate does not hold.
    NotMember(HouseholdRow, Finding),
    /// Not in the estate.
    Unknown(Uuid),
}

/// Which key dates.
#[derive(Debug, Clone)]
pub(crate) struct KeyDateQuery {
    pub(crate) estate_id: EstateId,
    pub(crate) from: Date,
    pub(crate) to: Date,
    pub(crate) kinds: Vec<String>,
}

impl Audience {
    fn excluded(&self, facts: &RowFacts, as_of: Date) -> Option<(String, Finding)> {
        let found = self.exclusions.iter().map(|(code, predicate)| (code, predicate.evaluate(facts, as_of)));
        found.into_iter().find(|(_, finding)| finding.holds()).map(|(code, finding)| (code.clone(), finding))
    }

    /// Holds a household against the audience.
    pub(crate) fn check(&self, row: HouseholdRow, as_of: Date) -> Checked {
        let facts = RowFacts(row.facts.clone());
        let finding = self.predicate.as_ref().map(|predicate| predicate.evaluate(&facts, as_of));
        match (finding, self.excluded(&facts, as_of)) {
            (Some(finding), _) if !finding.holds() => Checked::NotMember(row, finding),
            (_, Some((code, finding))) => Checked::Excluded(row, code, finding),
            (finding, None) => Checked::Member(row, finding),
        }
    }
}

impl App {
    /// A page of households for which the predicate holds, held against the exclusions, and the as-of date.
    pub(crate) async fn list_audience(
        &self,
        access: &Access,
        audience: &Audience,
        page: &PageRequest<Uuid>,
    ) -> Result<(Vec<HouseholdRow>, Date)> {
        let (estate, as_of) = self.audience_estate(access, audience).await?;
        let rows = list_matching(self.db.pool(), estate, audience.predicate.as_ref(), as_of, page.after, page.size.limit()).await?;
        Ok((rows, as_of))
    }

    /// Every household asked for, in that order.
    pub(crate) async fn check_audience(&self, access: &Access, audience: &Audience, households: &[Uuid]) -> Result<Vec<Checked>> {
        let (estate, as_of) = self.audience_estate(access, audience).await?;
        let found = list_households_by_id(self.db.pool(), estate, households).await?;
        let found: HashMap<Uuid, HouseholdRow> = found.into_iter().map(|row| (row.key.household_id, row)).collect();
        let checked = households.iter().map(|household| match found.get(household) {
            Some(row) => audience.check(row.clone(), as_of),
            None => Checked::Unknown(*household),
        });
        Ok(checked.collect())
    }

    /// Sums for each estate, in the order given. Two trips where no facts are behind, whatever the number of estates.
    pub(crate) async fn household_bases(
        &self,
        access: &Access,
        estates: &[EstateId],
        from: Date,
        to: Date,
    ) -> Result<Vec<(EstateId, BaseSums)>> {
        let scoped = self.settled_estates(access, estates).await?;
        let sums = sum_bases(self.db.pool(), &scoped, from, to).await?;
        let of = |id: &EstateId| sums.get(&id.as_uuid()).map(|sums| (*id, *sums)).ok_or_else(|| Error::not_found("estate", id));
        estates.iter().map(of).collect()
    }

    /// A page of households that are not handed over by the end of a day, by estate. Two trips where no facts are behind.
    pub(crate) async fn list_undelivered(
        &self,
        access: &Access,
        estates: &[EstateId],
        day: Date,
        page: &PageRequest<UndeliveredKey>,
    ) -> Result<Vec<UndeliveredKey>> {
        let scoped = self.settled_estates(access, estates).await?;
        list_undelivered(self.db.pool(), &scoped, day, page.after, page.size.limit()).await
    }

    /// A page of key dates, each with the day in the period on which it is kept.
    pub(crate) async fn list_key_date_occurrences(
        &self,
        access: &Access,
        query: &KeyDateQuery,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<(FoundDate, Date)>> {
        let estate = access.scope.estate(query.estate_id)?;
        if find_estate(self.db.pool(), estate).await?.is_none() {
            return Err(Error::not_found("estate", query.estate_id));
        }
        let mut kept = HashMap::new();
        for date in query.from.series(jiff::Span::new().days(1)).take_while(|date| *date <= query.to) {
            for day in days_kept_on(date) {
                kept.entry(self.vault.day_index(&day)).or_insert(date);
            }
        }
        let days: Vec<Vec<u8>> = kept.keys().cloned().collect();
        let kinds = (!query.kinds.is_empty()).then_some(query.kinds.as_slice());
        let found = list_key_dates_on(self.db.pool(), estate, &days, kinds, after, limit, self.clock.now()).await?;
        let dated = found.into_iter().filter_map(|found| kept.get(&found.day_index).map(|date| (*date, found)));
        Ok(dated.map(|(date, found)| (found, date)).collect())
    }

    /// Estates of the caller, whose facts are those of now.
    async fn settled_estates(&self, access: &Access, estates: &[EstateId]) -> Result<Vec<ScopedEstate>> {
        let scoped = estates.iter().map(|id| access.scope.estate(*id)).collect::<Result<Vec<_>>>()?;
        let ids: Vec<Uuid> = scoped.iter().map(|estate| estate.as_uuid()).collect();
        self.settle_facts(&ids).await?;
        Ok(scoped)
    }

    async fn audience_estate(&self, access: &Access, audience: &Audience) -> Result<(ScopedEstate, Date)> {
        let estate = access.scope.estate(audience.estate_id)?;
        let found = find_estate(self.db.pool(), estate).await?;
        let found = found.ok_or_else(|| Error::not_found("estate", audience.estate_id))?;
        self.settle_facts(&one(found.id)).await?;
        let as_of = match audience.as_of_date {
            Some(date) => date,
            None => local_date(&found.time_zone, self.clock.now())?,
        };
        Ok((estate, as_of))
    }
}
