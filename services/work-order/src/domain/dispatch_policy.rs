//! How orders come to those who do them, as policies say it, and what an order is bound to of it.

use serde::{Deserialize, Serialize};
use steward_kit::calendar::Span;
use steward_kit::codes;

use super::case::{Case, CaseFilter};
use super::policy::{Layer, SlaPolicy};

codes! {
    /// How an order comes to somebody.
    DispatchMode {
        /// A person assigns it.
        Manual = "manual",
        /// It is offered to whoever suits it best.
        Offer = "offer",
        /// Whoever may and comes first takes it.
        Grab = "grab",
        /// It is offered to whoever has waited longest.
        Rotation = "rotation",
    }
}

/// Dispatch and handover. What is `None` or empty is decided by the layer below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DispatchPolicy {
    /// How, for the orders that match.
    pub rules: Vec<DispatchRule>,
    /// How long an offer stands.
    pub accept_within: Option<Span>,
    /// To how many it is offered in a cycle.
    pub max_offers: Option<u32>,
    /// What counts how much.
    pub weights: Option<Weights>,
    /// How near somebody is.
    pub distance_classes: Vec<DistanceClass>,
    /// Roles told when nobody can be found.
    pub escalate_roles: Vec<String>,
    /// Roles that may give somebody more than their limit.
    pub limit_override_roles: Vec<String>,
}

/// How the orders that match come to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchRule {
    /// The orders.
    pub applies_to: CaseFilter,
    /// How.
    pub mode: DispatchMode,
}

/// What counts how much in a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weights {
    /// How exactly a skill is that of the category.
    pub skill: u32,
    /// How much of the limit is free.
    pub load: u32,
    /// How near.
    pub distance: u32,
    /// The last visitor of the unit.
    pub last_visitor: u32,
}

impl Weights {
    /// All of them.
    pub const fn sum(self) -> u32 {
        self.skill + self.load + self.distance + self.last_visitor
    }
}

/// How near somebody is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistanceClass {
    /// Code, as the roster names it.
    pub code: String,
    /// Its part of the score, 0 to 100.
    pub points: u32,
}

/// What an order is bound to: how it comes to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchTerms {
    /// Never by hand.
    pub mode: DispatchMode,
    /// How long an offer stands.
    pub accept_within: Span,
    /// To how many it is offered in a cycle.
    pub max_offers: u32,
    /// What counts how much.
    pub weights: Weights,
    /// How near somebody is.
    pub distance_classes: Vec<DistanceClass>,
    /// Roles told when nobody can be found.
    pub escalate_roles: Vec<String>,
}

impl DispatchTerms {
    /// What the layers, most specific first, say about a case; `None` when a person assigns it. A policy that leaves out what its mode
    /// needs is refused when it is added.
    pub fn bind(layers: &[Layer<SlaPolicy>], case: Case<'_>) -> Option<Self> {
        let policies = || layers.iter().map(|layer| &layer.document.dispatch);
        let mode = policies().find_map(|policy| {
            let matching = policy.rules.iter().filter(|rule| rule.applies_to.matches(case));
            matching.max_by_key(|rule| rule.applies_to.conditions())
        })?;
        match mode.mode {
            DispatchMode::Manual => None,
            DispatchMode::Offer | DispatchMode::Grab | DispatchMode::Rotation => Some(Self {
                mode: mode.mode,
                accept_within: policies().find_map(|policy| policy.accept_within.clone())?,
                max_offers: policies().find_map(|policy| policy.max_offers)?,
                weights: policies().find_map(|policy| policy.weights)?,
                distance_classes: first_list(policies().map(|policy| &policy.distance_classes)),
                escalate_roles: first_list(policies().map(|policy| &policy.escalate_roles)),
            }),
        }
    }
}

/// The first list that is not empty.
pub(super) fn first_list<'a, T: Clone + 'a>(mut lists: impl Iterator<Item = &'a Vec<T>>) -> Vec<T> {
    lists.find(|list| !list.is_empty()).cloned().unwrap_or_default()
}
