//! The part of an estate's register that a batch of rows touches.

use std::collections::HashMap;

use sqlx::PgConnection;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::CustomerId;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::customer_rows::{StoredCustomer, select_customers};
use super::tenures::TenureRow;
use super::units::select_units;
use super::word;
use crate::domain::customer::CustomerKind;
use crate::domain::estate_import::{EstateImport, Register};
use crate::domain::premises::PremisesType;
use crate::domain::register_file::RegisterRow;
use crate::domain::vault::Vault;

/// Reads what the rows touch, and the wrapped keys of the customers among it.
pub(crate) async fn read_register(
    tx: &mut PgConnection,
    vault: &Vault,
    estate: ScopedEstate,
    import: &EstateImport,
    rows: &[&RegisterRow],
) -> Result<(Register, HashMap<CustomerId, Vec<u8>>)> {
    let known = sqlx::query!(
        "SELECT group_id, premises_type, time_zone FROM customer.estates WHERE id = $1
             -- unscoped: the estate was found in the caller's scope",
        estate.as_uuid()
    )
    .fetch_optional(&mut *tx)
    .await
    .store()?
    .ok_or_else(|| Error::not_found("estate", estate.id()))?;
    let mut register = Register {
        estate_id: estate.id(),
        group_id: known.group_id.into(),
        premises_type: word(&known.premises_type, PremisesType::parse)?,
        today: import.local_date(&known.time_zone),
        buildings: HashMap::new(),
        entrances: HashMap::new(),
        units: HashMap::new(),
        customers: Vec::new(),
        tenures: Vec::new(),
    };
    read_places(tx, estate, rows, &mut register).await?;
    let keys = read_people(tx, vault, rows, &mut register).await?;
    Ok((register, keys))
}

async fn read_places(tx: &mut PgConnection, estate: ScopedEstate, rows: &[&RegisterRow], register: &mut Register) -> Result<()> {
    let codes: Vec<String> = rows.iter().map(|row| row.unit.building.clone()).collect();
    let places = sqlx::query!(
        r#"SELECT b.id AS building_id, b.code AS building_code, n.id AS "entrance_id?", n.code AS "entrance_code?"
             FROM customer.buildings b LEFT JOIN customer.entrances n ON n.building_id = b.id
            WHERE b.estate_id = $1 AND b.code = ANY ($2)"#,
        estate.as_uuid(),
        &codes,
    )
    .fetch_all(&mut *tx)
    .await
    .store()?;
    for place in places {
        let building = place.building_id.into();
        register.buildings.insert(place.building_code, building);
        if let (Some(id), Some(code)) = (place.entrance_id, place.entrance_code) {
            register.entrances.insert((building, code), id.into());
        }
    }
    let full_codes: Vec<String> = rows.iter().map(|row| row.unit.full_code()).collect();
    // Each by the index, in its collation: while a new register has no statistics, any other way compares every line with every unit.
    let units = select_units!(
        "FROM (SELECT DISTINCT c.full_code FROM unnest($2::text[]) AS c(full_code)) c
         CROSS JOIN LATERAL (
             SELECT * FROM customer.units w WHERE w.estate_id = $1 AND w.full_code COLLATE \"C\" = c.full_code OFFSET 0) u
         JOIN customer.buildings b ON b.id = u.building_id
         LEFT JOIN customer.entrances n ON n.id = u.entrance_id",
        estate.as_uuid(),
        &full_codes,
    )
    .fetch_all(&mut *tx)
    .await
    .store()?;
    for unit in units {
        let unit = unit.into_unit()?;
        register.units.insert(unit.full_code(), unit);
    }
    let unit_ids: Vec<Uuid> = register.units.values().map(|unit| unit.id.as_uuid()).collect();
    let tenures = sqlx::query_as!(
        TenureRow,
        "SELECT id, estate_id, unit_id, customer_id, role, from_date, to_date, source, row_version, create_time, update_time
           FROM customer.tenures WHERE unit_id = ANY ($1)
           -- unscoped: the units were read by the import's own estate",
        &unit_ids,
    )
    .fetch_all(tx)
    .await
    .store()?;
    register.tenures = tenures.into_iter().map(TenureRow::into_tenure).collect::<Result<_>>()?;
    Ok(())
}

async fn read_people(
    tx: &mut PgConnection,
    vault: &Vault,
    rows: &[&RegisterRow],
    register: &mut Register,
) -> Result<HashMap<CustomerId, Vec<u8>>> {
    let facts = || rows.iter().filter_map(|row| row.customer.as_ref());
    let phones: Vec<Vec<u8>> = facts().filter_map(|facts| facts.phone.as_ref()).map(|phone| vault.phone_index(phone.expose())).collect();
    let numbers: Vec<Vec<u8>> =
        facts().filter_map(|facts| facts.id_number.as_ref()).map(|number| vault.id_number_index(number.expose())).collect();
    let organisations: Vec<Vec<u8>> =
        facts().filter(|facts| facts.kind == CustomerKind::Organisation).map(|facts| vault.name_index(facts.name.expose())).collect();
    let tenants: Vec<Uuid> = register.tenures.iter().map(|tenure| tenure.customer_id.as_uuid()).collect();
    // One index for each way to be found; OR over them would read the whole table.
    let found = select_customers!(
        "FROM customer.customers c
         WHERE c.group_id = $1 AND c.id = ANY (ARRAY(
               SELECT p.id FROM customer.customers p WHERE p.phone_index = ANY ($2)
         UNION SELECT i.id FROM customer.customers i WHERE i.group_id = $1 AND i.id_number_index = ANY ($3)
         UNION SELECT o.id FROM customer.customers o WHERE o.group_id = $1 AND o.kind = 'organisation' AND o.name_index = ANY ($4)
         UNION SELECT t.id FROM unnest($5::uuid[]) AS t(id)))
         ORDER BY c.id
         -- unscoped: a customer is one in the whole group; an import must find who lives in another estate already",
        register.group_id.as_uuid(),
        &phones,
        &numbers,
        &organisations,
        &tenants,
    )
    .fetch_all(tx)
    .await
    .store()?;
    let mut keys = HashMap::new();
    for row in found {
        let StoredCustomer { customer, data_key } = row.open(vault)?;
        if let Some(data_key) = data_key {
            keys.insert(customer.id, data_key);
        }
        register.customers.push(customer);
    }
    Ok(keys)
}
