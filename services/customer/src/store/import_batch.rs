//! What a batch of an import's rows writes, table by table, in the transaction of the job.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use crate::domain::customer::Customer;
use crate::domain::ids::EntranceId;
use crate::domain::tenure::Tenure;
use crate::domain::unit::{Building, Entrance, Unit};
use crate::domain::vault::Sealed;

/// Everything new and changed in a batch.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) buildings: Vec<Building>,
    pub(crate) entrances: Vec<Entrance>,
    pub(crate) new_units: Vec<Unit>,
    pub(crate) changed_units: Vec<Unit>,
    pub(crate) new_customers: Vec<(Customer, Sealed)>,
    pub(crate) changed_customers: Vec<(Customer, Sealed)>,
    pub(crate) new_tenures: Vec<Tenure>,
    pub(crate) changed_tenures: Vec<Tenure>,
    /// Audit entries of changed customers.
    pub(crate) audit: Vec<Value>,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Sealed(***)")
    }
}

/// Writes the batch. Somebody who wrote the same meanwhile makes it fail on a constraint; the job then reads again.
pub(crate) async fn write_batch(
    tx: &mut PgConnection,
    estate: ScopedEstate,
    batch: &Batch,
    recorded_by: &str,
    now: Timestamp,
) -> Result<()> {
    insert_places(tx, estate, batch, now).await?;
    insert_units(tx, estate, &batch.new_units, now).await?;
    update_units(tx, &batch.changed_units, now).await?;
    insert_customers(tx, &batch.new_customers, recorded_by, now).await?;
    update_customers(tx, &batch.changed_customers, now).await?;
    insert_tenures(tx, estate, &batch.new_tenures, now).await?;
    update_tenures(tx, &batch.changed_tenures, now).await?;
    if !batch.audit.is_empty() {
        sqlx::query!("SELECT customer.append_audit($1)::text", Value::Array(batch.audit.clone())).fetch_one(tx).await.store()?;
    }
    Ok(())
}

async fn insert_places(tx: &mut PgConnection, estate: ScopedEstate, batch: &Batch, now: Timestamp) -> Result<()> {
    if !batch.buildings.is_empty() {
        sqlx::query!(
            "INSERT INTO customer.buildings (id, estate_id, code, name, create_time)
             SELECT b.id, $1, b.code, b.code, $2 FROM unnest($3::uuid[], $4::text[]) AS b(id, code)",
            estate.as_uuid(),
            now.to_sqlx() as jiff_sqlx::Timestamp,
            &column(&batch.buildings, |building| building.id.as_uuid()),
            &column(&batch.buildings, |building| building.code.clone()),
        )
        .execute(&mut *tx)
        .await
        .store()?;
    }
    if !batch.entrances.is_empty() {
        sqlx::query!(
            "INSERT INTO customer.entrances (id, estate_id, building_id, code, create_time)
             SELECT n.id, $1, n.building_id, n.code, $2 FROM unnest($3::uuid[], $4::uuid[], $5::text[]) AS n(id, building_id, code)",
            estate.as_uuid(),
            now.to_sqlx() as jiff_sqlx::Timestamp,
            &column(&batch.entrances, |entrance| entrance.id.as_uuid()),
            &column(&batch.entrances, |entrance| entrance.building_id.as_uuid()),
            &column(&batch.entrances, |entrance| entrance.code.clone()),
        )
        .execute(tx)
        .await
        .store()?;
    }
    Ok(())
}

async fn insert_units(tx: &mut PgConnection, estate: ScopedEstate, units: &[Unit], now: Timestamp) -> Result<()> {
    if units.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "WITH created AS (
             INSERT INTO customer.units (id, estate_id, building_id, entrance_id, household_id, code, full_code, floor, premises_type,
                 area_square_metres, delivery_date, occupancy, create_time, update_time)
             SELECT u.id, $1, u.building_id, u.entrance_id, u.household_id, u.code, u.full_code, u.floor, u.premises_type, u.area,
                    u.delivery_date, u.occupancy, $2, $2
               FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::integer[], $10::text[],
                           $11::double precision[], $12::date[], $13::text[])
                    AS u(id, building_id, entrance_id, household_id, code, full_code, floor, premises_type, area, delivery_date, occupancy)
             RETURNING id)
         UPDATE customer.estates SET unit_count = unit_count + (SELECT count(*) FROM created)::integer WHERE id = $1
         -- unscoped: written by the import of an estate in scope",
        estate.as_uuid(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        &column(units, |unit| unit.id.as_uuid()),
        &column(units, |unit| unit.building_id.as_uuid()),
        &column(units, |unit| unit.entrance_id.map(EntranceId::as_uuid)) as &[Option<Uuid>],
        &column(units, |unit| unit.household_id.as_uuid()),
        &column(units, |unit| unit.code.clone()),
        &column(units, Unit::full_code),
        &column(units, |unit| unit.floor) as &[Option<i32>],
        &column(units, |unit| unit.premises_type.as_str().to_owned()),
        &column(units, |unit| unit.area_square_metres),
        &column(units, |unit| unit.delivery_date.map(|date| date.to_sqlx())) as &[Option<jiff_sqlx::Date>],
        &column(units, |unit| unit.occupancy.as_str().to_owned()),
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

async fn update_units(tx: &mut PgConnection, units: &[Unit], now: Timestamp) -> Result<()> {
    if units.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "UPDATE customer.units t
            SET floor = u.floor, premises_type = u.premises_type, area_square_metres = u.area, delivery_date = u.delivery_date,
                occupancy = u.occupancy, update_time = $1, row_version = t.row_version + 1
           FROM unnest($2::uuid[], $3::integer[], $4::text[], $5::double precision[], $6::date[], $7::text[])
                AS u(id, floor, premises_type, area, delivery_date, occupancy)
          WHERE t.id = u.id
          -- unscoped: written by the import of an estate in scope, for units it found there",
        now.to_sqlx() as jiff_sqlx::Timestamp,
        &column(units, |unit| unit.id.as_uuid()),
        &column(units, |unit| unit.floor) as &[Option<i32>],
        &column(units, |unit| unit.premises_type.as_str().to_owned()),
        &column(units, |unit| unit.area_square_metres),
        &column(units, |unit| unit.delivery_date.map(|date| date.to_sqlx())) as &[Option<jiff_sqlx::Date>],
        &column(units, |unit| unit.occupancy.as_str().to_owned()),
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

async fn insert_customers(tx: &mut PgConnection, customers: &[(Customer, Sealed)], recorded_by: &str, now: Timestamp) -> Result<()> {
    if customers.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO customer.customers (id, number, group_id, home_estate_id, kind, data_key, name, phone, email, id_number,
             name_index, phone_index, id_number_index, preferred_language, source, recorded_by, create_time, update_time)
         SELECT c.id, c.number, c.group_id, c.home_estate_id, c.kind, c.data_key, c.name, c.phone, c.email, c.id_number,
                c.name_index, c.phone_index, c.id_number_index, c.language, 'import', $1, $2, $2
           FROM unnest($3::uuid[], $4::bigint[], $5::uuid[], $6::uuid[], $7::text[], $8::bytea[], $9::bytea[], $10::bytea[],
                       $11::bytea[], $12::bytea[], $13::bytea[], $14::bytea[], $15::bytea[], $16::text[])
                AS c(id, number, group_id, home_estate_id, kind, data_key, name, phone, email, id_number,
                     name_index, phone_index, id_number_index, language)",
        recorded_by,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        &column(customers, |(customer, _)| customer.id.as_uuid()),
        &column(customers, |(customer, _)| customer.number),
        &column(customers, |(customer, _)| customer.group_id.as_uuid()),
        &column(customers, |(customer, _)| customer.home_estate_id.as_uuid()),
        &column(customers, |(customer, _)| customer.kind.as_str().to_owned()),
        &column(customers, |(_, sealed)| sealed.data_key.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.name.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.phone.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.email.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.id_number.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.name_index.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.phone_index.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.id_number_index.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(customer, _)| customer.language.as_str().to_owned()),
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

async fn update_customers(tx: &mut PgConnection, customers: &[(Customer, Sealed)], now: Timestamp) -> Result<()> {
    if customers.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "UPDATE customer.customers t
            SET name = c.name, phone = c.phone, email = c.email, id_number = c.id_number, address = c.address,
                name_index = c.name_index, phone_index = c.phone_index, id_number_index = c.id_number_index,
                preferred_language = c.language, phone_state = c.phone_state, email_state = c.email_state,
                update_time = $1, row_version = t.row_version + 1
           FROM unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[], $8::bytea[], $9::bytea[],
                       $10::bytea[], $11::text[], $12::text[], $13::text[])
                AS c(id, name, phone, email, id_number, address, name_index, phone_index, id_number_index, language,
                     phone_state, email_state)
          WHERE t.id = c.id
          -- unscoped: written by the import of an estate in scope, for customers it found there",
        now.to_sqlx() as jiff_sqlx::Timestamp,
        &column(customers, |(customer, _)| customer.id.as_uuid()),
        &column(customers, |(_, sealed)| sealed.name.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.phone.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.email.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.id_number.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.address.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.name_index.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.phone_index.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(_, sealed)| sealed.id_number_index.clone()) as &[Option<Vec<u8>>],
        &column(customers, |(customer, _)| customer.language.as_str().to_owned()),
        &column(customers, |(customer, _)| customer.contactability.phone_state.as_str().to_owned()),
        &column(customers, |(customer, _)| customer.contactability.email_state.as_str().to_owned()),
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

async fn insert_tenures(tx: &mut PgConnection, estate: ScopedEstate, tenures: &[Tenure], now: Timestamp) -> Result<()> {
    if tenures.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO customer.tenures (id, estate_id, unit_id, customer_id, role, from_date, to_date, source, create_time, update_time)
         SELECT t.id, $1, t.unit_id, t.customer_id, t.role, t.from_date, t.to_date, 'import', $2, $2
           FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::date[], $8::date[])
                AS t(id, unit_id, customer_id, role, from_date, to_date)",
        estate.as_uuid(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        &column(tenures, |tenure| tenure.id.as_uuid()),
        &column(tenures, |tenure| tenure.unit_id.as_uuid()),
        &column(tenures, |tenure| tenure.customer_id.as_uuid()),
        &column(tenures, |tenure| tenure.role.as_str().to_owned()),
        &column(tenures, |tenure| tenure.from_date.to_sqlx()) as &[jiff_sqlx::Date],
        &column(tenures, |tenure| tenure.to_date.map(|date| date.to_sqlx())) as &[Option<jiff_sqlx::Date>],
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

async fn update_tenures(tx: &mut PgConnection, tenures: &[Tenure], now: Timestamp) -> Result<()> {
    if tenures.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "UPDATE customer.tenures t
            SET from_date = n.from_date, to_date = n.to_date, update_time = $1, row_version = t.row_version + 1
           FROM unnest($2::uuid[], $3::date[], $4::date[]) AS n(id, from_date, to_date)
          WHERE t.id = n.id
          -- unscoped: written by the import of an estate in scope, for tenures it found there",
        now.to_sqlx() as jiff_sqlx::Timestamp,
        &column(tenures, |tenure| tenure.id.as_uuid()),
        &column(tenures, |tenure| tenure.from_date.to_sqlx()) as &[jiff_sqlx::Date],
        &column(tenures, |tenure| tenure.to_date.map(|date| date.to_sqlx())) as &[Option<jiff_sqlx::Date>],
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

fn column<T, C>(rows: &[T], of: impl Fn(&T) -> C) -> Vec<C> {
    rows.iter().map(of).collect()
}
