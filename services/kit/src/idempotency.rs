//! What makes two requests the same request.
//!
//! Every mutation carries a `request_id`, a UUID of the caller's choice. The same id with the same body replays the
//! first answer; with another body it is refused. The key also holds the caller and the method, so that two callers
//! can never collide on an id, nor read each other's answers, as long as trusted issuers do not share subjects. The
//! claim itself is a row of `steward-kit-store`.

use aws_lc_rs::digest;

use crate::auth::Access;
use crate::error::{Result, Violations};
use crate::ids::RequestId;

/// Identifies a request, and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The caller's id for the request.
    pub request_id: RequestId,
    /// The caller's subject.
    pub principal: String,
    /// The RPC's name, such as `AssignWorkOrder`.
    pub method: String,
    /// SHA-256 of the request as we encode it.
    pub body_hash: [u8; 32],
}

impl RequestKey {
    /// The key of a request. The body is hashed as prost encodes it, so two encodings of one message are one body
    /// (maps are generated ordered); a field this version does not know is not seen.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] when `request_id` is missing or is not a UUID.
    pub fn of(access: &Access, method: &str, body: &impl prost::Message, request_id: &str) -> Result<Self> {
        let mut bad = Violations::new();
        let request_id = bad.id::<RequestId>("request_id", request_id);
        bad.build(|| {
            Some(Self {
                request_id: request_id?,
                principal: access.principal.subject.clone(),
                method: method.to_owned(),
                body_hash: sha256(&body.encode_to_vec()),
            })
        })
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn key(subject: &'static str, seconds: i64, id: &str) -> Result<RequestKey> {
        let body = prost_types::Duration { seconds, nanos: 0 };
        RequestKey::of(&Access::system(subject, "test"), "AssignWorkOrder", &body, id)
    }

    #[test]
    fn the_key_tells_apart_bodies_and_callers() {
        let id = RequestId::new().to_string();
        let first = key("a", 1, &id).expect("a key");
        assert_eq!(first, key("a", 1, &id).expect("a key"));
        assert_ne!(first.body_hash, key("a", 2, &id).expect("a key").body_hash);
        assert_ne!(first.principal, key("b", 1, &id).expect("a key").principal);
    }

    #[test]
    fn a_request_id_must_be_a_uuid() {
        for id in ["", "1", "retry-1"] {
            assert!(matches!(key("a", 1, id), Err(Error::Invalid(_))), "{id}");
        }
    }
}
