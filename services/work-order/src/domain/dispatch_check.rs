//! Which rules of dispatch are refused.

use std::collections::BTreeSet;

use steward_kit::error::Violations;

use super::dispatch_policy::DispatchMode;
use super::policy::SlaPolicy;
use super::policy_check::{REASON, Surroundings, check_calendar, check_filter, is_code, refuse_twin};

/// Checks how orders come to somebody. What a mode needs stands in the document or in a layer below it.
pub(super) fn check_dispatch(bad: &mut Violations, at: &str, policy: &SlaPolicy, around: Surroundings<'_>, codes: &BTreeSet<&str>) {
    let dispatch = &policy.dispatch;
    check_calendar(bad, &format!("{at}.accept_within"), dispatch.accept_within.as_ref(), around.calendars);
    for (index, class) in dispatch.distance_classes.iter().enumerate() {
        if !is_code(&class.code) || dispatch.distance_classes[..index].iter().any(|earlier| earlier.code == class.code) {
            bad.add(format!("{at}.distance_classes[{index}].code"), REASON, "must be lower snake case, each class once");
        }
    }
    let layers = || std::iter::once(dispatch).chain(around.below.sla.iter().map(|layer| &layer.document.dispatch));
    let needs = [
        ("accept_within", layers().any(|layer| layer.accept_within.is_some())),
        ("max_offers", layers().any(|layer| layer.max_offers.is_some())),
        ("weights", layers().find_map(|layer| layer.weights).is_some_and(|weights| weights.sum() > 0)),
        ("escalate_roles", layers().any(|layer| !layer.escalate_roles.is_empty())),
    ];
    for (index, rule) in dispatch.rules.iter().enumerate() {
        let place = format!("{at}.rules[{index}]");
        check_filter(bad, &format!("{place}.applies_to"), &rule.applies_to, codes);
        let twin = dispatch.rules[..index].iter().position(|earlier| earlier.applies_to == rule.applies_to);
        refuse_twin(bad, &place, "dispatch.rules", twin);
        let lacking = needs.iter().filter(|(_, has)| !has && rule.mode != DispatchMode::Manual);
        lacking.for_each(|(field, _)| {
            bad.add(format!("{at}.{field}"), REASON, "must be set here or in a layer below for orders that look for somebody")
        });
    }
}
