//! What every mutation has: a request id, a method, and an answer with the resource as it then is.

use prost::Message;
use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::idempotency::RequestKey;
use steward_proto::customer::v1 as pb;

use super::encode;
use crate::app::{Call, Recorded};
use crate::domain::customer::Customer;
use crate::domain::estate::Estate;
use crate::domain::estate_import::EstateImport;
use crate::domain::unit::{Building, Entrance, Unit};
use crate::store::tenures::ShownTenure;

/// A request that changes something.
pub(super) trait Mutation: Message {
    /// What it is about.
    type Resource;
    /// Its answer.
    type Answer: Message + Default;

    /// Names the method in the claim on the request id. Never changes: claims outlive a release.
    const METHOD: &'static str;

    /// The caller's id for the request.
    fn request_id(&self) -> &str;

    /// The answer for the resource as it then is.
    fn answer(resource: &Self::Resource) -> Self::Answer;
}

/// The call that a request is.
pub(super) fn call<'a, Q: Mutation>(access: &'a Access, request: &Q) -> Result<Call<'a, Q::Resource, Q::Answer>> {
    let key = RequestKey::of(access, Q::METHOD, request, request.request_id())?;
    Ok(Call { access, key, answer: Q::answer })
}

macro_rules! mutations {
    ($($method:literal: $request:ident -> $answer:ident { $field:ident: $resource:ty = $encode:path }),+ $(,)?) => {$(
        impl $crate::grpc::mutation::Mutation for pb::$request {
            type Resource = $resource;
            type Answer = pb::$answer;

            const METHOD: &'static str = $method;

            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn answer(resource: &$resource) -> Self::Answer {
                pb::$answer { $field: Some($encode(resource)) }
            }
        }
    )+};
}

pub(super) use mutations;

mutations! {
    "RegisterEstate": RegisterEstateRequest -> RegisterEstateResponse { estate: Estate = encode::estate },
    "UpdateEstate": UpdateEstateRequest -> UpdateEstateResponse { estate: Estate = encode::estate },
    "CreateBuilding": CreateBuildingRequest -> CreateBuildingResponse { building: Building = encode::building },
    "CreateEntrance": CreateEntranceRequest -> CreateEntranceResponse { entrance: Entrance = encode::entrance },
    "CreateUnit": CreateUnitRequest -> CreateUnitResponse { unit: Unit = encode::unit },
    "UpdateUnit": UpdateUnitRequest -> UpdateUnitResponse { unit: Unit = encode::unit },
    "UpdateCustomer": UpdateCustomerRequest -> UpdateCustomerResponse { customer: Customer = encode::customer },
    "CreateTenure": CreateTenureRequest -> CreateTenureResponse { tenure: ShownTenure = encode::tenure },
    "EndTenure": EndTenureRequest -> EndTenureResponse { tenure: ShownTenure = encode::tenure },
    "CreateEstateImport": CreateEstateImportRequest -> CreateEstateImportResponse { import: EstateImport = encode::estate_import },
    "AppendEstateImport": AppendEstateImportRequest -> AppendEstateImportResponse { import: EstateImport = encode::estate_import },
    "ApplyEstateImport": ApplyEstateImportRequest -> ApplyEstateImportResponse { import: EstateImport = encode::estate_import },
    "PauseEstateImport": PauseEstateImportRequest -> PauseEstateImportResponse { import: EstateImport = encode::estate_import },
    "ResumeEstateImport": ResumeEstateImportRequest -> ResumeEstateImportResponse { import: EstateImport = encode::estate_import },
    "EraseCustomer": EraseCustomerRequest -> EraseCustomerResponse { customer: Customer = encode::customer },
    "CancelEstateImport": CancelEstateImportRequest -> CancelEstateImportResponse { import: EstateImport = encode::estate_import },
}

impl Mutation for pb::CreateCustomerRequest {
    type Resource = Recorded;
    type Answer = pb::CreateCustomerResponse;

    const METHOD: &'static str = "CreateCustomer";

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn answer(recorded: &Recorded) -> Self::Answer {
        pb::CreateCustomerResponse {
            customer: Some(encode::customer(&recorded.customer)),
            same_phone_customer_ids: recorded.same_phone.iter().map(ToString::to_string).collect(),
        }
    }
}
