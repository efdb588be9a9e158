//! What requests have in common: a caller, a request id, an etag, a mask.

use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::Id;
use steward_kit::ids::parse_uuid;
use tonic::Request;

use crate::app::{Call, Target};

/// A request taken apart: who asks, and what.
pub(super) fn received<Q>(request: Request<Q>) -> Result<(Access, Q)> {
    let access = Access::of(&request)?.clone();
    Ok((access, request.into_inner()))
}

/// The call that a mutation is. `method` names it in the claim on the request id and never changes.
pub(super) fn call<'a>(access: &'a Access, method: &str, request: &impl prost::Message, request_id: &str) -> Result<Call<'a>> {
    Ok(Call { access, key: RequestKey::of(access, method, request, request_id)? })
}

/// A version as `etag` says it; `None` for an empty one.
pub(super) fn etag(bad: &mut Violations, text: &str) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    let version = text.parse().ok().filter(|version| *version >= 0);
    if version.is_none() {
        bad.add("etag", "etag", "must be an etag of the resource, as it was given out");
    }
    version
}

/// The thing a verb is for.
pub(super) fn target(bad: &mut Violations, field: &str, id: &str, seen: &str) -> Option<Target> {
    let etag = etag(bad, seen);
    let uuid = parse_uuid(id);
    if uuid.is_none() {
        bad.add(field, "string.uuid", "must be a UUID");
    }
    Some(Target { id: uuid?, etag })
}

/// An id alone, of a request whose rules were not checked yet.
pub(super) fn id<T: Id>(request: &impl steward_proto::Validate, field: &str, text: &str) -> Result<T> {
    let mut bad = Violations::of(request);
    let id = bad.id(field, text);
    bad.build(|| id)
}

/// A filter that is empty when nothing is asked for.
pub(super) fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The fields that a mask names; one that cannot be changed is refused.
pub(super) struct Mask<'a>(Vec<&'a str>);

impl<'a> Mask<'a> {
    pub(super) fn of(bad: &mut Violations, mask: Option<&'a prost_types::FieldMask>, known: &[&str]) -> Self {
        let paths: Vec<&str> = mask.map(|mask| mask.paths.iter().map(String::as_str).collect()).unwrap_or_default();
        if paths.is_empty() || paths.iter().any(|path| !known.contains(path)) {
            bad.add("update_mask", "UPDATE_MASK_INVALID", format!("must name some of {}", known.join(", ")));
        }
        Self(paths)
    }

    /// The value of a field that the mask names.
    pub(super) fn take<T>(&self, field: &str, value: T) -> Option<T> {
        self.0.contains(&field).then_some(value)
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.0.contains(&field)
    }
}
