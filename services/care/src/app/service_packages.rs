//! What households may have: packages, and menus to choose from.

use prost::Message;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;
use uuid::Uuid;

use super::App;
use super::transact::{Call, TRIES, or_repeated};
use crate::domain::base::{Document, Stored};
use crate::domain::service_package::{Package, package_id};
use crate::store::documents::{Place, Table};

impl App {
    /// Creates a package, or changes it. Two trips.
    pub(crate) async fn put_service_package<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        etag: Option<i64>,
        package: Package,
        answer: impl Fn(&Stored<Package>) -> R,
    ) -> Result<R> {
        call.access.scope.estate(estate)?;
        let now = self.clock.now();
        let mut bad = Violations::new();
        package.check(&self.rules.of(estate, now).await?.terms.community.packages, &mut bad);
        or_repeated!(self, call, bad.finish());
        let id = package_id(estate, &package.code);
        for _ in 0..TRIES {
            let before = self.load::<Package>(&call.access.scope, id).await?;
            if etag.is_some_and(|seen| before.as_ref().is_none_or(|before| before.row_version != seen)) {
                break;
            }
            let offer_time = before.as_ref().map_or(now, |before| before.value.offer_time);
            let after = Package { offer_time, ..package.clone() };
            let row = before.unwrap_or_else(|| Stored::new(id, estate, after.clone(), now)).with(after, now);
            let response = answer(&row);
            let effects = Effects { claim: self.claim(call, &response), ..Effects::none() };
            match Package::write(&mut *self.conn().await?, std::slice::from_ref(&row), &effects, now).await {
                Ok(written) if written.len() == 1 => return Ok(response),
                Ok(_) if etag.is_some() => break,
                Ok(_) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: Package::NOUN }).await
    }

    /// One package. One trip.
    pub(crate) async fn service_package(&self, access: &Access, id: Uuid) -> Result<Stored<Package>> {
        self.load::<Package>(&access.scope, id).await?.ok_or_else(|| Error::not_found(Package::NOUN, id))
    }

    /// A page of an estate's packages. One trip.
    pub(crate) async fn list_service_packages(
        &self,
        access: &Access,
        estate: EstateId,
        page: &PageRequest<Place>,
    ) -> Result<Vec<Stored<Package>>> {
        Package::list(&mut *self.conn().await?, access.scope.estate(estate)?, &[], page).await
    }
}
