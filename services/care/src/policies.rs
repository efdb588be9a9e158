//! The care policy: the document that this service owns, and which of them it refuses.

use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit_store::policy::{POLICY_INVALID, PolicyRules, Surroundings};
use steward_proto::plan::v1::PolicyKind;
use steward_proto::plan::v1::policy_document::Document;

use crate::contract::local_time;
use crate::domain::codes::Layer;
use crate::domain::terms::counts_days;

/// See the module.
pub(crate) struct OwnPolicies;

impl PolicyRules for OwnPolicies {
    fn kinds(&self) -> &'static [PolicyKind] {
        &[PolicyKind::Care]
    }

    fn check(&self, bad: &mut Violations, at: &str, document: &Document, _around: &Surroundings) -> Result<()> {
        match document {
            Document::Care(policy) => {
                for (position, visit) in policy.visits.iter().enumerate() {
                    let spans = [("offset", &visit.offset), ("notice_before", &visit.notice_before)];
                    for (field, span) in spans {
                        days(bad, &format!("{at}.visits[{position}].{field}"), span.as_ref());
                    }
                }
                for (position, template) in policy.obligations.iter().enumerate() {
                    days(bad, &format!("{at}.obligations[{position}].offset"), template.offset.as_ref());
                    let mut codes = std::collections::BTreeSet::new();
                    for (line, item) in template.items.iter().enumerate() {
                        if !codes.insert(item.code.as_str()) {
                            let place = format!("{at}.obligations[{position}].items[{line}].code");
                            bad.add(place, POLICY_INVALID, "another line of the checklist has this code");
                        }
                    }
                }
                let spans = [
                    ("touchpoints_kept", policy.touchpoints_kept.as_ref()),
                    ("brief_window", policy.brief_window.as_ref()),
                    ("face_to_face.warn_before", policy.face_to_face.as_ref().and_then(|talks| talks.warn_before.as_ref())),
                ];
                for (field, span) in spans {
                    days(bad, &format!("{at}.{field}"), span);
                }
                let times = policy.times.clone().unwrap_or_default();
                for (field, text) in [
                    ("touchpoint_local", &times.touchpoint_local),
                    ("notice_local", &times.notice_local),
                    ("digest_local", &times.digest_local),
                ] {
                    if !text.is_empty() && local_time(text).is_none() {
                        bad.add(format!("{at}.times.{field}"), POLICY_INVALID, "must be a local time HH:MM");
                    }
                }
                if Layer::parse(&policy.coverage_layer).is_none() && !policy.coverage_layer.is_empty() {
                    bad.add(format!("{at}.coverage_layer"), POLICY_INVALID, "must be a layer of care: basic, advanced, premium");
                }
                if let Some(share) = policy.relationship_callback.as_ref().and_then(|callback| callback.coverage.as_ref())
                    && share.numerator > share.denominator
                {
                    bad.add(format!("{at}.relationship_callback.coverage"), POLICY_INVALID, "must not be more than all");
                }
                for (position, meeting) in policy.meetings.iter().enumerate() {
                    if meeting.size.is_some_and(|size| size.most > 0 && size.most < size.least) {
                        bad.add(format!("{at}.meetings[{position}].size"), POLICY_INVALID, "most must not be below least");
                    }
                }
                Ok(())
            }
            // Of other kinds this service is not asked.
            Document::Intake(_)
            | Document::Sla(_)
            | Document::Callback(_)
            | Document::Survey(_)
            | Document::Contact(_)
            | Document::Metrics(_) => Ok(()),
        }
    }
}

/// Distances from a day count days or longer.
fn days(bad: &mut Violations, at: &str, span: Option<&steward_proto::common::v1::Span>) {
    let span = span.and_then(|span| steward_kit::proto::span(span).ok());
    if span.is_some_and(|span| !counts_days(&span)) {
        bad.add(at, POLICY_INVALID, "must count days or longer");
    }
}
