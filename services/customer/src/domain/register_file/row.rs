//! What a row says of a unit, and of a customer in it.

use jiff::civil::Date;
use steward_kit::pii::Pii;

use super::cells::Cells;
use super::columns::{Column, Header};
use super::problem::{Problem, ProblemReason};
use super::records::{Malformed, Record};
use super::{FileRow, MAX_CELL_CHARACTERS};
use crate::domain::customer::{CustomerKind, Language};
use crate::domain::premises::{Occupancy, PremisesType};
use crate::domain::tenure::TenureRole;
use crate::domain::unit::full_code;

/// A row without fault.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisterRow {
    /// What it says of the unit.
    pub unit: UnitFacts,
    /// What it says of a customer there, if it names one.
    pub customer: Option<CustomerFacts>,
}

/// What a row says of a unit; `None` is not said.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitFacts {
    /// Code of the building.
    pub building: String,
    /// Code of the entrance; empty when it has none.
    pub entrance: String,
    /// Code of the unit.
    pub unit: String,
    /// Floor.
    pub floor: Option<i32>,
    /// What it is used for.
    pub premises_type: Option<PremisesType>,
    /// Floor area.
    pub area_square_metres: Option<f64>,
    /// Date of handover.
    pub delivery_date: Option<Date>,
    /// How it is used.
    pub occupancy: Option<Occupancy>,
}

/// What a row says of a customer and their tenure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerFacts {
    /// Person or organisation.
    pub kind: CustomerKind,
    /// Name.
    pub name: Pii<String>,
    /// Phone in its one spelling.
    pub phone: Option<Pii<String>>,
    /// E-mail address.
    pub email: Option<Pii<String>>,
    /// Identity number in its one spelling.
    pub id_number: Option<Pii<String>>,
    /// Language for messages.
    pub language: Option<Language>,
    /// What the customer is to the unit.
    pub role: TenureRole,
    /// First day, if the row says it.
    pub from_date: Option<Date>,
    /// First day if this is the first time that the tenure is told.
    pub first_date: Date,
    /// Last day.
    pub to_date: Option<Date>,
}

impl UnitFacts {
    /// `3-2-1802`.
    pub fn full_code(&self) -> String {
        full_code(&self.building, &self.entrance, &self.unit)
    }
}

pub(super) fn read(header: &Header, record: &Record, today: Date) -> FileRow {
    let line = record.line;
    let malformed = |description: &str| FileRow {
        line,
        unit_full_code: String::new(),
        outcome: Err(vec![Problem::of_row(line, ProblemReason::RowMalformed, description)]),
    };
    let cells = match &record.cells {
        Err(Malformed::Quote) => return malformed("a quote is not closed; write a quote inside a cell twice"),
        Err(Malformed::Encoding) => return malformed("the row is not UTF-8"),
        Ok(cells) if cells.len() != header.width() => {
            return malformed(&format!("the row has {} cells, the header {}", cells.len(), header.width()));
        }
        Ok(cells) if cells.iter().any(|cell| cell.chars().count() > MAX_CELL_CHARACTERS) => {
            return malformed(&format!("a cell has more than {MAX_CELL_CHARACTERS} characters"));
        }
        Ok(cells) => cells,
    };
    let mut cells = Cells { header, line, cells, problems: Vec::new() };
    let unit = read_unit(&mut cells);
    let customer = read_customer(&mut cells, unit.delivery_date, today);
    let is_placed = !unit.building.is_empty() && !unit.unit.is_empty();
    let unit_full_code = if is_placed { unit.full_code() } else { String::new() };
    let problems = cells.problems;
    let outcome = if problems.is_empty() { Ok(RegisterRow { unit, customer }) } else { Err(problems) };
    FileRow { line, unit_full_code, outcome }
}

fn read_unit(cells: &mut Cells<'_>) -> UnitFacts {
    let unit = UnitFacts {
        building: cells.code(Column::Building),
        entrance: cells.code(Column::Entrance),
        unit: cells.code(Column::Unit),
        floor: cells.floor(),
        premises_type: cells.premises_type(),
        area_square_metres: cells.area(),
        delivery_date: cells.date(Column::DeliveryDate),
        occupancy: cells.occupancy(),
    };
    for (column, code) in [(Column::Building, &unit.building), (Column::Unit, &unit.unit)] {
        // A code that was too long has its problem already.
        if code.is_empty() && !cells.problems.iter().any(|problem| problem.reason == ProblemReason::ValueTooLong) {
            cells.missing(column, "every row names its building and unit");
        }
    }
    unit
}

fn read_customer(cells: &mut Cells<'_>, delivery: Option<Date>, today: Date) -> Option<CustomerFacts> {
    let problems_before = cells.problems.len();
    let kind = cells.customer_kind().unwrap_or(CustomerKind::Person);
    let name = cells.text(Column::CustomerName, 100);
    let (phone, email, id_number) = (cells.phone(), cells.email(), cells.id_number(kind));
    let language = cells.language();
    let role = cells.role();
    let (from_date, to_date) = (cells.date(Column::FromDate), cells.date(Column::ToDate));
    let nobody = name.is_empty() && phone.is_none() && email.is_none() && id_number.is_none() && role.is_none();
    if nobody && cells.problems.len() == problems_before {
        return None;
    }
    if name.is_empty() && !cells.problems.iter().any(|problem| problem.reason == ProblemReason::ValueTooLong) {
        cells.missing(Column::CustomerName, "a row with a customer names them");
    }
    if role.is_none() && !cells.problems.iter().any(|problem| problem.reason == ProblemReason::WordUnknown) {
        cells.missing(Column::Role, "a row with a customer says what they are to the unit");
    }
    let first_date = from_date.or(delivery).unwrap_or(today);
    if let Some(to_date) = to_date
        && to_date < from_date.unwrap_or(to_date.min(first_date))
    {
        cells.refuse(Column::ToDate, ProblemReason::DatesReversed, "must not be before the first day");
    }
    Some(CustomerFacts {
        kind,
        name: name.into(),
        phone: phone.map(|phone| Pii::new(phone.as_str().to_owned())),
        email: email.map(Pii::new),
        id_number: id_number.map(Pii::new),
        language,
        role: role?,
        from_date,
        // A tenure that ended before anything else is known began no later.
        first_date: to_date.map_or(first_date, |to_date| first_date.min(to_date)),
        to_date,
    })
}
