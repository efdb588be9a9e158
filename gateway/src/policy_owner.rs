//! Who owns the policy that a call is about: read from one field of the request, which then goes on as it came.

use axum::{body::Body, extract::Request};
use bytes::{Bytes, BytesMut};
use prost::Message;
use steward_kit::{Error, plan::kind_of};
use steward_proto::plan::v1::{CreatePolicyVersionRequest, ListPolicyVersionsRequest, PolicyKind, ResolvePolicyRequest};

use crate::{json::frame, methods::Owner};

/// Largest request taken; the same as the limit of a gRPC message.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The owner, and the request as it was.
pub(crate) async fn read(path: &str, request: Request) -> Result<(Owner, Request), Error> {
    let (head, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, MAX_BYTES)
        .await
        .map_err(|_| Error::invalid("document", "too_large", format!("a request has at most {MAX_BYTES} bytes")))?;
    let kind = kind(path, &bytes).unwrap_or_default();
    // A request without a kind is refused by whoever gets it, with every fault of it.
    let owner = Owner::of_policies(kind).unwrap_or(Owner::WorkOrder);
    Ok((owner, Request::from_parts(head, Body::from(bytes))))
}

fn kind(path: &str, framed: &Bytes) -> Option<PolicyKind> {
    let message = frame::take(&mut BytesMut::from(framed.as_ref()))?;
    let number = match path.rsplit('/').next()? {
        "CreatePolicyVersion" => {
            let document = CreatePolicyVersionRequest::decode(message).ok()?.document?.document?;
            return Some(kind_of(&document));
        }
        "ListPolicyVersions" => ListPolicyVersionsRequest::decode(message).ok()?.kind,
        "ResolvePolicy" => ResolvePolicyRequest::decode(message).ok()?.kind,
        _ => return None,
    };
    PolicyKind::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut as _, BytesMut};
    use steward_proto::plan::v1::{CarePolicy, PolicyDocument, policy_document::Document};

    use super::*;

    async fn owner(rpc: &str, message: &impl Message) -> Owner {
        let mut framed = BytesMut::new();
        framed.put_u8(0);
        framed.put_u32(u32::try_from(message.encoded_len()).expect("is small"));
        message.encode(&mut framed).expect("has room");
        let sent = framed.freeze();
        let (owner, passed) =
            read(&format!("/steward.plan.v1.PolicyService/{rpc}"), Request::new(Body::from(sent.clone()))).await.expect("reads");
        assert_eq!(axum::body::to_bytes(passed.into_body(), MAX_BYTES).await.expect("is whole"), sent, "byte for byte");
        owner
    }

    #[tokio::test]
    async fn the_kind_says_who_owns_a_policy() {
        let document = PolicyDocument { document: Some(Document::Care(CarePolicy::default())) };
        let create = CreatePolicyVersionRequest { document: Some(document), ..Default::default() };
        assert_eq!(owner("CreatePolicyVersion", &create).await, Owner::Care);
        let list = ListPolicyVersionsRequest { kind: PolicyKind::Survey.into(), ..Default::default() };
        assert_eq!(owner("ListPolicyVersions", &list).await, Owner::Survey);
        let resolve = ResolvePolicyRequest { kind: PolicyKind::Metrics.into(), ..Default::default() };
        assert_eq!(owner("ResolvePolicy", &resolve).await, Owner::Customer);
        assert_eq!(owner("ResolvePolicy", &ResolvePolicyRequest::default()).await, Owner::WorkOrder);
    }
}
