//! What a metric of the catalogue is.

use super::period::PeriodKind;
use super::target::Direction;
use super::unit::Unit;

/// Where the facts of a figure come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Answers of a survey.
    Survey,
    /// What the operation recorded.
    Operational,
    /// What customers said at the callback.
    Callback,
    /// Entered by hand.
    Manual,
    /// Imported.
    Import,
}

/// Which service owns the facts, and computes the figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The customer service.
    Customer,
    /// The work-order service.
    WorkOrder,
    /// The survey service.
    Survey,
    /// The care service.
    Care,
    /// The notification service.
    Notification,
    /// The gateway itself, from the plan.
    Gateway,
}

/// The households that a rate is of (CP-47).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Under management.
    Managed,
    /// Handed over.
    Delivered,
    /// Lived in.
    Occupied,
    /// Billed.
    Billed,
}

/// A choice that a formula leaves to the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parameter {
    /// Kinds of case.
    CaseKinds,
    /// Categories.
    Categories,
    /// Names of clocks.
    Clocks,
    /// The households that the rate is of.
    HouseholdBasis,
    /// Satisfied answers, and whether neutral ones are.
    SatisfiedLevels,
    /// Points of the answers.
    ScoreMap,
    /// How long outcomes are waited for.
    Grace,
    /// How far back the question asks.
    RecallWindow,
    /// How far back a contact makes the next one not the first.
    LookBack,
    /// How far ahead is looked.
    LookAhead,
    /// Windows of the day.
    Windows,
    /// How long the thing may take.
    Limit,
    /// How long coverage or effect is followed.
    Window,
    /// Exits that count.
    ExitKinds,
    /// The programme meant.
    Programme,
    /// The questions meant.
    Questions,
}

/// One metric from one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Id, such as `timely_rate.contact`.
    pub id: &'static str,
    /// Source.
    pub source: Source,
    /// Code of the formula in `metrics.md`, such as `F-06`.
    pub formula: &'static str,
    /// Who computes it.
    pub owner: Owner,
    /// Chinese name.
    pub name_zh: &'static str,
    /// English name.
    pub name_en: &'static str,
    /// What it means.
    pub unit: Unit,
    /// Which side is good.
    pub direction: Direction,
    /// What one period is, unless the plan says otherwise.
    pub period: PeriodKind,
    /// Variants; the first where the plan names none.
    pub methods: &'static [&'static str],
    /// Choices that the plan has.
    pub parameters: &'static [Parameter],
    /// Kinds of case that count, unless the plan says otherwise; none means every kind.
    pub kinds: &'static [&'static str],
    /// Clocks whose verdicts count, unless the plan says otherwise.
    pub clocks: &'static [&'static str],
    /// Households that it is of; `None` for a figure of something else.
    pub basis: Option<Basis>,
    /// It grows with the length of the period: a target for a month says nothing of a quarter.
    pub grows_with_time: bool,
}

impl Metric {
    /// A share of cases: higher is better, by month.
    pub(super) const fn rate(id: &'static str, formula: &'static str, owner: Owner, name_zh: &'static str, name_en: &'static str) -> Self {
        let source = match owner {
            Owner::Survey => Source::Survey,
            Owner::Customer | Owner::WorkOrder | Owner::Care | Owner::Notification | Owner::Gateway => Source::Operational,
        };
        Self {
            id,
            source,
            formula,
            owner,
            name_zh,
            name_en,
            unit: Unit::Rate,
            direction: Direction::AtLeast,
            period: PeriodKind::Month,
            methods: &["default"],
            parameters: &[],
            kinds: &[],
            clocks: &[],
            basis: None,
            grows_with_time: false,
        }
    }

    pub(super) const fn from(self, source: Source) -> Self {
        Self { source, ..self }
    }

    pub(super) const fn shown_as(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    pub(super) const fn lower_is_better(self) -> Self {
        Self { direction: Direction::AtMost, ..self }
    }

    pub(super) const fn every(self, period: PeriodKind) -> Self {
        Self { period, ..self }
    }

    pub(super) const fn by(self, methods: &'static [&'static str]) -> Self {
        Self { methods, ..self }
    }

    pub(super) const fn choosing(self, parameters: &'static [Parameter]) -> Self {
        Self { parameters, ..self }
    }

    pub(super) const fn of_kinds(self, kinds: &'static [&'static str]) -> Self {
        Self { kinds, ..self }
    }

    pub(super) const fn of_clocks(self, clocks: &'static [&'static str]) -> Self {
        Self { clocks, ..self }
    }

    pub(super) const fn of_households(self, basis: Basis) -> Self {
        Self { basis: Some(basis), ..self }
    }

    pub(super) const fn growing(self) -> Self {
        Self { grows_with_time: true, ..self }
    }

    /// A method by its name; the first for none.
    pub fn method(&self, name: &str) -> Option<&'static str> {
        if name.is_empty() { self.methods.first().copied() } else { self.methods.iter().find(|method| **method == name).copied() }
    }
}
