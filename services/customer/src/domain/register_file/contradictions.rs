//! Rows that say the same twice, or two things of one unit or customer. The earlier row stands, the later is refused.

use std::collections::HashMap;

use jiff::civil::Date;

use super::FileRow;
use super::columns::{Column, Header};
use super::problem::{Problem, ProblemReason};
use super::row::{CustomerFacts, RegisterRow, UnitFacts};
use crate::domain::customer::CustomerKind;
use crate::domain::tenure::{TenureRole, overlaps};
use crate::domain::text::name_key;

/// A span of days, both ends included.
type Days = (Date, Option<Date>);

/// What the rows so far have said.
#[derive(Default)]
struct Said {
    units: HashMap<String, (u32, UnitFacts)>,
    bare_units: HashMap<String, u32>,
    customers: HashMap<String, (u32, CustomerFacts)>,
    /// By unit, role and customer.
    tenures: HashMap<(String, TenureRole, String), Vec<(u32, Days)>>,
    /// Sole owners by unit: line, customer, days.
    owners: HashMap<String, Vec<(u32, String, Days)>>,
}

/// Turns later rows that contradict or repeat earlier ones into refusals.
pub(super) fn refuse(header: &Header, rows: &mut [FileRow]) {
    let mut said = Said::default();
    for row in rows {
        let Ok(facts) = &row.outcome else { continue };
        let problems = said.check(header, row.line, &row.unit_full_code, facts);
        if problems.is_empty() {
            said.note(row.line, &row.unit_full_code, facts);
        } else {
            row.outcome = Err(problems);
        }
    }
}

impl Said {
    fn check(&self, header: &Header, line: u32, unit: &str, row: &RegisterRow) -> Vec<Problem> {
        let Some(customer) = &row.customer else {
            let repeated = self.units.get(unit).filter(|(_, facts)| *facts == row.unit && self.bare_units.contains_key(unit));
            return match repeated {
                Some((first, _)) => vec![duplicate(line, *first, "the same unit")],
                None => self.check_unit(header, line, unit, &row.unit).into_iter().collect(),
            };
        };
        let key = (unit.to_owned(), customer.role, row_key(unit, customer));
        let days = (customer.first_date, customer.to_date);
        if let Some((first, _)) = self.tenures.get(&key).and_then(|known| known.iter().find(|(_, known)| overlaps(*known, days))) {
            return vec![duplicate(line, *first, "the same unit, customer and role")];
        }
        let checks = [
            self.check_unit(header, line, unit, &row.unit),
            self.check_customer(header, line, unit, customer),
            self.check_owner(line, unit, customer, days),
        ];
        checks.into_iter().flatten().collect()
    }

    fn check_unit(&self, header: &Header, line: u32, unit: &str, facts: &UnitFacts) -> Option<Problem> {
        let (first, known) = self.units.get(unit)?;
        let column = if differ(&known.floor, &facts.floor) {
            Column::Floor
        } else if differ(&known.premises_type, &facts.premises_type) {
            Column::PremisesType
        } else if differ(&known.area_square_metres, &facts.area_square_metres) {
            Column::AreaSquareMetres
        } else if differ(&known.delivery_date, &facts.delivery_date) {
            Column::DeliveryDate
        } else if differ(&known.occupancy, &facts.occupancy) {
            Column::Occupancy
        } else {
            return None;
        };
        Some(contradiction(header, line, column, *first))
    }

    fn check_customer(&self, header: &Header, line: u32, unit: &str, facts: &CustomerFacts) -> Option<Problem> {
        let (first, known) = self.customers.get(&identity(unit, facts))?;
        let column = if known.kind != facts.kind {
            Column::CustomerKind
        } else if differ(&known.id_number, &facts.id_number) {
            Column::IdNumber
        } else if differ(&known.email, &facts.email) {
            Column::Email
        } else if differ(&known.language, &facts.language) {
            Column::Language
        } else {
            return None;
        };
        Some(contradiction(header, line, column, *first))
    }

    fn check_owner(&self, line: u32, unit: &str, facts: &CustomerFacts, days: Days) -> Option<Problem> {
        if facts.role != TenureRole::Owner {
            return None;
        }
        let identity = identity(unit, facts);
        let (first, ..) = self.owners.get(unit)?.iter().find(|(_, known, span)| *known != identity && overlaps(*span, days))?;
        let description = format!("row {first} names another sole owner on one of the days; use co_owner, or dates");
        Some(Problem::of_row(line, ProblemReason::OwnerExists, description))
    }

    fn note(&mut self, line: u32, unit: &str, row: &RegisterRow) {
        let (_, known) = self.units.entry(unit.to_owned()).or_insert_with(|| (line, row.unit.clone()));
        known.floor = known.floor.or(row.unit.floor);
        known.premises_type = known.premises_type.or(row.unit.premises_type);
        known.area_square_metres = known.area_square_metres.or(row.unit.area_square_metres);
        known.delivery_date = known.delivery_date.or(row.unit.delivery_date);
        known.occupancy = known.occupancy.or(row.unit.occupancy);
        let Some(customer) = &row.customer else {
            self.bare_units.insert(unit.to_owned(), line);
            return;
        };
        let (identity, days) = (identity(unit, customer), (customer.first_date, customer.to_date));
        let (_, known) = self.customers.entry(identity.clone()).or_insert_with(|| (line, customer.clone()));
        known.id_number = known.id_number.take().or_else(|| customer.id_number.clone());
        known.email = known.email.take().or_else(|| customer.email.clone());
        known.language = known.language.or(customer.language);
        if customer.role == TenureRole::Owner {
            self.owners.entry(unit.to_owned()).or_default().push((line, identity, days));
        }
        self.tenures.entry((unit.to_owned(), customer.role, row_key(unit, customer))).or_default().push((line, days));
    }
}

/// Two things said of one matter.
fn differ<T: PartialEq>(known: &Option<T>, said: &Option<T>) -> bool {
    matches!((known, said), (Some(known), Some(said)) if known != said)
}

/// Which customer a row means: a phone and a name, as families share phones; or else the identity number; or else the
/// name, of a person in this unit only.
fn identity(unit: &str, facts: &CustomerFacts) -> String {
    let name = name_key(facts.name.expose());
    match (&facts.phone, &facts.id_number, facts.kind) {
        (Some(phone), ..) => format!("phone:{}:{name}", phone.expose()),
        (None, Some(number), _) => format!("id:{}", number.expose()),
        (None, None, CustomerKind::Organisation) => format!("organisation:{name}"),
        (None, None, CustomerKind::Person) => format!("person:{unit}:{name}"),
    }
}

/// What makes two rows of a unit and role one: the phone, or else the customer.
fn row_key(unit: &str, facts: &CustomerFacts) -> String {
    facts.phone.as_ref().map_or_else(|| identity(unit, facts), |phone| phone.expose().clone())
}

fn duplicate(line: u32, first: u32, what: &str) -> Problem {
    Problem::of_row(line, ProblemReason::DuplicateRow, format!("row {first} has {what}"))
}

fn contradiction(header: &Header, line: u32, column: Column, first: u32) -> Problem {
    header.problem(line, column, ProblemReason::ContradictsRow, format!("row {first} says something else"))
}
