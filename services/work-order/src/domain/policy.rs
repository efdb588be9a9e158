//! Policy documents as the domain reads them, and the layers that they come in. Numbers live here, never in code.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use steward_kit::calendar::Span;
use steward_kit::codes;
use steward_kit::ids::WorkOrderId;

use super::analysis::HotspotRule;
use super::callback_form::FormTerms;
use super::case::{CaseFilter, Kind, Milestone, SuspensionReason, Urgency};
use super::dispatch_policy::DispatchPolicy;
use super::major::MajorRules;
use super::origin::OriginRule;
use super::spot_check::SpotCheckRule;
use super::warranty::WarrantyRule;
use super::weather::WeatherMode;

steward_kit::define_id!(PolicyVersionId, "policy version");

codes! {
    /// Levels of the scope chain, most general first.
    ScopeLevel {
        /// Defaults of the product.
        Base = "base",
        /// A property group.
        Group = "group",
        /// A region or city company.
        Region = "region",
        /// One estate.
        Estate = "estate",
    }
}

/// The version that a rule came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySource {
    /// Id of the version.
    pub version_id: PolicyVersionId,
    /// Level of its scope.
    pub scope: ScopeLevel,
    /// Number in its kind and scope.
    pub version: u32,
}

/// One layer: a version in force.
#[derive(Clone, Debug)]
pub struct Layer<D> {
    /// Where it came from.
    pub source: PolicySource,
    /// The document.
    pub document: Arc<D>,
}

/// The layers that decide for an estate, most specific first: estate, region, group, base.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// Categories and classification.
    pub intake: Vec<Layer<IntakePolicy>>,
    /// Clocks and escalation.
    pub sla: Vec<Layer<SlaPolicy>>,
    /// Callbacks.
    pub callback: Vec<Layer<CallbackPolicy>>,
}

/// Which clocks run, how long, what they warn of and to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlaPolicy {
    /// Clocks.
    pub clock_rules: Vec<ClockRule>,
    /// Steps of every clock whose rule has none.
    pub escalation_steps: Vec<EscalationStep>,
    /// For how long after closing an order may be reopened.
    pub reopen_window: Option<Span>,
    /// How far back the time of a verb may lie (XC-64).
    pub max_backdate: Option<Span>,
    /// What completion must prove (WO-48).
    pub proof_rules: Vec<ProofRule>,
    /// How long after completion an order closes by itself (WO-78).
    pub auto_close: Option<Span>,
    /// Orders whose limits the plan promises to publish (WO-08, WO-09).
    pub published_standards: Vec<CaseFilter>,
    /// What is confirmed before work on site begins (WO-47).
    pub conduct_rules: Vec<ConductRule>,
    /// What work costs (WO-49).
    pub price_rules: Vec<PriceRule>,
    /// How work may stand still (WO-43).
    pub suspension_rules: Vec<SuspensionRule>,
    /// Extreme-weather modes (WO-71).
    pub weather_modes: Vec<WeatherMode>,
    /// How orders come to those who do them (WO-23).
    pub dispatch: DispatchPolicy,
    /// For how long a new unit is under warranty (WO-50).
    pub warranty_rules: Vec<WarrantyRule>,
    /// How finished work is looked at again.
    pub quality: QualityRules,
}

/// How finished work is looked at again; what is `None` is as the layer below says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QualityRules {
    /// The weekly spot check (WO-74).
    pub spot_check: Option<SpotCheckRule>,
    /// Months before and after its start over which a corrective action is measured (WO-54).
    pub effect_months: Option<u32>,
    /// Days after closing within which a case of the same unit and category is rework (WO-54).
    pub rework_days: Option<u32>,
}

/// What is confirmed before work on site begins, for the orders that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConductRule {
    /// The orders.
    pub applies_to: CaseFilter,
    /// Points, as codes.
    pub checklist: Vec<String>,
}

/// What the work of the orders that match costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRule {
    /// The orders.
    pub applies_to: CaseFilter,
    /// The price list; empty means nothing.
    pub items: Vec<PriceItem>,
}

/// One item of a price list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceItem {
    /// Code.
    pub code: String,
    /// Price of one, in fen.
    pub unit_price_fen: i64,
    /// Whether it is a material rather than work.
    pub is_material: bool,
}

/// How work may stand still for a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspensionRule {
    /// The reason.
    pub reason: SuspensionReason,
    /// For how long at the longest; `None` means without end.
    pub max_duration: Option<Span>,
    /// Whether somebody else has to agree first.
    pub needs_approval: bool,
}

/// One clock for the orders that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockRule {
    /// The orders.
    pub applies_to: CaseFilter,
    /// Name of the clock.
    pub clock: String,
    /// What starts it.
    pub start_on: Milestone,
    /// What stops it: the first of these at or after its start.
    pub stop_on: Vec<Milestone>,
    /// How long; `None` for a clock of promises.
    pub limit: Option<Span>,
    /// Reasons that pause it.
    pub pauses_on: Vec<SuspensionReason>,
    /// Its ladder; empty means the policy's.
    pub steps: Vec<EscalationStep>,
    /// No such clock for these orders.
    pub off: bool,
    /// Not started again by a reopening.
    pub first_cycle_only: bool,
    /// Due no earlier than the end of the appointment (WO-18).
    pub moves_to_appointment: bool,
    /// Due no later than an authority wants its answer (WO-68).
    pub heeds_external_due: bool,
}

/// One step of a ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationStep {
    /// Per cent of the limit.
    pub percent: u32,
    /// Roles told.
    pub notify_roles: Vec<String>,
}

/// What the completion of the orders that match must prove, beside a summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofRule {
    /// The orders.
    pub applies_to: CaseFilter,
    /// What is needed.
    pub needs: ProofNeeds,
}

/// Media that a completion needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofNeeds {
    /// A photo from before the work.
    pub before_photo: bool,
    /// A photo from after the work.
    pub after_photo: bool,
    /// The customer's signature.
    pub signature: bool,
}

/// Callbacks (WO-25 to WO-31).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackPolicy {
    /// Rules.
    pub rules: Vec<CallbackRule>,
    /// Roles told that a month's report is ready (WO-36).
    pub report_roles: Vec<String>,
}

/// The callback of the orders that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackRule {
    /// The orders.
    pub applies_to: CaseFilter,
    /// How long after completion it is due; `None` is refused by the check.
    pub due: Option<Span>,
    /// A score at or below this reopens; 0 never does.
    pub reopen_at_score: u32,
    /// When the customer counts as unreachable.
    pub attempts: Attempts,
    /// Ladder of the callback's clock; empty means the SLA policy's.
    pub steps: Vec<EscalationStep>,
    /// Which of the orders are called back; `None` means all.
    pub coverage: Option<Coverage>,
    /// The form in the app that comes before a phone call; `None` when none does.
    pub form: Option<FormTerms>,
}

/// A share of the orders, drawn evenly by their ids: one order is always in or always out, on every replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Numerator.
    pub numerator: u32,
    /// Denominator; at least 1.
    pub denominator: u32,
}

impl Coverage {
    /// How many of so many, rounded up.
    pub fn of(self, count: usize) -> usize {
        let whole = u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(u64::from(self.numerator));
        usize::try_from(whole.div_ceil(u64::from(self.denominator.max(1)))).unwrap_or(count).min(count)
    }

    /// Whether the share is more than everything.
    pub const fn exceeds_all(self) -> bool {
        self.numerator > self.denominator
    }

    /// Whether an order is in the share.
    pub fn draws(self, order: WorkOrderId) -> bool {
        // The last 32 bits of an id are random; those before them count the ids of one millisecond.
        const BITS: u32 = 32;
        let (_, tail) = order.as_uuid().as_u64_pair();
        let drawn = u128::from(tail & ((1 << BITS) - 1));
        drawn * u128::from(self.denominator) < u128::from(self.numerator) << BITS
    }
}

/// What failed attempts must cover before the customer counts as unreachable (WO-30).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// Number of attempts.
    pub min_count: u32,
    /// Time bands of the day.
    pub min_time_bands: u32,
    /// Local days.
    pub min_days: u32,
}

/// Categories and classification (WO-11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntakePolicy {
    /// The category tree; codes of a lower layer stay unless given again.
    pub categories: Vec<Category>,
    /// Rules, tried in order.
    pub rules: Vec<ClassificationRule>,
    /// What makes a case a major complaint.
    pub major: MajorRules,
    /// Which kinds of report stand out (WO-57).
    pub hotspots: Vec<HotspotRule>,
    /// Reports this many hours apart at most may be one matter (WO-04); 0: as the layer below says.
    pub duplicate_within_hours: u32,
    /// What staff say about where a report came from.
    pub origin_rules: Vec<OriginRule>,
}

/// A leaf or branch of the category tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Dotted code.
    pub code: String,
    /// Urgency when nothing else says more.
    pub urgency: Option<Urgency>,
}

/// From words to a category and an urgency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassificationRule {
    /// Code, named in the order's `classified_by`.
    pub code: String,
    /// Any of these in the text matches.
    pub any_words: Vec<String>,
    /// Only these kinds; empty means every kind.
    pub kinds: Vec<Kind>,
    /// Category given.
    pub category: String,
    /// Urgency given; `None` means the category's.
    pub urgency: Option<Urgency>,
}
