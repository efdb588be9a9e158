//! Cases by several dimensions, and the cases behind a cell (WO-55). One trip where the period was counted before and is true still;
//! what is not is counted, estate by estate, and kept ([`steward_kit_store::rollups`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use steward_kit::Result;
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit::metric::{Period, Tally};
use steward_kit::paging::PageRequest;
use steward_kit_store::rollups::{Question, Stretch};

use super::App;
use crate::domain::analysis::{CaseSlice, Dimension, Group, grouped};
use crate::domain::figures::case_cells;
use crate::store::{CaseEntry, CaseEntryKey, list_cases};

impl App {
    /// Cases of a slice, told apart by some dimensions.
    pub(crate) async fn count_case_cells(
        &self,
        access: &Access,
        estates: &[EstateId],
        period: Period,
        slice: &CaseSlice,
        dimensions: &[Dimension],
    ) -> Result<BTreeMap<Group, i64>> {
        let estates: Vec<ScopedEstate> = estates.iter().map(|id| access.scope.estate(*id)).collect::<Result<_>>()?;
        let tallies = self.case_tallies(&estates, &[period]).await?;
        let by_estate = estates.iter().map(|estate| estate.id()).zip(tallies.iter().flatten());
        Ok(grouped(by_estate, slice, dimensions))
    }

    /// Cells of estates in periods: by period, then by estate.
    pub(super) async fn case_tallies(&self, estates: &[ScopedEstate], periods: &[Period]) -> Result<Vec<Vec<Tally>>> {
        let questions: Vec<Arc<Question>> = periods.iter().map(|period| Arc::new(Question::new(*period, vec![case_cells()]))).collect();
        let tallies = self.rollups.tallies(&questions, estates, self.clock.now()).await?;
        Ok(tallies.into_iter().map(|of_estates| of_estates.into_iter().map(|tallies| Tally::sum(&tallies)).collect()).collect())
    }

    /// Cases of a slice, oldest first, one more than the page shows. One trip.
    pub(crate) async fn list_cases(
        &self,
        access: &Access,
        estate: EstateId,
        period: Period,
        slice: &CaseSlice,
        page: &PageRequest<CaseEntryKey>,
    ) -> Result<Vec<CaseEntry>> {
        let scoped = access.scope.estate(estate)?;
        let zone = self.rules.estates.get(estate).await?.time_zone.clone();
        let stretch = Stretch::each(&[scoped], period, &self.rules.estates).await?;
        let mut found = Vec::new();
        for stretch in &stretch {
            found = list_cases(self.db.pool(), stretch, &zone, slice, page).await?;
        }
        Ok(found)
    }
}
