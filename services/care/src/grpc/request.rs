//! What requests have in common: a caller, a request id, an etag, a page.

use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::idempotency::RequestKey;
use steward_kit::proto::to_timestamp;
use tonic::Request;
use uuid::Uuid;

use crate::app::{Call, Target};
use crate::contract::{Code, all};

/// A request taken apart: who asks, and what.
pub(super) fn received<Q>(request: Request<Q>) -> Result<(Access, Q)> {
    let access = Access::of(&request)?.clone();
    Ok((access, request.into_inner()))
}

/// The call that a mutation is. `method` names it in the claim on the request id and never changes.
pub(super) fn call<'a>(access: &'a Access, method: &str, request: &impl prost::Message, request_id: &str) -> Result<Call<'a>> {
    Ok(Call { access, key: RequestKey::of(access, method, request, request_id)? })
}

steward_kit::define_id!(AnyId, "resource");

/// The thing a verb is for.
pub(super) fn target(bad: &mut Violations, field: &str, id: &str, etag: &str) -> Option<Target> {
    let seen = match etag {
        "" => None,
        text => {
            let version = text.parse().ok().filter(|version: &i64| *version >= 0);
            if version.is_none() {
                bad.add("etag", "etag", "must be an etag of the resource, as it was given out");
            }
            version
        }
    };
    Some(Target { id: bad.id::<AnyId>(field, id)?.as_uuid(), etag: seen })
}

/// An id of whatever kind.
pub(super) fn id(bad: &mut Violations, field: &str, text: &str) -> Option<Uuid> {
    bad.id::<AnyId>(field, text).map(AnyId::as_uuid)
}

/// States of a filter, as text.
pub(super) fn states<C: Code + Copy + std::fmt::Display>(bad: &mut Violations, numbers: &[i32]) -> Vec<String> {
    all::<C>(bad, "states", numbers).into_iter().map(|state| state.to_string()).collect()
}

/// An id, or nothing.
pub(super) fn text<T: ToString>(id: Option<T>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// An instant, or nothing.
pub(super) fn time(time: Option<jiff::Timestamp>) -> Option<prost_types::Timestamp> {
    time.map(to_timestamp)
}

/// A page of a list that is cut by a place: `$rows` by `$page`, its token after the last by `$place`.
macro_rules! page {
    ($edge:expr, $method:literal, $request:ident, |$page:ident| $rows:expr, $place:expr) => {{
        let (size, token) = (std::mem::take(&mut $request.page_size), std::mem::take(&mut $request.page_token));
        let query = steward_kit::paging::Query::of($method, &$request);
        let $page = $edge.pages.request(&query, size, &token)?;
        let rows = $rows.await?;
        $edge.pages.page(&query, $page.size, rows, $place)?
    }};
}
pub(super) use page;
