//! Policy documents: as the contract writes them, which is also how they are stored, and as the domain reads them.

use steward_kit::calendar::{FactorError, Span};
use steward_kit::error::Violations;
use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::PolicyKind;

use super::{quality_documents, warranty_documents as warranty};
use crate::contract::{Code, required};
use crate::domain::analysis::HotspotRule;
use crate::domain::{
    Attempts, CallbackPolicy, CallbackRule, CaseFilter, Category, ClassificationRule, ClockRule, ConductRule, Coverage, DispatchMode,
    DispatchPolicy, DispatchRule, DistanceClass, EscalationStep, FormTerms, IntakePolicy, Kind, MajorRule, MajorRules, Milestone,
    OriginRule, PriceItem, PriceRule, ProofNeeds, ProofRule, SlaPolicy, SuspensionReason, SuspensionRule, Urgency, WeatherMode, Weights,
};

/// The kinds of policy that this service owns.
pub(crate) const KINDS: [PolicyKind; 3] = [PolicyKind::Intake, PolicyKind::Sla, PolicyKind::Callback];

/// Categories and classification.
pub(crate) fn intake(bad: &mut Violations, at: &str, policy: &plan::IntakePolicy) -> Option<IntakePolicy> {
    let categories =
        policy.categories.iter().map(|category| Category { code: category.code.clone(), urgency: Urgency::of_number(category.urgency) });
    let rules = policy.rules.iter().enumerate().map(|(index, rule)| {
        Some(ClassificationRule {
            code: rule.code.clone(),
            any_words: rule.any_words.clone(),
            kinds: codes(bad, &format!("{at}.rules[{index}].kinds"), &rule.kinds)?,
            category: rule.category.clone(),
            urgency: Urgency::of_number(rule.urgency),
        })
    });
    let rules = all(rules);
    let major = major_rules(bad, at, policy);
    let hotspots = hotspot_rules(bad, at, policy);
    let origins = origin_rules(bad, at, policy);
    Some(IntakePolicy {
        categories: categories.collect(),
        rules: rules?,
        major: major?,
        hotspots: hotspots?,
        origin_rules: origins?,
        duplicate_within_hours: policy.duplicate_within_hours,
    })
}

fn origin_rules(bad: &mut Violations, at: &str, policy: &plan::IntakePolicy) -> Option<Vec<OriginRule>> {
    all(policy.origin_rules.iter().enumerate().map(|(index, rule)| {
        let at = format!("{at}.origin_rules[{index}]");
        let channel = required(bad, &format!("{at}.channel"), rule.channel);
        let required = codes(bad, &format!("{at}.required"), &rule.required);
        Some(OriginRule { channel: channel?, required: required? })
    }))
}

fn hotspot_rules(bad: &mut Violations, at: &str, policy: &plan::IntakePolicy) -> Option<Vec<HotspotRule>> {
    all(policy.hotspot_rules.iter().enumerate().map(|(index, rule)| {
        Some(HotspotRule {
            code: rule.code.clone(),
            kinds: codes(bad, &format!("{at}.hotspot_rules[{index}].kinds"), &rule.kinds)?,
            window_days: rule.window_days,
            usual_days: rule.usual_days,
            min_cases: rule.min_cases,
            min_share: rule.min_share.map(|share| (share.numerator, share.denominator.max(1))),
            min_z_score_milli: rule.min_z_score_milli,
            notify_roles: rule.notify_roles.clone(),
        })
    }))
}

fn major_rules(bad: &mut Violations, at: &str, policy: &plan::IntakePolicy) -> Option<MajorRules> {
    let rules = policy.major_rules.iter().enumerate().map(|(index, rule)| {
        let at = format!("{at}.major_rules[{index}]");
        let kinds = codes(bad, &format!("{at}.kinds"), &rule.kinds);
        let channels = codes(bad, &format!("{at}.channels"), &rule.channels);
        Some(MajorRule {
            code: rule.code.clone(),
            kinds: kinds?,
            any_words: rule.any_words.clone(),
            categories: rule.categories.clone(),
            channels: channels?,
            has_media: rule.has_media,
            min_amount_yuan: rule.min_amount_yuan,
            min_households: rule.min_households,
            min_reports: rule.min_reports,
            within_days: rule.within_days,
            off: rule.off,
        })
    });
    let rules = all(rules);
    let window = optional_span(bad, &format!("{at}.major_flag_window"), policy.major_flag_window.as_ref());
    Some(MajorRules { rules: rules?, window: window?, notify_roles: policy.major_notify_roles.clone() })
}

/// Clocks and escalation.
pub(crate) fn sla(bad: &mut Violations, at: &str, policy: &plan::SlaPolicy) -> Option<SlaPolicy> {
    let clock_rules =
        policy.clock_rules.iter().enumerate().map(|(index, rule)| clock_rule(bad, &format!("{at}.clock_rules[{index}]"), rule));
    let clock_rules = all(clock_rules);
    let proof_rules = policy.proof_rules.iter().enumerate().map(|(index, rule)| {
        Some(ProofRule {
            applies_to: filter(bad, &format!("{at}.proof_rules[{index}].applies_to"), rule.applies_to.as_ref())?,
            needs: ProofNeeds { before_photo: rule.before_photo, after_photo: rule.after_photo, signature: rule.signature },
        })
    });
    let proof_rules = all(proof_rules);
    let published = policy.published_standards.iter().enumerate();
    let published = all(published.map(|(index, given)| filter(bad, &format!("{at}.published_standards[{index}]"), Some(given))));
    let conduct_rules = conduct_rules(bad, at, policy);
    let price_rules = price_rules(bad, at, policy);
    let suspension_rules = suspension_rules(bad, at, policy);
    let weather_modes = weather_modes(bad, at, policy);
    let warranty_rules = warranty::rules(bad, at, policy);
    let quality = quality_documents::rules(bad, at, policy);
    let dispatch = dispatch(bad, &format!("{at}.dispatch"), policy.dispatch.as_ref());
    let reopen_window = optional_span(bad, &format!("{at}.reopen_window"), policy.reopen_window.as_ref());
    let max_backdate = optional_span(bad, &format!("{at}.max_backdate"), policy.max_backdate.as_ref());
    let auto_close = optional_span(bad, &format!("{at}.auto_close"), policy.auto_close.as_ref());
    Some(SlaPolicy {
        clock_rules: clock_rules?,
        escalation_steps: steps(&policy.escalation_steps),
        reopen_window: reopen_window?,
        max_backdate: max_backdate?,
        proof_rules: proof_rules?,
        auto_close: auto_close?,
        published_standards: published?,
        conduct_rules: conduct_rules?,
        price_rules: price_rules?,
        suspension_rules: suspension_rules?,
        weather_modes: weather_modes?,
        warranty_rules: warranty_rules?,
        quality: quality?,
        dispatch: dispatch?,
    })
}

fn conduct_rules(bad: &mut Violations, at: &str, policy: &plan::SlaPolicy) -> Option<Vec<ConductRule>> {
    all(policy.conduct_rules.iter().enumerate().map(|(index, rule)| {
        let applies_to = filter(bad, &format!("{at}.conduct_rules[{index}].applies_to"), rule.applies_to.as_ref())?;
        Some(ConductRule { applies_to, checklist: rule.checklist.clone() })
    }))
}

fn price_rules(bad: &mut Violations, at: &str, policy: &plan::SlaPolicy) -> Option<Vec<PriceRule>> {
    let item =
        |item: &plan::PriceItem| PriceItem { code: item.code.clone(), unit_price_fen: item.unit_price_fen, is_material: item.is_material };
    all(policy.price_rules.iter().enumerate().map(|(index, rule)| {
        let applies_to = filter(bad, &format!("{at}.price_rules[{index}].applies_to"), rule.applies_to.as_ref())?;
        Some(PriceRule { applies_to, items: rule.items.iter().map(item).collect() })
    }))
}

fn suspension_rules(bad: &mut Violations, at: &str, policy: &plan::SlaPolicy) -> Option<Vec<SuspensionRule>> {
    all(policy.suspension_rules.iter().enumerate().map(|(index, rule)| {
        let at = format!("{at}.suspension_rules[{index}]");
        let reason = required::<SuspensionReason>(bad, &format!("{at}.reason"), rule.reason);
        let max_duration = optional_span(bad, &format!("{at}.max_duration"), rule.max_duration.as_ref());
        Some(SuspensionRule { reason: reason?, max_duration: max_duration?, needs_approval: rule.needs_approval })
    }))
}

fn weather_modes(bad: &mut Violations, at: &str, policy: &plan::SlaPolicy) -> Option<Vec<WeatherMode>> {
    all(policy.weather_modes.iter().enumerate().map(|(index, mode)| {
        let at = format!("{at}.weather_modes[{index}]");
        let applies_to = filter(bad, &format!("{at}.applies_to"), mode.applies_to.as_ref());
        let from = bad.optional_timestamp(&format!("{at}.from_time"), mode.from_time.as_ref());
        let to = bad.optional_timestamp(&format!("{at}.to_time"), mode.to_time.as_ref());
        let factor = mode.factor.parse().map_err(|error: FactorError| bad.add(format!("{at}.factor"), "POLICY_INVALID", error.to_string()));
        Some(WeatherMode { code: mode.code.clone(), applies_to: applies_to?, from: from?, to: to?, factor: factor.ok()? })
    }))
}

fn dispatch(bad: &mut Violations, at: &str, policy: Option<&plan::DispatchPolicy>) -> Option<DispatchPolicy> {
    let Some(policy) = policy else { return Some(DispatchPolicy::default()) };
    let rules = all(policy.rules.iter().enumerate().map(|(index, rule)| {
        let at = format!("{at}.rules[{index}]");
        let applies_to = filter(bad, &format!("{at}.applies_to"), rule.applies_to.as_ref());
        let mode = required::<DispatchMode>(bad, &format!("{at}.mode"), rule.mode);
        Some(DispatchRule { applies_to: applies_to?, mode: mode? })
    }));
    let accept_within = optional_span(bad, &format!("{at}.accept_within"), policy.accept_within.as_ref());
    let weights = |given: plan::DispatchWeights| Weights {
        skill: given.skill,
        load: given.load,
        distance: given.distance,
        last_visitor: given.last_visitor,
    };
    let class = |class: &plan::DistanceClass| DistanceClass { code: class.code.clone(), points: class.points };
    Some(DispatchPolicy {
        rules: rules?,
        accept_within: accept_within?,
        max_offers: Some(policy.max_offers).filter(|most| *most > 0),
        weights: policy.weights.map(weights),
        distance_classes: policy.distance_classes.iter().map(class).collect(),
        escalate_roles: policy.escalate_roles.clone(),
        limit_override_roles: policy.limit_override_roles.clone(),
    })
}

/// Callbacks.
pub(crate) fn callback(bad: &mut Violations, at: &str, policy: &plan::CallbackPolicy) -> Option<CallbackPolicy> {
    let rules = policy.rules.iter().enumerate().map(|(index, rule)| {
        let at = format!("{at}.rules[{index}]");
        let form = match optional_span(bad, &format!("{at}.app_form_expiry"), rule.app_form_expiry.as_ref())? {
            Some(expiry) if rule.ways.is_empty() || rule.ways.contains(&plan::CallbackWay::App.into()) => {
                Some(FormTerms { expiry, phone_roles: rule.phone_roles.clone() })
            }
            Some(_) => {
                let why = "a form in the app needs CALLBACK_WAY_APP among the ways, or no ways";
                bad.add(format!("{at}.app_form_expiry"), "POLICY_INVALID", why);
                return None;
            }
            None => None,
        };
        Some(CallbackRule {
            applies_to: filter(bad, &format!("{at}.applies_to"), rule.applies_to.as_ref())?,
            due: optional_span(bad, &format!("{at}.due"), rule.due.as_ref())?,
            reopen_at_score: rule.reopen_at_score,
            attempts: Attempts { min_count: rule.min_attempts, min_time_bands: rule.min_time_bands, min_days: rule.min_days },
            steps: steps(&rule.steps),
            coverage: rule.coverage.map(|share| Coverage { numerator: share.numerator, denominator: share.denominator }),
            form,
        })
    });
    Some(CallbackPolicy { rules: all(rules)?, report_roles: policy.report_roles.clone() })
}

fn clock_rule(bad: &mut Violations, at: &str, rule: &plan::ClockRule) -> Option<ClockRule> {
    let applies_to = filter(bad, &format!("{at}.applies_to"), rule.applies_to.as_ref());
    let start_on = required::<Milestone>(bad, &format!("{at}.start_on"), rule.start_on);
    let stop_on = codes(bad, &format!("{at}.stop_on"), &rule.stop_on);
    let limit = optional_span(bad, &format!("{at}.limit"), rule.limit.as_ref());
    let pauses_on = codes::<SuspensionReason>(bad, &format!("{at}.pauses_on"), &rule.pauses_on);
    Some(ClockRule {
        applies_to: applies_to?,
        clock: rule.clock.clone(),
        start_on: start_on?,
        stop_on: stop_on?,
        limit: limit?,
        pauses_on: pauses_on?,
        steps: steps(&rule.steps),
        off: rule.off,
        first_cycle_only: rule.first_cycle_only,
        moves_to_appointment: rule.moves_to_appointment,
        heeds_external_due: rule.heeds_external_due,
    })
}

pub(super) fn filter(bad: &mut Violations, at: &str, filter: Option<&plan::CaseFilter>) -> Option<CaseFilter> {
    let Some(filter) = filter else { return Some(CaseFilter::default()) };
    let kinds = codes::<Kind>(bad, &format!("{at}.kinds"), &filter.kinds);
    let urgencies = codes::<Urgency>(bad, &format!("{at}.urgencies"), &filter.urgencies);
    let liabilities = codes(bad, &format!("{at}.liabilities"), &filter.liabilities);
    Some(CaseFilter { kinds: kinds?, categories: filter.categories.clone(), urgencies: urgencies?, liabilities: liabilities? })
}

fn steps(steps: &[plan::EscalationStep]) -> Vec<EscalationStep> {
    steps.iter().map(|step| EscalationStep { percent: step.percent, notify_roles: step.notify_roles.clone() }).collect()
}

/// `Some(None)` when it is not set; `None` when it is faulty.
fn optional_span(bad: &mut Violations, field: &str, span: Option<&common::Span>) -> Option<Option<Span>> {
    span.map_or(Some(None), |span| bad.span(field, span).map(Some))
}

fn codes<C: Code>(bad: &mut Violations, field: &str, numbers: &[i32]) -> Option<Vec<C>> {
    all(numbers.iter().enumerate().map(|(index, number)| required::<C>(bad, &format!("{field}[{index}]"), *number)))
}

/// Every item, or nothing; unlike `collect`, it looks at all of them, so that every fault is noted.
pub(super) fn all<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let (good, bad): (Vec<_>, Vec<_>) = items.partition(Option::is_some);
    bad.is_empty().then(|| good.into_iter().flatten().collect())
}
