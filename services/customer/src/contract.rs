//! Codes that the contract and the domain both have.

use prost::Message as _;
use steward_kit::auth::PrincipalKind;
pub(crate) use steward_kit::code::Code;
use steward_kit::error::Violations;
use steward_kit::predicate::{Catalogue, Compiled};
use steward_kit::same_codes;
use steward_proto::customer::v1 as pb;

use crate::domain::customer::{AddressState, ContactMode, CustomerKind, DataSource, ErasureBasis, PersonalField};
use crate::domain::estate_import::{ImportState, RowAction};
use crate::domain::exit::ExitKind;
use crate::domain::key_date::KeyDateKind;
use crate::domain::premises::{Occupancy, PremisesType};
use crate::domain::profile::AttributeKind;
use crate::domain::register_file::ProblemReason;
use crate::domain::renovation::RenovationState;
use crate::domain::segment::{Definition, SegmentSubject, TagState};
use crate::domain::tenure::{TenureRole, TenureSource};
use crate::domain::timeline::TimelineKind;

same_codes! {
    PremisesType = pb::PremisesType { Residential, Commercial };
    Occupancy = pb::Occupancy { Undelivered, DeliveredNotMovedIn, Renovating, Occupied, Leased, Vacant } unspecified Unspecified;
    CustomerKind = pb::CustomerKind { Person, Organisation };
    AddressState = pb::AddressState { Valid, Invalid } unspecified Unknown;
    ContactMode = pb::ContactMode { Online, Offline } unspecified Unspecified;
    DataSource = pb::DataSource { Staff, Import, App, Hotline, HomeVisit } unspecified Unspecified;
    ErasureBasis = pb::ErasureBasis { PersonRequest, PurposeEnded, RetentionEnded, ConsentWithdrawn, Unlawful, LegalDuty };
    PersonalField = pb::CustomerField { Name, Phone, Email, IdNumber, Address };
    TenureRole = pb::TenureRole { Owner, CoOwner, FamilyMember, Tenant, Occupant, Agent, CompanyContact };
    ExitKind = pb::ExitKind {
        CommercialTenantLeft, CorporateClientLeft, SubscriptionCancelled, ClubLapsed, MovedOut, Sold, ContractEnded, ProviderReplaced,
    };
    RenovationState = pb::RenovationState { Declared, Active, Finished, Cancelled };
    KeyDateKind = pb::KeyDateKind { Birthday, Wedding, Festive, Subscription, Signing, MoveIn };
    AttributeKind = pb::CustomerAttributeKind { FamilyStructure, Occupation, IsCompanyOwner, Tier, HasOptedOutOfProfiling };
    TagState = pb::TagState { Active, Retired };
    SegmentSubject = pb::SegmentSubject { Household, Customer };
    TimelineKind = pb::TimelineKind { Customer, Tenure, WorkOrder, Message, Consent };
    ImportState = pb::EstateImportState { Receiving, Planning, Planned, Applying, Applied, Failed, Cancelled, Paused, Expired };
    RowAction = pb::EstateImportAction { Create, Update, Unchanged, Refuse };
    ProblemReason = pb::EstateImportProblemReason {
        ValueMissing, ValueTooLong, NumberInvalid, DateInvalid, WordUnknown, PhoneInvalid, EmailInvalid, IdNumberInvalid,
        DatesReversed, DuplicateRow, ContradictsRow, OwnerExists, RowMalformed,
    };
}

/// Where a tenure comes from when this sort of principal records it.
pub(crate) fn tenure_source(kind: PrincipalKind) -> TenureSource {
    match kind {
        PrincipalKind::Customer => TenureSource::App,
        PrincipalKind::Staff | PrincipalKind::Service | PrincipalKind::Device => TenureSource::Staff,
    }
}

/// A definition, checked; faults are told below `path`, which ends with a dot or is empty.
pub(crate) fn definition_of(definition: &pb::SegmentDefinition, path: &str, bad: &mut Violations) -> Option<Definition> {
    let catalogue = Catalogue::household();
    let predicate = Compiled::of(definition.predicate.as_ref()?, catalogue, &format!("{path}predicate"), bad);
    let exclusions = definition.exclusions.iter().enumerate().map(|(at, exclusion)| {
        let compiled = Compiled::of(exclusion.predicate.as_ref()?, catalogue, &format!("{path}exclusions[{at}].predicate"), bad)?;
        Some((exclusion.code.clone(), compiled))
    });
    // Every exclusion is looked at, so that every fault is told.
    let exclusions: Vec<_> = exclusions.collect();
    Some(Definition { predicate: predicate?, exclusions: exclusions.into_iter().collect::<Option<_>>()? })
}

/// A definition as it is stored.
pub(crate) fn definition(encoded: &[u8], bad: &mut Violations) -> Option<Definition> {
    definition_of(&pb::SegmentDefinition::decode(encoded).ok()?, "", bad)
}
