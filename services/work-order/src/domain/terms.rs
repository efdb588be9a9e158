//! Binding: what the policy layers say about one case, taken into the order at creation and at reclassification only.
//!
//! Layers come most specific first. For each clock name the first layer with a rule that matches decides; within a layer
//! the rule with the most conditions, and of two with as many the later one. Callbacks and proofs are chosen the same
//! way. A ladder, a window or a bound is taken from the first layer that has one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use steward_kit::calendar::Span;
use steward_kit::ids::WorkOrderId;

use super::callback_form::FormTerms;
use super::case::{Case, CaseFilter, Milestone, SuspensionReason};
use super::clock::{BREACH, ClockTerms};
use super::context::Context;
use super::dispatch_policy::{DispatchTerms, first_list};
use super::policy::{Attempts, EscalationStep, Layer, Policies, PolicySource, PriceItem, ProofNeeds, SlaPolicy, SuspensionRule};
use super::warranty::WarrantyTerms;
use super::weather::Weather;
use super::work_order::WorkOrder;

/// Name of the clock that a callback policy makes.
pub const CALLBACK_CLOCK: &str = "callback";

/// The role of whoever is accountable for the order, in ladders.
pub const ASSIGNEE_ROLE: &str = "assignee";

/// What the policies of an order's birth say about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Its clocks, the callback's included, in order of their names.
    pub clocks: Vec<ClockTerms>,
    /// Its callbacks; `None` when no policy asks for one.
    pub callback: Option<CallbackTerms>,
    /// Roles told when the customer urges.
    pub urge_roles: Vec<String>,
    /// For how long after closing it may be reopened; `None` means without end.
    pub reopen_window: Option<Span>,
    /// How far back the time of a verb may lie; `None` means without limit.
    pub max_backdate: Option<Span>,
    /// What completion must prove.
    pub proof: ProofNeeds,
    /// How long after completion it closes by itself; `None` means never.
    pub auto_close: Option<Span>,
    /// What is confirmed before work on site begins (WO-47).
    #[serde(default)]
    pub checklist: Vec<String>,
    /// What its work costs; empty when nothing (WO-49).
    #[serde(default)]
    pub prices: Vec<PriceItem>,
    /// How its work may stand still (WO-43).
    #[serde(default)]
    pub suspensions: Vec<SuspensionRule>,
    /// The extreme-weather mode that it was taken in under (WO-71).
    #[serde(default)]
    pub weather: Option<Weather>,
    /// For how long its part is under warranty (WO-50).
    #[serde(default)]
    pub warranty: Option<WarrantyTerms>,
    /// How it comes to somebody; `None` when a person assigns it (WO-23).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispatch: Option<DispatchTerms>,
    /// Roles that may give somebody more orders than their limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limit_override_roles: Vec<String>,
}

/// How the customer is called back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackTerms {
    /// A score at or below this reopens; 0 never does.
    pub reopen_at_score: u32,
    /// When the customer counts as unreachable.
    pub attempts: Attempts,
    /// The form in the app that comes before a phone call; `None` when none does (WO-29).
    #[serde(default)]
    pub form: Option<FormTerms>,
    /// The policy version that decided.
    pub source: PolicySource,
}

impl Terms {
    /// What the layers say about an order as it is.
    pub(super) fn of(order: &WorkOrder, ctx: &Context<'_>) -> Self {
        let (policies, case) = (ctx.policies, order.case());
        let mut terms = Self::bind(policies, case, order.customer_id.map(|_| order.id)).in_weather(policies, case, order.receive_time);
        let rule = decide(&policies.sla, |policy| &policy.warranty_rules, |rule| &rule.applies_to, case);
        // What is nobody's unit was handed over to nobody.
        terms.warranty = rule.filter(|_| order.unit_id.is_some()).map(|(_, rule)| WarrantyTerms {
            period: rule.period,
            within: rule.within,
            after: rule.after,
            happened_on: ctx.zone.to_datetime(order.occur_time).date(),
        });
        terms
    }

    /// What the layers say about a case. `for_customer` is the order that has somebody to be called back: an anonymous
    /// report is owed no callback.
    pub fn bind(policies: &Policies, case: Case<'_>, for_customer: Option<WorkOrderId>) -> Self {
        let sla = &policies.sla;
        let ladder: &[EscalationStep] =
            sla.iter().map(|layer| layer.document.escalation_steps.as_slice()).find(|steps| !steps.is_empty()).unwrap_or_default();
        let mut terms = Self {
            clocks: clocks(policies, case, ladder),
            callback: None,
            urge_roles: first_above_assignee(ladder),
            reopen_window: sla.iter().find_map(|layer| layer.document.reopen_window.clone()),
            max_backdate: sla.iter().find_map(|layer| layer.document.max_backdate.clone()),
            proof: decide(sla, |policy| &policy.proof_rules, |rule| &rule.applies_to, case).map(|(_, rule)| rule.needs).unwrap_or_default(),
            auto_close: sla.iter().find_map(|layer| layer.document.auto_close.clone()),
            checklist: decide(sla, |policy| &policy.conduct_rules, |rule| &rule.applies_to, case)
                .map(|(_, rule)| rule.checklist.clone())
                .unwrap_or_default(),
            prices: decide(sla, |policy| &policy.price_rules, |rule| &rule.applies_to, case)
                .map(|(_, rule)| rule.items.clone())
                .unwrap_or_default(),
            suspensions: SuspensionReason::ALL.iter().filter_map(|reason| suspension_rule(sla, *reason)).collect(),
            weather: None,
            warranty: None,
            dispatch: DispatchTerms::bind(sla, case),
            limit_override_roles: first_list(sla.iter().map(|layer| &layer.document.dispatch.limit_override_roles)),
        };
        if let Some(order) = for_customer {
            terms.bind_callback(policies, case, order, ladder);
        }
        terms
    }

    /// Whether a contact has to bring a promise (WO-14).
    pub fn wants_promise(&self) -> bool {
        self.clocks.iter().any(ClockTerms::is_promise)
    }

    fn bind_callback(&mut self, policies: &Policies, case: Case<'_>, order: WorkOrderId, ladder: &[EscalationStep]) {
        let decided = decide(&policies.callback, |policy| &policy.rules, |rule| &rule.applies_to, case);
        let Some((source, rule)) = decided else { return };
        self.callback =
            Some(CallbackTerms { reopen_at_score: rule.reopen_at_score, attempts: rule.attempts, form: rule.form.clone(), source });
        // Whoever is outside the sample may be called back all the same; nobody is owed it.
        if rule.coverage.is_some_and(|coverage| !coverage.draws(order)) {
            return;
        }
        self.clocks.push(ClockTerms {
            clock: CALLBACK_CLOCK.to_owned(),
            start_on: Milestone::Completed,
            stop_on: vec![Milestone::CalledBack],
            limit: rule.due.clone(),
            pauses_on: Vec::new(),
            steps: with_breach(&rule.steps, ladder),
            first_cycle_only: false,
            moves_to_appointment: false,
            heeds_external_due: false,
            source,
        });
        self.clocks.sort_by(|a, b| a.clock.cmp(&b.clock));
    }
}

impl ClockTerms {
    /// Whether the promise given is its limit.
    pub fn is_promise(&self) -> bool {
        self.start_on == Milestone::Promised
    }

    /// Whether the clock runs in that cycle.
    pub const fn runs_in(&self, cycle: u32) -> bool {
        cycle == 1 || !self.first_cycle_only
    }
}

fn clocks(policies: &Policies, case: Case<'_>, ladder: &[EscalationStep]) -> Vec<ClockTerms> {
    let rules = policies.sla.iter().flat_map(|layer| &layer.document.clock_rules);
    let names: BTreeSet<&str> = rules.map(|rule| rule.clock.as_str()).collect();
    let decided = names.into_iter().filter_map(|name| {
        let of_name = |rule: &&super::policy::ClockRule| rule.clock == name;
        policies.sla.iter().find_map(|layer| {
            let matching = layer.document.clock_rules.iter().filter(of_name).filter(|rule| rule.applies_to.matches(case));
            Some((layer.source, matching.max_by_key(|rule| rule.applies_to.conditions())?))
        })
    });
    decided
        .filter(|(_, rule)| !rule.off)
        .map(|(source, rule)| ClockTerms {
            clock: rule.clock.clone(),
            start_on: rule.start_on,
            stop_on: rule.stop_on.clone(),
            limit: rule.limit.clone(),
            pauses_on: rule.pauses_on.clone(),
            steps: with_breach(&rule.steps, ladder),
            first_cycle_only: rule.first_cycle_only,
            moves_to_appointment: rule.moves_to_appointment,
            heeds_external_due: rule.heeds_external_due,
            source,
        })
        .collect()
}

/// The deciding rule of the first layer that has one for the case. `max_by_key` takes the last of equals: later wins.
fn decide<'a, D, R>(
    layers: &'a [Layer<D>],
    rules: impl Fn(&'a D) -> &'a Vec<R>,
    filter: impl Fn(&'a R) -> &'a CaseFilter,
    case: Case<'_>,
) -> Option<(PolicySource, &'a R)> {
    layers.iter().find_map(|layer| {
        let matching = rules(&layer.document).iter().filter(|rule| filter(rule).matches(case));
        Some((layer.source, matching.max_by_key(|rule| filter(rule).conditions())?))
    })
}

fn suspension_rule(sla: &[Layer<SlaPolicy>], reason: SuspensionReason) -> Option<SuspensionRule> {
    sla.iter().find_map(|layer| layer.document.suspension_rules.iter().rfind(|rule| rule.reason == reason)).cloned()
}

/// A clock's ladder. The breach is always among its steps, for the verdict, even if nobody is told of it.
fn with_breach(own: &[EscalationStep], ladder: &[EscalationStep]) -> Vec<EscalationStep> {
    let mut steps = if own.is_empty() { ladder } else { own }.to_vec();
    if steps.iter().all(|step| step.percent != BREACH) {
        steps.push(EscalationStep { percent: BREACH, notify_roles: Vec::new() });
    }
    steps.sort_by_key(|step| step.percent);
    steps
}

/// Urging is heard one level above whoever has the order.
fn first_above_assignee(ladder: &[EscalationStep]) -> Vec<String> {
    let above = ladder.iter().find(|step| step.notify_roles.iter().any(|role| role != ASSIGNEE_ROLE));
    above.map(|step| step.notify_roles.clone()).unwrap_or_default()
}
