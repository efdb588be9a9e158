//! Ids that only this service makes, and those that it makes out of others.

use aws_lc_rs::digest::{SHA256, digest};
use steward_kit::define_id;
use steward_kit::ids::HouseholdId;
use uuid::Uuid;

define_id!(ProgrammeId, "programme");
define_id!(TouchpointId, "touchpoint");
define_id!(VisitRoundId, "visit round");
define_id!(VisitId, "visit");
define_id!(ObligationId, "obligation");
define_id!(ForumId, "forum");
define_id!(DeliveryBatchId, "delivery batch");
define_id!(AnnualPlanId, "annual plan");
define_id!(PlanItemId, "plan item");
define_id!(Plan315Id, "315 plan");
define_id!(ContactId, "contact");
define_id!(ActivityId, "activity");
define_id!(RegistrationId, "registration");
define_id!(CommitmentId, "commitment");
define_id!(FundEntryId, "fund entry");
define_id!(EnrolmentId, "enrolment");
define_id!(PackageUseId, "package use");
define_id!(ParcelId, "parcel");
define_id!(StockItemId, "stock item");
define_id!(StockMovementId, "stock movement");

/// The id of what exists once for these parts, whoever makes it and however often: a UUIDv8 over SHA-256.
pub fn made_of(parts: &[&[u8]]) -> Uuid {
    let mut text = Vec::new();
    for part in parts {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest(&SHA256, &text).as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The touchpoint of a household, a definition and an occurrence.
pub fn touchpoint_id(programme: ProgrammeId, definition: &str, household: HouseholdId, anchor: jiff::civil::Date) -> TouchpointId {
    let (programme, household) = (programme.as_uuid(), household.as_uuid());
    made_of(&[programme.as_bytes(), definition.as_bytes(), household.as_bytes(), anchor.to_string().as_bytes()]).into()
}

/// The visit of a round to a household.
pub fn visit_id(round: VisitRoundId, household: HouseholdId) -> VisitId {
    made_of(&[round.as_uuid().as_bytes(), household.as_uuid().as_bytes()]).into()
}
