//! What is recorded already, as far as a batch of rows touches it; grows as rows of the batch are judged.

use std::collections::HashMap;

use jiff::civil::Date;
use steward_kit::ids::{CustomerId, EstateId, GroupId};

use crate::domain::customer::{Customer, CustomerKind};
use crate::domain::ids::{BuildingId, EntranceId};
use crate::domain::premises::PremisesType;
use crate::domain::register_file::CustomerFacts;
use crate::domain::tenure::Tenure;
use crate::domain::text::name_key;
use crate::domain::unit::Unit;

/// A customer of the register.
pub type RegisteredCustomer = Customer;
/// A unit of the register.
pub type RegisteredUnit = Unit;

/// The part of an estate's register that a batch of rows touches.
#[derive(Debug)]
pub struct Register {
    /// The estate.
    pub estate_id: EstateId,
    /// Its group: customers are known across it.
    pub group_id: GroupId,
    /// What units are for unless a row says otherwise.
    pub premises_type: PremisesType,
    /// The estate's local day on which the import was created.
    pub today: Date,
    /// Buildings by code.
    pub buildings: HashMap<String, BuildingId>,
    /// Entrances by building and code.
    pub entrances: HashMap<(BuildingId, String), EntranceId>,
    /// Units by full code.
    pub units: HashMap<String, RegisteredUnit>,
    /// Customers with one of the batch's phones, identity numbers or organisation names, or a tenure in its units.
    pub customers: Vec<RegisteredCustomer>,
    /// Tenures of those units.
    pub tenures: Vec<Tenure>,
}

impl Register {
    /// The customer that a row means, if known: by identity number; by phone and name; by phone and the tenure of this
    /// role in this unit, when the name was corrected; without a phone by name, of an organisation anywhere, of a
    /// person only with this role in this unit.
    pub(super) fn customer_of(&self, full_code: &str, facts: &CustomerFacts) -> Option<&RegisteredCustomer> {
        let name = name_key(facts.name.expose());
        let same_kind = || self.customers.iter().filter(|customer| customer.kind == facts.kind);
        let same_name = |customer: &&RegisteredCustomer| name_key(customer.personal.name.expose()) == name;
        if let Some(number) = &facts.id_number
            && let Some(known) = same_kind().find(|customer| customer.personal.id_number.as_ref() == Some(number))
        {
            return Some(known);
        }
        if let Some(phone) = &facts.phone {
            let same_phone = || same_kind().filter(|customer| customer.personal.phone.as_ref() == Some(phone));
            return same_phone().find(same_name).or_else(|| same_phone().find(|known| self.holds(known.id, full_code, facts)));
        }
        match facts.kind {
            CustomerKind::Organisation => same_kind().find(same_name),
            CustomerKind::Person => same_kind().filter(same_name).find(|known| self.holds(known.id, full_code, facts)),
        }
    }

    fn holds(&self, customer: CustomerId, full_code: &str, facts: &CustomerFacts) -> bool {
        let Some(unit) = self.units.get(full_code) else { return false };
        self.tenures.iter().any(|tenure| tenure.unit_id == unit.id && tenure.customer_id == customer && tenure.role == facts.role)
    }
}
