//! How finished work is looked at again, of a policy document, as the domain reads it.

use steward_kit::calendar::Unit;
use steward_kit::error::Violations;
use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;

use super::policy_documents::filter;
use super::warranty_documents::months;
use crate::domain::{Coverage, QualityRules, SpotCheckRule};

/// `None` when it is faulty.
pub(super) fn rules(bad: &mut Violations, at: &str, policy: &plan::SlaPolicy) -> Option<QualityRules> {
    let Some(quality) = &policy.quality else { return Some(QualityRules::default()) };
    let at = format!("{at}.quality");
    let spot_check = quality.spot_check.as_ref().map(|rule| spot_check(bad, &format!("{at}.spot_check"), rule));
    let effect = quality.effect_window.as_ref().map(|span| months(bad, &format!("{at}.effect_window"), span));
    let rework = quality.rework_window.as_ref().map(|span| days(bad, &format!("{at}.rework_window"), span));
    Some(QualityRules { spot_check: given(spot_check)?, effect_months: given(effect)?, rework_days: given(rework)? })
}

/// What is not given is no fault.
fn given<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    read.map_or(Some(None), |read| read.map(Some))
}

fn spot_check(bad: &mut Violations, at: &str, rule: &plan::SpotCheckRule) -> Option<SpotCheckRule> {
    let applies_to = filter(bad, &format!("{at}.applies_to"), rule.applies_to.as_ref());
    let due = rule.due.as_ref().and_then(|span| bad.span(&format!("{at}.due"), span));
    let share = rule.share.map(|share| Coverage { numerator: share.numerator, denominator: share.denominator });
    Some(SpotCheckRule { applies_to: applies_to?, share: share?, due: due?, notify_roles: rule.notify_roles.clone() })
}

fn days(bad: &mut Violations, field: &str, span: &common::Span) -> Option<u32> {
    let span = bad.span(field, span)?;
    let each = match span.unit() {
        Unit::Day => Some(1),
        Unit::Week => Some(7),
        Unit::Second | Unit::Minute | Unit::Hour | Unit::WorkingDay | Unit::Month | Unit::Quarter | Unit::HalfYear | Unit::Year => None,
    };
    let days = each.and_then(|each: u32| span.value().checked_mul(each));
    if days.is_none() {
        bad.add(field, "POLICY_INVALID", "must be in days or weeks");
    }
    days
}
