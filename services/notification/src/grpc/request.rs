//! What requests have in common: a caller, a request id, an etag, a language.

use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::Id;
use tonic::Request;

use crate::app::{Call, Target};
use crate::domain::codes::Language;

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
pub(super) fn target<I: Id>(bad: &mut Violations, field: &str, id: &str, seen: &str) -> Option<Target<I>> {
    let etag = etag(bad, seen);
    Some(Target { id: bad.id(field, id)?, etag })
}

/// A language of messages.
pub(super) fn language(bad: &mut Violations, field: &str, text: &str) -> Option<Language> {
    let language = Language::parse(text);
    if language.is_none() {
        bad.add(field, "LANGUAGE_UNKNOWN", "must be zh-CN or en");
    }
    language
}

/// A filter that is empty when nothing is asked for.
pub(super) fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
