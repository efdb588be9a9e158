//! Imports and their rows as the caller may see them. One trip; rows two.

use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;

use super::App;
use crate::domain::estate_import::{EstateImport, ImportRow, ImportState, RowAction};
use crate::domain::ids::EstateImportId;
use crate::store::import_rows::list_rows;
use crate::store::imports::{ImportCursor, list_imports};

impl App {
    pub(crate) async fn list_estate_imports(
        &self,
        access: &Access,
        estate: EstateId,
        state: Option<ImportState>,
        page: &PageRequest<ImportCursor>,
    ) -> Result<Vec<EstateImport>> {
        list_imports(self.db.pool(), access.scope.estate(estate)?, state, page).await
    }

    pub(crate) async fn list_estate_import_rows(
        &self,
        access: &Access,
        import: EstateImportId,
        action: Option<RowAction>,
        page: &PageRequest<u32>,
    ) -> Result<Vec<ImportRow>> {
        let import = self.get_estate_import(access, import).await?;
        list_rows(self.db.pool(), import.id, action, page).await
    }
}
