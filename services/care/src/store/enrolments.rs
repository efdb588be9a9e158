//! Enrolments of households, and what was used of them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::ids::{EstateId, HouseholdId};
use steward_kit::paging::PageRequest;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::documents::{DocumentRow, Place};
use crate::domain::base::Stored;
use crate::domain::enrolment::Enrolment;
use crate::domain::service_package::Item;

/// The constraint that refuses a package twice.
pub(crate) const ENROLLED: &str = "enrolments_key";

type Row = DocumentRow<Enrolment>;

macro_rules! select_enrolments {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"SELECT estate_id, id, document AS "document: _", row_version, create_time, update_time
                 FROM care.enrolments WHERE "# + $which
            $(, $argument)*
        )
    };
}

/// A page of an estate's, or of a household's, the newest first; a customer's own. One trip.
pub(crate) async fn list_enrolments(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    estate: ScopedEstate,
    household: Option<HouseholdId>,
    page: &PageRequest<Place>,
) -> Result<Vec<Stored<Enrolment>>> {
    let time = page.after.as_ref().map(|place| place.time.to_sqlx());
    let id = page.after.as_ref().map(|place| place.id);
    let rows = match household {
        Some(household) => select_enrolments!(
            "estate_id = $1 AND household_id = $2 AND ($3::uuid IS NULL OR customer_id = $3)
               AND ($4::timestamptz IS NULL OR (sort_time, id) < ($4, $5::uuid))
             ORDER BY sort_time DESC, id DESC LIMIT $6",
            estate.as_uuid(),
            household.as_uuid(),
            scope.own_customer(),
            time as Option<jiff_sqlx::Timestamp>,
            id,
            page.size.limit(),
        )
        .fetch_all(db)
        .await
        .store()?,
        None => select_enrolments!(
            "estate_id = $1 AND ($2::uuid IS NULL OR customer_id = $2)
               AND ($3::timestamptz IS NULL OR (sort_time, id) < ($3, $4::uuid))
             ORDER BY sort_time DESC, id DESC LIMIT $5",
            estate.as_uuid(),
            scope.own_customer(),
            time as Option<jiff_sqlx::Timestamp>,
            id,
            page.size.limit(),
        )
        .fetch_all(db)
        .await
        .store()?,
    };
    Ok(rows.into_iter().map(DocumentRow::read).collect())
}

/// A use and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) id: Uuid,
    pub(crate) enrolment_id: Uuid,
    pub(crate) estate_id: EstateId,
    pub(crate) item_code: String,
    pub(crate) use_date: Date,
    pub(crate) quantity: i64,
    /// Of it, how much was free.
    pub(crate) free_quantity: i64,
    pub(crate) charge_cents: i64,
    /// Used in the month, with this.
    pub(crate) month_quantity: i64,
    pub(crate) create_time: Timestamp,
}

struct UseRow {
    id: Uuid,
    enrolment_id: Uuid,
    estate_id: Uuid,
    item_code: String,
    use_date: jiff_sqlx::Date,
    quantity: i64,
    free_quantity: i64,
    charge_cents: i64,
    month_quantity: i64,
    create_time: jiff_sqlx::Timestamp,
}

impl UseRow {
    fn read(self) -> Use {
        Use {
            id: self.id,
            enrolment_id: self.enrolment_id,
            estate_id: self.estate_id.into(),
            item_code: self.item_code,
            use_date: self.use_date.to_jiff(),
            quantity: self.quantity,
            free_quantity: self.free_quantity,
            charge_cents: self.charge_cents,
            month_quantity: self.month_quantity,
            create_time: self.create_time.to_jiff(),
        }
    }
}

/// Counts a use against what is free in its month, with `charged` where something of it is not and else with `free`. One trip: the row of
/// the month is the lock, so that what is free is given once, however many ask at once. The error is raw.
pub(crate) async fn count_use(
    db: impl PgExecutor<'_>,
    new: &Use,
    item: &Item,
    free: &Effects,
    charged: &Effects,
    now: Timestamp,
) -> Result<Use, sqlx::Error> {
    let row = sqlx::query!(
        r#"WITH month AS (
               INSERT INTO care.package_quotas AS q (estate_id, enrolment_id, item_code, month, used_quantity)
               VALUES ($1, $2, $4, $5, $6)
               ON CONFLICT ON CONSTRAINT package_quotas_pkey DO UPDATE SET used_quantity = q.used_quantity + EXCLUDED.used_quantity
               RETURNING used_quantity
           ), counted AS (
               SELECT used_quantity, least($6::bigint, greatest(0, $7::bigint - (used_quantity - $6::bigint))) AS free FROM month
           ), used AS (
               INSERT INTO care.package_uses (estate_id, enrolment_id, id, item_code, use_date, quantity, free_quantity, charge_cents,
                   month_quantity, create_time)
               SELECT $1, $2, $3, $4, $8, $6, free, ($6 - free + $9::bigint - 1) / $9::bigint * $10::bigint, used_quantity, $11 FROM counted
               RETURNING free_quantity, charge_cents, month_quantity
           )
           SELECT free_quantity, charge_cents, month_quantity,
                  care.write_effects(CASE WHEN charge_cents > 0 THEN $13::jsonb ELSE $12::jsonb END)::text AS effects
             FROM used
           -- unscoped: of an enrolment that was read through a scope"#,
        new.estate_id.as_uuid(),
        new.enrolment_id,
        new.id,
        new.item_code,
        new.use_date.first_of_month().to_sqlx() as jiff_sqlx::Date,
        new.quantity,
        item.free_quantity,
        new.use_date.to_sqlx() as jiff_sqlx::Date,
        item.overage_block.max(1),
        item.overage_price_cents,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        free.json(now),
        charged.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(Use { free_quantity: row.free_quantity, charge_cents: row.charge_cents, month_quantity: row.month_quantity, ..new.clone() })
}

/// One use of the caller's estates. One trip.
pub(crate) async fn load_use(db: impl PgExecutor<'_>, scope: &Scope, id: Uuid) -> Result<Option<Use>> {
    let row = sqlx::query_as!(
        UseRow,
        "SELECT id, enrolment_id, estate_id, item_code, use_date, quantity, free_quantity, charge_cents, month_quantity, create_time
           FROM care.package_uses WHERE id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))",
        id,
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_optional(db)
    .await
    .store()?;
    Ok(row.map(UseRow::read))
}

/// A page of an enrolment's, the last recorded first. One trip.
pub(crate) async fn list_uses(db: impl PgExecutor<'_>, of: &Stored<Enrolment>, page: &PageRequest<Uuid>) -> Result<Vec<Use>> {
    let rows = sqlx::query_as!(
        UseRow,
        "SELECT id, enrolment_id, estate_id, item_code, use_date, quantity, free_quantity, charge_cents, month_quantity, create_time
           FROM care.package_uses WHERE estate_id = $1 AND enrolment_id = $2 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
        of.estate_id.as_uuid(),
        of.id,
        page.after,
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(UseRow::read).collect())
}
