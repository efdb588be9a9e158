//! Buildings and entrances, and the tree that they make.

use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::word;
use crate::domain::ids::{BuildingId, EntranceId};
use crate::domain::premises::PremisesType;
use crate::domain::unit::{Building, Entrance};

/// Where a new entrance or unit goes.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) estate_id: EstateId,
    pub(crate) estate_premises_type: PremisesType,
    pub(crate) building_code: String,
    /// The entrance's code; `None` when the building has no such entrance.
    pub(crate) entrance_code: Option<String>,
}

/// A building of the tree, with the units that no entrance leads to counted in.
#[derive(Debug)]
pub(crate) struct BuildingNode {
    pub(crate) building: Building,
    pub(crate) entrances: Vec<(Entrance, i32)>,
    pub(crate) unit_count: i32,
}

/// Writes a new building and its effects.
pub(crate) async fn insert_building(pool: &PgPool, estate: ScopedEstate, building: &Building, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH created AS (
               INSERT INTO customer.buildings (id, estate_id, code, name, floor_count, create_time)
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING id)
           SELECT (SELECT count(*) FROM created) AS "written!",
                  (SELECT customer.write_effects($7) FROM created)::text AS effects"#,
        building.id.as_uuid(),
        estate.as_uuid(),
        building.code,
        building.name,
        building.floor_count,
        building.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// Writes a new entrance and its effects.
pub(crate) async fn insert_entrance(pool: &PgPool, entrance: &Entrance, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH created AS (
               INSERT INTO customer.entrances (id, estate_id, building_id, code, create_time)
               VALUES ($1, $2, $3, $4, $5) RETURNING id)
           SELECT (SELECT count(*) FROM created) AS "written!",
                  (SELECT customer.write_effects($6) FROM created)::text AS effects"#,
        entrance.id.as_uuid(),
        entrance.estate_id.as_uuid(),
        entrance.building_id.as_uuid(),
        entrance.code,
        entrance.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// The building of the scope, with one of its entrances.
pub(crate) async fn find_place(pool: &PgPool, scope: &Scope, building: BuildingId, entrance: Option<EntranceId>) -> Result<Option<Place>> {
    let row = sqlx::query!(
        r#"SELECT b.estate_id, e.premises_type, b.code, n.code AS "entrance_code?"
             FROM customer.buildings b
             JOIN customer.estates e ON e.id = b.estate_id
             LEFT JOIN customer.entrances n ON n.building_id = b.id AND n.id = $3
            WHERE b.id = $1 AND ($2::uuid[] IS NULL OR b.estate_id = ANY ($2))"#,
        building.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
        entrance.map(EntranceId::as_uuid),
    )
    .fetch_optional(pool)
    .await
    .store()?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Place {
        estate_id: row.estate_id.into(),
        estate_premises_type: word(&row.premises_type, PremisesType::parse)?,
        building_code: row.code,
        entrance_code: row.entrance_code,
    }))
}

/// The buildings and entrances of an estate, with their numbers of units.
pub(crate) async fn read_tree(pool: &PgPool, estate: ScopedEstate) -> Result<Vec<BuildingNode>> {
    let buildings = sqlx::query!(
        r#"SELECT b.id, b.estate_id, b.code, b.name, b.floor_count, b.create_time,
                  (SELECT count(*) FROM customer.units u WHERE u.building_id = b.id)::integer AS "unit_count!"
             FROM customer.buildings b WHERE b.estate_id = $1 ORDER BY length(b.code), b.code COLLATE "C""#,
        estate.as_uuid(),
    )
    .fetch_all(pool)
    .await
    .store()?;
    let entrances = sqlx::query!(
        r#"SELECT n.id, n.estate_id, n.building_id, n.code, n.create_time,
                  (SELECT count(*) FROM customer.units u WHERE u.building_id = n.building_id AND u.entrance_id = n.id)::integer
                      AS "unit_count!"
             FROM customer.entrances n WHERE n.building_id = ANY ($1) ORDER BY length(n.code), n.code COLLATE "C"
             -- unscoped: the building was loaded through its scope"#,
        &buildings.iter().map(|building| building.id).collect::<Vec<_>>(),
    )
    .fetch_all(pool)
    .await
    .store()?;
    let mut nodes: Vec<BuildingNode> = buildings
        .into_iter()
        .map(|row| BuildingNode {
            unit_count: row.unit_count,
            entrances: Vec::new(),
            building: Building {
                id: row.id.into(),
                estate_id: row.estate_id.into(),
                code: row.code,
                name: row.name,
                floor_count: row.floor_count,
                create_time: row.create_time.to_jiff(),
            },
        })
        .collect();
    for row in entrances {
        let building_id: BuildingId = row.building_id.into();
        let entrance = Entrance {
            id: row.id.into(),
            estate_id: row.estate_id.into(),
            building_id,
            code: row.code,
            create_time: row.create_time.to_jiff(),
        };
        if let Some(node) = nodes.iter_mut().find(|node| node.building.id == building_id) {
            node.entrances.push((entrance, row.unit_count));
        }
    }
    Ok(nodes)
}
