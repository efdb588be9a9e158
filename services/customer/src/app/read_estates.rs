//! Estates, their trees, units and households, as the caller may see them. One trip each; trees and households two.

use steward_kit::auth::Access;
use steward_kit::ids::{EstateId, UnitId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};

use super::App;
use crate::domain::estate::Estate;
use crate::domain::household::Household;
use crate::domain::unit::Unit;
use crate::store::estates::{EstateCursor, EstateFilter, find_estate, list_estates};
use crate::store::households::{HouseholdFilter, list_households};
use crate::store::tree::{BuildingNode, read_tree};
use crate::store::units::{UnitCursor, UnitFilter, find_unit, list_units};

impl App {
    pub(crate) async fn get_estate(&self, access: &Access, id: EstateId) -> Result<Estate> {
        let found = find_estate(self.db.pool(), access.scope.estate(id)?).await?;
        found.ok_or_else(|| Error::not_found("estate", id))
    }

    pub(crate) async fn list_estates(
        &self,
        access: &Access,
        filter: &EstateFilter,
        page: &PageRequest<EstateCursor>,
    ) -> Result<Vec<Estate>> {
        list_estates(self.db.pool(), &access.scope, filter, page).await
    }

    /// The tree tells how many units there are, not whose they are: every caller with the estate sees it whole.
    pub(crate) async fn get_estate_tree(&self, access: &Access, id: EstateId) -> Result<Vec<BuildingNode>> {
        let estate = self.get_estate(access, id).await?;
        read_tree(self.db.pool(), access.scope.estate(estate.id)?).await
    }

    pub(crate) async fn get_unit(&self, access: &Access, id: UnitId) -> Result<Unit> {
        let found = find_unit(self.db.pool(), &access.scope, id, self.clock.now()).await?;
        found.ok_or_else(|| Error::not_found("unit", id))
    }

    pub(crate) async fn list_units(
        &self,
        access: &Access,
        estate: EstateId,
        filter: &UnitFilter,
        page: &PageRequest<UnitCursor>,
    ) -> Result<Vec<Unit>> {
        let estate = access.scope.estate(estate)?;
        list_units(self.db.pool(), &access.scope, estate, filter, page, self.clock.now()).await
    }

    pub(crate) async fn list_households(
        &self,
        access: &Access,
        filter: &HouseholdFilter,
        page: &PageRequest<UnitCursor>,
    ) -> Result<Vec<Household>> {
        list_households(self.db.pool(), &self.vault, &access.scope, filter, page, self.clock.now()).await
    }

    pub(crate) async fn get_household(&self, access: &Access, unit: UnitId, page: &PageRequest<UnitCursor>) -> Result<Household> {
        let filter = HouseholdFilter { unit_id: Some(unit), ..HouseholdFilter::default() };
        let mut found = self.list_households(access, &filter, page).await?;
        found.pop().ok_or_else(|| Error::not_found("unit", unit))
    }
}
