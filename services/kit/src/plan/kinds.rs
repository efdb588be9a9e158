//! The kinds of policy documents and the services that own them. The one place where this stands.

use steward_proto::plan::v1::PolicyKind;
use steward_proto::plan::v1::policy_document::Document;

/// Every kind, in the order in which the documents of a plan are applied: rules name categories, so categories go first.
pub const KINDS: [PolicyKind; 7] = [
    PolicyKind::Intake,
    PolicyKind::Sla,
    PolicyKind::Callback,
    PolicyKind::Survey,
    PolicyKind::Care,
    PolicyKind::Contact,
    PolicyKind::Metrics,
];

/// The kind of a document.
pub const fn kind_of(document: &Document) -> PolicyKind {
    match document {
        Document::Intake(_) => PolicyKind::Intake,
        Document::Sla(_) => PolicyKind::Sla,
        Document::Callback(_) => PolicyKind::Callback,
        Document::Survey(_) => PolicyKind::Survey,
        Document::Care(_) => PolicyKind::Care,
        Document::Contact(_) => PolicyKind::Contact,
        Document::Metrics(_) => PolicyKind::Metrics,
    }
}

/// The name of a kind: in the policy store, in a plan's YAML, and as the field of `PolicyDocument`.
pub const fn code_of(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Unspecified => "unspecified",
        PolicyKind::Intake => "intake",
        PolicyKind::Sla => "sla",
        PolicyKind::Callback => "callback",
        PolicyKind::Survey => "survey",
        PolicyKind::Care => "care",
        PolicyKind::Contact => "contact",
        PolicyKind::Metrics => "metrics",
    }
}

/// The service that owns documents of a kind; empty for none.
pub const fn owner_of(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Unspecified => "",
        PolicyKind::Intake | PolicyKind::Sla | PolicyKind::Callback => "work-order",
        PolicyKind::Survey => "survey",
        PolicyKind::Care => "care",
        PolicyKind::Contact => "notification",
        PolicyKind::Metrics => "customer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_policy_document_is_a_kind_of_that_name() {
        let document = steward_proto::descriptor_pool().get_message_by_name("steward.plan.v1.PolicyDocument").expect("in the contract");
        let fields: Vec<String> = document.fields().map(|field| field.name().to_owned()).collect();
        assert_eq!(fields, KINDS.map(code_of));
        assert!(KINDS.iter().all(|kind| !owner_of(*kind).is_empty()));
        let numbers: Vec<i32> = document.fields().map(|field| field.number().cast_signed()).collect();
        assert_eq!(numbers, KINDS.map(|kind| kind as i32), "a kind has the number of its field");
    }
}
