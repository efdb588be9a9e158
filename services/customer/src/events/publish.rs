//! Facts that leave: ids, times and codes, never personal data.

use jiff::Timestamp;
use steward_kit::proto::to_date;
use steward_kit_store::NewEvent;
use steward_proto::customer::v1 as pb;

use crate::contract::Code;
use crate::domain::customer::{Contactability, Customer, ErasureBasis};
use crate::domain::estate::Estate;
use crate::domain::estate_import::EstateImport;
use crate::domain::facts::HouseholdSource;
use crate::domain::tenure::Tenure;
use crate::domain::unit::Unit;

pub(crate) fn estate_registered(estate: &Estate, now: Timestamp) -> NewEvent {
    let fact = pb::EstateRegistered {
        estate_id: estate.id.to_string(),
        group_id: estate.group_id.to_string(),
        region_id: estate.region_id.to_string(),
        name: estate.name.clone(),
        code: estate.code.clone(),
        city_code: estate.city_code.clone(),
        time_zone: estate.time_zone.clone(),
        premises_type: estate.premises_type.number(),
    };
    NewEvent::new(estate.id, estate.id, now, &fact)
}

pub(crate) fn estate_updated(estate: &Estate, now: Timestamp) -> NewEvent {
    let fact = pb::EstateUpdated {
        estate_id: estate.id.to_string(),
        group_id: estate.group_id.to_string(),
        region_id: estate.region_id.to_string(),
        name: estate.name.clone(),
        code: estate.code.clone(),
        city_code: estate.city_code.clone(),
        time_zone: estate.time_zone.clone(),
        premises_type: estate.premises_type.number(),
    };
    NewEvent::new(estate.id, estate.id, now, &fact)
}

pub(crate) fn unit_created(unit: &Unit, now: Timestamp) -> NewEvent {
    let fact = pb::UnitCreated { estate_id: unit.estate_id.to_string(), unit: Some(unit_fact(unit)) };
    NewEvent::new(unit.estate_id, unit.estate_id, now, &fact)
}

pub(crate) fn unit_updated(unit: &Unit, now: Timestamp) -> NewEvent {
    let fact = pb::UnitUpdated { estate_id: unit.estate_id.to_string(), unit: Some(unit_fact(unit)) };
    NewEvent::new(unit.estate_id, unit.estate_id, now, &fact)
}

/// At most 500 units in one event: a batch of an import has no more rows.
pub(crate) fn units_imported<'a>(import: &EstateImport, units: impl Iterator<Item = &'a Unit>, now: Timestamp) -> NewEvent {
    let fact = pb::UnitsImported {
        import_id: import.id.to_string(),
        estate_id: import.estate_id.to_string(),
        units: units.map(unit_fact).collect(),
    };
    NewEvent::new(import.estate_id, import.estate_id, now, &fact)
}

fn unit_fact(unit: &Unit) -> pb::UnitFact {
    pb::UnitFact {
        unit_id: unit.id.to_string(),
        building_code: unit.building_code.clone(),
        entrance_code: unit.entrance_code.clone(),
        unit_code: unit.code.clone(),
        premises_type: unit.premises_type.number(),
        occupancy: unit.occupancy.number(),
        delivery_date: Some(unit.delivery_date.map(to_date).unwrap_or_default()),
    }
}

pub(crate) fn customer_created(customer: &Customer, now: Timestamp) -> NewEvent {
    let fact = pb::CustomerCreated {
        customer_id: customer.id.to_string(),
        kind: customer.kind.number(),
        home_estate_id: customer.home_estate_id.to_string(),
        preferred_language: customer.language.as_str().to_owned(),
        contactability: Some(contactability(customer.contactability)),
    };
    NewEvent::new(customer.id, customer.home_estate_id, now, &fact)
}

pub(crate) fn customer_updated(customer: &Customer, changed_fields: &[&str], now: Timestamp) -> NewEvent {
    let fact = pb::CustomerUpdated {
        customer_id: customer.id.to_string(),
        kind: customer.kind.number(),
        home_estate_id: customer.home_estate_id.to_string(),
        preferred_language: customer.language.as_str().to_owned(),
        contactability: Some(contactability(customer.contactability)),
        changed_fields: changed_fields.iter().map(|field| (*field).to_owned()).collect(),
    };
    NewEvent::new(customer.id, customer.home_estate_id, now, &fact)
}

pub(crate) fn customer_erased(customer: &Customer, basis: ErasureBasis, now: Timestamp) -> NewEvent {
    let fact = pb::CustomerErased {
        customer_id: customer.id.to_string(),
        kind: customer.kind.number(),
        home_estate_id: customer.home_estate_id.to_string(),
        basis: basis.number(),
    };
    NewEvent::new(customer.id, customer.home_estate_id, now, &fact)
}

/// Contactability as messages show it.
pub(crate) fn contactability(contactability: Contactability) -> pb::Contactability {
    pb::Contactability {
        phone_state: contactability.phone_state.number(),
        email_state: contactability.email_state.number(),
        do_not_disturb: contactability.do_not_disturb,
        contact_mode: contactability.contact_mode.number(),
    }
}

pub(crate) fn tenure_started(tenure: &Tenure, now: Timestamp) -> NewEvent {
    let fact = pb::TenureStarted {
        tenure_id: tenure.id.to_string(),
        estate_id: tenure.estate_id.to_string(),
        unit_id: tenure.unit_id.to_string(),
        customer_id: tenure.customer_id.to_string(),
        role: tenure.role.number(),
        from_date: to_date(tenure.from_date),
        to_date: tenure.to_date.map(to_date).unwrap_or_default(),
    };
    NewEvent::new(tenure.customer_id, tenure.estate_id, now, &fact)
}

pub(crate) fn tenure_ended(tenure: &Tenure, now: Timestamp) -> NewEvent {
    let fact = pb::TenureEnded {
        tenure_id: tenure.id.to_string(),
        estate_id: tenure.estate_id.to_string(),
        unit_id: tenure.unit_id.to_string(),
        customer_id: tenure.customer_id.to_string(),
        role: tenure.role.number(),
        to_date: tenure.to_date.map(to_date).unwrap_or_default(),
    };
    NewEvent::new(tenure.customer_id, tenure.estate_id, now, &fact)
}

pub(crate) fn import_applied(import: &EstateImport, now: Timestamp) -> NewEvent {
    let progress = import.progress;
    let fact = pb::ImportApplied {
        import_id: import.id.to_string(),
        estate_id: import.estate_id.to_string(),
        create_count: progress.create_count,
        update_count: progress.update_count,
        unchanged_count: progress.unchanged_count,
        refused_count: progress.refused_count,
    };
    NewEvent::new(import.estate_id, import.estate_id, now, &fact)
}

pub(crate) fn household_facts_changed<'a>(
    household: &HouseholdSource,
    fields: impl IntoIterator<Item = &'a str>,
    now: Timestamp,
) -> NewEvent {
    let fact = pb::HouseholdFactsChanged {
        household_id: household.id.to_string(),
        unit_id: household.unit_id.to_string(),
        estate_id: household.estate_id.to_string(),
        fields: fields.into_iter().map(str::to_owned).collect(),
    };
    NewEvent::new(household.id, household.estate_id, now, &fact)
}
