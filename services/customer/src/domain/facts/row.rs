//! The row of facts, and which column keeps which field.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId, UnitId};
use steward_kit::predicate::{Catalogue, Compiled, Fact, Facts};
use uuid::Uuid;

/// The member of a household without members.
pub const NOBODY: Uuid = Uuid::nil();

/// A row of `customer.household_facts`; fields are its columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "a field is the column of that name; the migration and the catalogue say what it means")]
pub struct FactRow {
    pub household_id: HouseholdId,
    pub customer_id: Uuid,
    pub estate_id: EstateId,
    pub unit_id: UnitId,
    pub is_main: bool,
    pub occupancy: Option<&'static str>,
    pub occupancy_date: Option<Date>,
    pub delivered_date: Option<Date>,
    pub is_delivered: bool,
    pub moved_in_date: Option<Date>,
    pub is_renovating: bool,
    pub renovation_start_date: Option<Date>,
    pub renovation_end_date: Option<Date>,
    pub has_major_complaint: bool,
    pub major_complaint_date: Option<Date>,
    pub member_count: usize,
    pub has_owner: bool,
    pub is_reachable: bool,
    pub eldest_age: Option<i32>,
    pub youngest_age: Option<i32>,
    pub household_tags: Vec<String>,
    pub unit_kind: &'static str,
    pub building_code: String,
    pub entrance_code: Option<String>,
    pub floor: Option<i32>,
    pub area_square_metres: Option<f64>,
    pub tenure_role: Option<&'static str>,
    pub tenure_from_date: Option<Date>,
    pub party: Option<&'static str>,
    pub customer_kind: Option<&'static str>,
    pub journey_stage: Option<&'static str>,
    pub journey_node: Option<&'static str>,
    pub age: Option<i32>,
    pub age_band: Option<&'static str>,
    pub family_structure: Option<String>,
    pub occupation: Option<String>,
    pub is_company_owner: Option<bool>,
    pub has_opted_out_of_profiling: Option<bool>,
    pub tier: Option<String>,
    pub contact_mode: Option<&'static str>,
    pub do_not_disturb: Option<bool>,
    pub preferred_language: Option<&'static str>,
    pub tags: Vec<String>,
    pub service_use: BTreeMap<String, i64>,
}

impl FactRow {
    /// The member; `None` in the row of a household without members.
    pub fn member(&self) -> Option<CustomerId> {
        (self.customer_id != NOBODY).then(|| self.customer_id.into())
    }
}

/// A tag's rule at work.
#[derive(Debug, Clone)]
pub struct TagRule {
    /// The tag.
    pub id: Uuid,
    /// Its code.
    pub code: String,
    /// The version of its rule.
    pub version: i32,
    /// The rule.
    pub rule: Compiled,
}

/// Fields and the columns that keep them. `service.*` is in `service_use`.
const COLUMNS: [(&str, &str); 38] = [
    ("household.occupancy", "f.occupancy"),
    ("household.occupancy_date", "f.occupancy_date"),
    ("household.delivered_date", "f.delivered_date"),
    ("household.is_delivered", "f.is_delivered"),
    ("household.moved_in_date", "f.moved_in_date"),
    ("household.is_renovating", "f.is_renovating"),
    ("household.renovation_start_date", "f.renovation_start_date"),
    ("household.renovation_end_date", "f.renovation_end_date"),
    ("household.has_major_complaint", "f.has_major_complaint"),
    ("household.major_complaint_date", "f.major_complaint_date"),
    ("household.member_count", "f.member_count"),
    ("household.has_owner", "f.has_owner"),
    ("household.is_reachable", "f.is_reachable"),
    ("household.eldest_age", "f.eldest_age"),
    ("household.youngest_age", "f.youngest_age"),
    ("household.tag", "f.household_tags"),
    ("unit.kind", "f.unit_kind"),
    ("unit.building_code", "f.building_code"),
    ("unit.entrance_code", "f.entrance_code"),
    ("unit.floor", "f.floor"),
    ("unit.area_square_metres", "f.area_square_metres"),
    ("tenure.role", "f.tenure_role"),
    ("tenure.from_date", "f.tenure_from_date"),
    ("customer.party", "f.party"),
    ("customer.kind", "f.customer_kind"),
    ("customer.journey_stage", "f.journey_stage"),
    ("customer.journey_node", "f.journey_node"),
    ("customer.age", "f.age"),
    ("customer.age_band", "f.age_band"),
    ("customer.family_structure", "f.family_structure"),
    ("customer.occupation", "f.occupation"),
    ("customer.is_company_owner", "f.is_company_owner"),
    ("customer.has_opted_out_of_profiling", "f.has_opted_out_of_profiling"),
    ("customer.tier", "f.tier"),
    ("customer.contact_mode", "f.contact_mode"),
    ("customer.do_not_disturb", "f.do_not_disturb"),
    ("customer.preferred_language", "f.preferred_language"),
    ("tag", "f.tags"),
];

/// The column of `customer.household_facts f` that keeps a field.
pub fn column(field: &str) -> Option<&'static str> {
    COLUMNS.iter().find(|(known, _)| *known == field).map(|(_, column)| *column)
}

/// The key in `service_use` of a field `service.<code>_use_<days>d`.
pub fn service_key(field: &str) -> Option<String> {
    let (code, window) = field.strip_prefix("service.")?.rsplit_once("_use_")?;
    Some(format!("{code}_{window}"))
}

/// Fields whose column differs between two rows.
pub fn changed_fields(before: &Value, after: &Value) -> Vec<&'static str> {
    let differs = |column: &str| !same(&before[column], &after[column]);
    let mut fields: Vec<&'static str> =
        COLUMNS.iter().filter(|(_, column)| differs(column.trim_start_matches("f."))).map(|(field, _)| *field).collect();
    if differs("service_use") {
        fields.push("service");
    }
    if differs("is_main") {
        fields.push("household.main_contact");
    }
    fields
}

/// Postgres writes 90.0 as 90.
fn same(before: &Value, after: &Value) -> bool {
    match (before.as_f64(), after.as_f64()) {
        (Some(before), Some(after)) => before.total_cmp(&after).is_eq(),
        (Some(_) | None, _) => before == after,
    }
}

/// A row of facts, read as JSON.
#[derive(Debug, Clone)]
pub struct RowFacts(pub Value);

impl Facts for RowFacts {
    fn fact(&self, field: &str) -> Option<Fact> {
        if let Some(key) = service_key(field) {
            return Some(Fact::Integer(self.0["service_use"][key].as_i64().unwrap_or(0)));
        }
        let column = column(field)?.trim_start_matches("f.");
        let fact_type = Catalogue::household().get(field)?.fact_type;
        steward_kit_store::predicate::fact_of_json(fact_type, &self.0[column])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_catalogue_has_a_column() {
        let without: Vec<_> =
            Catalogue::household().fields().map(|field| field.name.to_string()).filter(|name| column(name).is_none()).collect();
        assert_eq!(without, Vec::<String>::new());
        assert_eq!(Catalogue::household().fields().count(), COLUMNS.len());
        assert_eq!(service_key("service.parcel_use_30d").as_deref(), Some("parcel_30d"));
    }
}
