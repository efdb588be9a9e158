//! What applying a row would do to the register.

use jiff::Timestamp;
use steward_kit::ids::{CustomerId, HouseholdId, UnitId};

use super::RowAction;
use super::register::Register;
use crate::domain::customer::{AddressState, ContactMode, Contactability, Customer, CustomerChange, DataSource, Language, Personal};
use crate::domain::ids::{BuildingId, EntranceId, TenureId};
use crate::domain::premises::Occupancy;
use crate::domain::register_file::{CustomerFacts, Problem, ProblemReason, RegisterRow, UnitFacts};
use crate::domain::tenure::{Tenure, TenureRole, TenureSource, overlaps};
use crate::domain::unit::{Building, Entrance, Unit, UnitChange};

/// The verdict on one row.
#[derive(Debug)]
pub enum Judgement {
    /// The row is good; this is what it does.
    Good(Box<Steps>),
    /// The register forbids it.
    Refused(Problem),
}

/// What a good row does, in the order in which it is written.
#[derive(Debug)]
pub struct Steps {
    /// A building that is new with it.
    pub building: Option<Building>,
    /// An entrance that is new with it.
    pub entrance: Option<Entrance>,
    /// The unit.
    pub unit: UnitStep,
    /// The customer, if the row names one.
    pub customer: Option<CustomerStep>,
    /// The tenure, if the row names a customer.
    pub tenure: Option<TenureStep>,
}

/// What becomes of a unit.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum UnitStep {
    Create(Unit),
    Update(Unit),
    Keep(UnitId),
}

/// What becomes of a customer.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one for each row of a batch, moved once")]
#[allow(missing_docs, reason = "the names say it")]
pub enum CustomerStep {
    Create(Customer),
    /// The customer before and after, and the names of the fields that change.
    Update {
        old: Customer,
        new: Customer,
        fields: Vec<&'static str>,
    },
    Keep(CustomerId),
}

/// What becomes of a tenure.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum TenureStep {
    Create(Tenure),
    Update(Tenure),
    Keep(TenureId),
}

impl Steps {
    /// The row's verdict in one word.
    pub fn action(&self) -> RowAction {
        let creates = matches!(self.unit, UnitStep::Create(_))
            || matches!(self.customer, Some(CustomerStep::Create(_)))
            || matches!(self.tenure, Some(TenureStep::Create(_)));
        let updates = matches!(self.unit, UnitStep::Update(_))
            || matches!(self.customer, Some(CustomerStep::Update { .. }))
            || matches!(self.tenure, Some(TenureStep::Update(_)));
        match (creates, updates) {
            (true, _) => RowAction::Create,
            (false, true) => RowAction::Update,
            (false, false) => RowAction::Unchanged,
        }
    }

    /// The unit it is about.
    pub fn unit_id(&self) -> UnitId {
        match &self.unit {
            UnitStep::Create(unit) | UnitStep::Update(unit) => unit.id,
            UnitStep::Keep(id) => *id,
        }
    }

    /// The customer it is about.
    pub fn customer_id(&self) -> Option<CustomerId> {
        self.customer.as_ref().map(|step| match step {
            CustomerStep::Create(customer) => customer.id,
            CustomerStep::Update { new, .. } => new.id,
            CustomerStep::Keep(id) => *id,
        })
    }
}

/// Judges a row against the register, and notes in the register what the row adds, so that the next row of the batch
/// finds it. New customers get number 0: numbers are given out when they are written.
pub fn judge(register: &mut Register, line: u32, row: &RegisterRow, now: Timestamp) -> Judgement {
    let full_code = row.unit.full_code();
    let known_customer = row.customer.as_ref().and_then(|facts| register.customer_of(&full_code, facts)).cloned();
    if let Some(facts) = &row.customer
        && let Some(problem) = owner_conflict(register, line, &full_code, facts, known_customer.as_ref().map(|known| known.id))
    {
        return Judgement::Refused(problem);
    }
    let (building, entrance, unit) = place(register, &row.unit, now);
    let unit_id = match &unit {
        UnitStep::Create(unit) | UnitStep::Update(unit) => unit.id,
        UnitStep::Keep(id) => *id,
    };
    let (customer, tenure) = match &row.customer {
        None => (None, None),
        Some(facts) => {
            let step = settle(register, facts, known_customer, now);
            let customer_id = match &step {
                CustomerStep::Create(customer) => customer.id,
                CustomerStep::Update { new, .. } => new.id,
                CustomerStep::Keep(id) => *id,
            };
            (Some(step), Some(bind(register, unit_id, customer_id, facts, now)))
        }
    };
    Judgement::Good(Box::new(Steps { building, entrance, unit, customer, tenure }))
}

/// The unit has another sole owner on one of the days.
fn owner_conflict(register: &Register, line: u32, full_code: &str, facts: &CustomerFacts, customer: Option<CustomerId>) -> Option<Problem> {
    let unit = register.units.get(full_code).filter(|_| facts.role == TenureRole::Owner)?;
    let days = (facts.first_date, facts.to_date);
    let other = |tenure: &&Tenure| {
        tenure.unit_id == unit.id
            && tenure.role == TenureRole::Owner
            && Some(tenure.customer_id) != customer
            && overlaps((tenure.from_date, tenure.to_date), days)
    };
    register.tenures.iter().find(other)?;
    let description = "the unit has another sole owner on one of the days: end that tenure first, or use co_owner";
    Some(Problem::of_row(line, ProblemReason::OwnerExists, description))
}

fn place(register: &mut Register, facts: &UnitFacts, now: Timestamp) -> (Option<Building>, Option<Entrance>, UnitStep) {
    let estate_id = register.estate_id;
    let mut building = None;
    let building_id = *register.buildings.entry(facts.building.clone()).or_insert_with(|| {
        let (id, code) = (BuildingId::new(), facts.building.clone());
        building = Some(Building { id, estate_id, name: code.clone(), code, floor_count: 0, create_time: now });
        id
    });
    let mut entrance = None;
    let entrance_id = (!facts.entrance.is_empty()).then(|| {
        *register.entrances.entry((building_id, facts.entrance.clone())).or_insert_with(|| {
            let (id, code) = (EntranceId::new(), facts.entrance.clone());
            entrance = Some(Entrance { id, estate_id, building_id, code, create_time: now });
            id
        })
    });
    let full_code = facts.full_code();
    let step = match register.units.get(&full_code) {
        Some(known) => match unit_change(known, facts) {
            Some(change) => UnitStep::Update(known.changed(change, now)),
            None => UnitStep::Keep(known.id),
        },
        None => UnitStep::Create(Unit {
            id: UnitId::new(),
            estate_id,
            building_id,
            entrance_id,
            household_id: HouseholdId::new(),
            building_code: facts.building.clone(),
            entrance_code: facts.entrance.clone(),
            code: facts.unit.clone(),
            floor: facts.floor,
            premises_type: facts.premises_type.unwrap_or(register.premises_type),
            area_square_metres: facts.area_square_metres.unwrap_or(0.0),
            delivery_date: facts.delivery_date,
            occupancy: facts.occupancy.unwrap_or(Occupancy::Unspecified),
            row_version: 1,
            create_time: now,
            update_time: now,
        }),
    };
    if let UnitStep::Create(unit) | UnitStep::Update(unit) = &step {
        register.units.insert(full_code, unit.clone());
    }
    (building, entrance, step)
}

/// What the facts say that is not recorded so; what they do not say stays.
fn unit_change(known: &Unit, facts: &UnitFacts) -> Option<UnitChange> {
    let change = UnitChange {
        floor: facts.floor.filter(|floor| known.floor != Some(*floor)).map(Some),
        premises_type: facts.premises_type.filter(|premises| known.premises_type != *premises),
        area_square_metres: facts.area_square_metres.filter(|area| (known.area_square_metres - area).abs() > 1e-9),
        delivery_date: facts.delivery_date.filter(|date| known.delivery_date != Some(*date)).map(Some),
        occupancy: facts.occupancy.filter(|occupancy| known.occupancy != *occupancy),
    };
    (change != UnitChange::default()).then_some(change)
}

fn settle(register: &mut Register, facts: &CustomerFacts, known: Option<Customer>, now: Timestamp) -> CustomerStep {
    let Some(old) = known else {
        let customer = Customer {
            id: CustomerId::new(),
            number: 0,
            kind: facts.kind,
            group_id: register.group_id,
            home_estate_id: register.estate_id,
            personal: Personal {
                name: facts.name.clone(),
                phone: facts.phone.clone(),
                email: facts.email.clone(),
                id_number: facts.id_number.clone(),
                address: None,
            },
            language: facts.language.unwrap_or(Language::Chinese),
            contactability: Contactability {
                phone_state: AddressState::Unknown,
                email_state: AddressState::Unknown,
                do_not_disturb: false,
                contact_mode: ContactMode::Unspecified,
            },
            source: DataSource::Import,
            row_version: 1,
            create_time: now,
            update_time: now,
            erase_time: None,
        };
        register.customers.push(customer.clone());
        return CustomerStep::Create(customer);
    };
    let (mut new, fields) = old.changed(
        CustomerChange {
            name: Some(facts.name.clone()),
            email: facts.email.clone().map(Some),
            id_number: facts.id_number.clone().map(Some),
            language: facts.language,
            ..CustomerChange::default()
        },
        now,
    );
    if let Some(phone) = &facts.phone
        && old.personal.phone.as_ref() != Some(phone)
    {
        new.personal.phone = Some(phone.clone());
        new.contactability.phone_state = AddressState::Unknown;
        return update(register, old, new, [fields, vec!["phone"]].concat());
    }
    if fields.is_empty() { CustomerStep::Keep(old.id) } else { update(register, old, new, fields) }
}

fn update(register: &mut Register, old: Customer, new: Customer, fields: Vec<&'static str>) -> CustomerStep {
    if let Some(known) = register.customers.iter_mut().find(|customer| customer.id == new.id) {
        *known = new.clone();
    }
    CustomerStep::Update { old, new, fields }
}

fn bind(register: &mut Register, unit_id: UnitId, customer_id: CustomerId, facts: &CustomerFacts, now: Timestamp) -> TenureStep {
    let days = (facts.first_date, facts.to_date);
    // A row that does not say when means the tenure that is there, whenever it began.
    let same = |tenure: &&mut Tenure| {
        tenure.unit_id == unit_id
            && tenure.customer_id == customer_id
            && tenure.role == facts.role
            && (facts.from_date.is_none() || overlaps((tenure.from_date, tenure.to_date), days))
    };
    if let Some(known) = register.tenures.iter_mut().filter(same).max_by_key(|tenure| tenure.from_date) {
        let from_date = facts.from_date.unwrap_or(known.from_date);
        let to_date = facts.to_date.or(known.to_date);
        if (from_date, to_date) == (known.from_date, known.to_date) || to_date.is_some_and(|to_date| to_date < from_date) {
            return TenureStep::Keep(known.id);
        }
        *known = Tenure { from_date, to_date, row_version: known.row_version + 1, update_time: now, ..known.clone() };
        return TenureStep::Update(known.clone());
    }
    let tenure = Tenure {
        id: TenureId::new(),
        estate_id: register.estate_id,
        unit_id,
        customer_id,
        role: facts.role,
        from_date: facts.first_date,
        to_date: facts.to_date,
        source: TenureSource::Import,
        row_version: 1,
        create_time: now,
        update_time: now,
    };
    register.tenures.push(tenure.clone());
    TenureStep::Create(tenure)
}
