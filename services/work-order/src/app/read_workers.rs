//! Reading an estate's roster: one, lists, and the lines that an order keeps away from. One trip each.

use std::borrow::Cow;

use steward_kit::auth::{Access, Scope};
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};

use super::App;
use crate::domain::{Lines, NO_LINES, WorkOrder};
use crate::store::{Rostered, list_lines, list_workers, load_worker};

impl App {
    /// One of the roster.
    pub(crate) async fn get_worker(&self, access: &Access, estate: EstateId, principal: &str) -> Result<Rostered> {
        let scoped = access.scope.estate(estate)?;
        let found = load_worker(self.db.pool(), scoped, principal).await?;
        found.ok_or_else(|| Error::not_found("worker", principal))
    }

    /// The roster by principal, one more than the page shows.
    pub(crate) async fn list_workers(&self, access: &Access, estate: EstateId, page: &PageRequest<String>) -> Result<Vec<Rostered>> {
        list_workers(self.db.pool(), access.scope.estate(estate)?, page).await
    }

    /// Who reports to whom around an order that complains about somebody, or is about to. No trip for every other order.
    pub(super) async fn lines_around(&self, order: &WorkOrder, is_about_staff: bool) -> Result<Cow<'static, Lines>> {
        if order.accused.is_empty() && !is_about_staff {
            return Ok(Cow::Borrowed(&NO_LINES));
        }
        let estate = Scope::system("whom an order keeps away from").estate(order.estate_id)?;
        list_lines(self.db.pool(), estate).await.map(Cow::Owned)
    }
}
