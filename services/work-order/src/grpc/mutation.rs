//! What every mutation of an order has: a request id, a method, and an answer with the order as it then is.

use prost::Message;
use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::idempotency::RequestKey;
use steward_proto::work_order::v1 as pb;

use super::encode;
use crate::app::Call;
use crate::domain::WorkOrder;

/// A request that changes an order.
pub(super) trait Mutation: Message {
    /// Its answer.
    type Answer: Message + Default;

    /// Names the method in the claim on the request id. Never changes: claims outlive a release.
    const METHOD: &'static str;

    /// The caller's id for the request.
    fn request_id(&self) -> &str;

    /// The answer for an order, as the caller may see it.
    fn answer(order: &WorkOrder, access: &Access) -> Self::Answer;
}

/// The call that a request is.
pub(super) fn call<'a, Q: Mutation>(access: &'a Access, request: &Q) -> Result<Call<'a, Q::Answer>> {
    let key = RequestKey::of(access, Q::METHOD, request, request.request_id())?;
    Ok(Call { access, key, answer: Q::answer })
}

macro_rules! mutations {
    ($($request:ident -> $answer:ident as $method:literal),+ $(,)?) => {$(
        impl Mutation for pb::$request {
            type Answer = pb::$answer;

            const METHOD: &'static str = $method;

            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn answer(order: &WorkOrder, access: &Access) -> Self::Answer {
                pb::$answer { work_order: Some(encode::work_order(order, access)) }
            }
        }
    )+};
}

mutations! {
    CreateWorkOrderRequest -> CreateWorkOrderResponse as "CreateWorkOrder",
    ClassifyWorkOrderRequest -> ClassifyWorkOrderResponse as "ClassifyWorkOrder",
    AssignWorkOrderRequest -> AssignWorkOrderResponse as "AssignWorkOrder",
    GrabWorkOrderRequest -> GrabWorkOrderResponse as "GrabWorkOrder",
    AcceptOfferRequest -> AcceptOfferResponse as "AcceptOffer",
    DeclineOfferRequest -> DeclineOfferResponse as "DeclineOffer",
    AcceptWorkOrderRequest -> AcceptWorkOrderResponse as "AcceptWorkOrder",
    ContactCustomerRequest -> ContactCustomerResponse as "ContactCustomer",
    AssessWorkOrderRequest -> AssessWorkOrderResponse as "AssessWorkOrder",
    ArriveOnSiteRequest -> ArriveOnSiteResponse as "ArriveOnSite",
    CompleteWorkOrderRequest -> CompleteWorkOrderResponse as "CompleteWorkOrder",
    RecordCallbackRequest -> RecordCallbackResponse as "RecordCallback",
    ReopenWorkOrderRequest -> ReopenWorkOrderResponse as "ReopenWorkOrder",
    CloseWorkOrderRequest -> CloseWorkOrderResponse as "CloseWorkOrder",
    CancelWorkOrderRequest -> CancelWorkOrderResponse as "CancelWorkOrder",
    UrgeWorkOrderRequest -> UrgeWorkOrderResponse as "UrgeWorkOrder",
    SuspendWorkOrderRequest -> SuspendWorkOrderResponse as "SuspendWorkOrder",
    ResumeWorkOrderRequest -> ResumeWorkOrderResponse as "ResumeWorkOrder",
    AgreeAppointmentRequest -> AgreeAppointmentResponse as "AgreeAppointment",
    StartWorkRequest -> StartWorkResponse as "StartWork",
    QuoteWorkRequest -> QuoteWorkResponse as "QuoteWork",
    ConfirmQuoteRequest -> ConfirmQuoteResponse as "ConfirmQuote",
    MergeWorkOrdersRequest -> MergeWorkOrdersResponse as "MergeWorkOrders",
    SplitWorkOrderRequest -> SplitWorkOrderResponse as "SplitWorkOrder",
    ApproveSuspensionRequest -> ApproveSuspensionResponse as "ApproveSuspension",
    SetLiabilityRequest -> SetLiabilityResponse as "SetLiability",
}
