//! What facts are derived from, for a batch of households, in three reads.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::word;
use crate::domain::customer::{ContactMode, CustomerKind, Language};
use crate::domain::facts::{HouseholdSource, MemberSource, NOBODY, RenovationSource, UnitSource, UsageSource};
use crate::domain::premises::{Occupancy, PremisesType};
use crate::domain::tenure::TenureRole;
use crate::domain::vault::Vault;

/// Households with everything that their facts come from, as of a local day.
pub(crate) async fn read_sources(
    tx: &mut PgConnection,
    vault: &Vault,
    households: &[Uuid],
    zone: &str,
    today: Date,
) -> Result<Vec<HouseholdSource>> {
    let mut members = read_members(tx, vault, households, today).await?;
    let mut usages = read_usages(tx, households, today).await?;
    let rows = sqlx::query!(
        r#"SELECT u.household_id, u.id, u.estate_id, u.premises_type, b.code AS building_code, n.code AS "entrance_code?", u.floor,
                  u.area_square_metres, u.delivery_date AS "delivery_date?", u.occupancy, p.from_date AS "occupancy_date?",
                  (SELECT min(i.day) FROM (
                          SELECT m.from_date AS day FROM customer.occupancy_periods m
                           WHERE m.unit_id = u.id AND m.occupancy IN ('occupied', 'leased')
                           UNION ALL SELECT k.on_date FROM customer.key_dates k WHERE k.unit_id = u.id AND k.kind = 'move_in') i)
                      AS "moved_in_date?: jiff_sqlx::Date",
                  r.state AS "renovation_state?", coalesce(r.start_date, r.planned_from_date) AS "renovation_start?: jiff_sqlx::Date",
                  coalesce(r.finish_date, r.planned_to_date) AS "renovation_end?: jiff_sqlx::Date",
                  (SELECT max((c.flag_time AT TIME ZONE $2)::date) FROM customer.major_complaints c
                    WHERE c.household_id = u.household_id AND c.clear_time IS NULL) AS "major_complaint_date?: jiff_sqlx::Date"
             FROM customer.units u
             JOIN customer.buildings b ON b.id = u.building_id
             LEFT JOIN customer.entrances n ON n.id = u.entrance_id
             LEFT JOIN customer.occupancy_periods p ON p.unit_id = u.id AND p.to_date IS NULL
             LEFT JOIN LATERAL (
                  SELECT v.* FROM customer.renovations v WHERE v.unit_id = u.id AND v.state <> 'cancelled'
                   ORDER BY v.id DESC LIMIT 1) r ON true
            WHERE u.household_id = ANY ($1)
            ORDER BY u.household_id
            -- unscoped: facts are derived for every estate; readers look at theirs"#,
        households,
        zone,
    )
    .fetch_all(tx)
    .await
    .store()?;
    let sources = rows.into_iter().map(|row| {
        let date = |date: Option<jiff_sqlx::Date>| date.map(jiff_sqlx::Date::to_jiff);
        let renovation = date(row.renovation_start).zip(date(row.renovation_end)).map(|(start_date, end_date)| RenovationSource {
            is_active: row.renovation_state.as_deref() == Some("active"),
            start_date,
            end_date,
        });
        Ok(HouseholdSource {
            id: row.household_id.into(),
            estate_id: row.estate_id.into(),
            unit_id: row.id.into(),
            unit: UnitSource {
                premises_type: word(&row.premises_type, PremisesType::parse)?,
                building_code: row.building_code,
                entrance_code: row.entrance_code,
                floor: row.floor,
                area_square_metres: row.area_square_metres,
                delivery_date: date(row.delivery_date),
                occupancy: word(&row.occupancy, Occupancy::parse)?,
            },
            occupancy_date: date(row.occupancy_date),
            moved_in_date: date(row.moved_in_date),
            renovation,
            major_complaint_date: date(row.major_complaint_date),
            members: members.remove(&row.household_id).unwrap_or_default(),
            usages: usages.remove(&row.household_id).unwrap_or_default(),
        })
    });
    sources.collect()
}

async fn read_members(tx: &mut PgConnection, vault: &Vault, households: &[Uuid], today: Date) -> Result<HashMap<Uuid, Vec<MemberSource>>> {
    let rows = sqlx::query!(
        r#"SELECT u.household_id, t.customer_id, t.role, t.from_date, c.kind, c.data_key, c.preferred_language, c.contact_mode,
                  c.do_not_disturb,
                  ((c.phone IS NOT NULL AND c.phone_state <> 'invalid') OR (c.email IS NOT NULL AND c.email_state <> 'invalid'))
                      AS "is_reachable!",
                  k.id AS "birthday_id?", k.sealed AS "birthday?",
                  s.on_date AS "subscription_date?", g.on_date AS "signing_date?",
                  (SELECT jsonb_object_agg(a.code, a.value) FROM customer.customer_attributes a WHERE a.customer_id = c.id)
                      AS "attributes?: sqlx::types::Json<BTreeMap<String, String>>"
             FROM customer.units u
             JOIN customer.tenures t ON t.unit_id = u.id
             JOIN customer.customers c ON c.id = t.customer_id
             LEFT JOIN customer.key_dates k ON k.customer_id = c.id AND k.kind = 'birthday'
             LEFT JOIN customer.key_dates s ON s.customer_id = c.id AND s.unit_id = u.id AND s.kind = 'subscription'
             LEFT JOIN customer.key_dates g ON g.customer_id = c.id AND g.unit_id = u.id AND g.kind = 'signing'
            WHERE u.household_id = ANY ($1) AND $2 BETWEEN t.from_date AND coalesce(t.to_date, 'infinity')
            ORDER BY u.household_id, t.customer_id, t.from_date
            -- unscoped: facts are derived for every estate; readers look at theirs"#,
        households,
        today.to_sqlx() as jiff_sqlx::Date,
    )
    .fetch_all(tx)
    .await
    .store()?;
    let mut members: HashMap<Uuid, Vec<MemberSource>> = HashMap::new();
    for row in rows {
        let role = word(&row.role, TenureRole::parse)?;
        let household = members.entry(row.household_id).or_default();
        // Somebody with several roles is one member, by the strongest of them.
        if let Some(known) = household.iter_mut().find(|known| known.customer_id.as_uuid() == row.customer_id) {
            if role < known.role {
                (known.role, known.from_date) = (role, row.from_date.to_jiff());
            }
            continue;
        }
        let birth_date = match (row.birthday_id, row.birthday.as_deref(), row.data_key.as_deref()) {
            (Some(id), Some(sealed), Some(key)) => vault.open_date(row.customer_id.into(), key, id, sealed)?,
            (_, _, _) => None,
        };
        household.push(MemberSource {
            customer_id: row.customer_id.into(),
            role,
            from_date: row.from_date.to_jiff(),
            party: word(&row.kind, CustomerKind::parse)?,
            is_reachable: row.is_reachable,
            language: word(&row.preferred_language, Language::parse)?,
            contact_mode: word(&row.contact_mode, ContactMode::parse)?,
            do_not_disturb: row.do_not_disturb,
            birth_date,
            subscription_date: row.subscription_date.map(jiff_sqlx::Date::to_jiff),
            signing_date: row.signing_date.map(jiff_sqlx::Date::to_jiff),
            attributes: row.attributes.map(|json| json.0).unwrap_or_default(),
        });
    }
    Ok(members)
}

async fn read_usages(tx: &mut PgConnection, households: &[Uuid], today: Date) -> Result<HashMap<Uuid, Vec<UsageSource>>> {
    let rows = sqlx::query!(
        "SELECT s.household_id, s.customer_id, s.service_code, s.use_date, s.use_count FROM customer.service_usages s
          WHERE s.household_id = ANY ($1) AND s.use_date BETWEEN $2::date - 365 AND $2
          -- unscoped: facts are derived for every estate; readers look at theirs",
        households,
        today.to_sqlx() as jiff_sqlx::Date,
    )
    .fetch_all(tx)
    .await
    .store()?;
    let mut usages: HashMap<Uuid, Vec<UsageSource>> = HashMap::new();
    for row in rows {
        usages.entry(row.household_id).or_default().push(UsageSource {
            customer_id: (row.customer_id != NOBODY).then(|| row.customer_id.into()),
            service_code: row.service_code,
            use_date: row.use_date.to_jiff(),
            use_count: row.use_count.into(),
        });
    }
    Ok(usages)
}
