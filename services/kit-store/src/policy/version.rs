//! One version of one document.

use bytes::Bytes;
use jiff::Timestamp;
use sqlx::Row;
use sqlx::postgres::PgRow;
use steward_kit::ids::{EstateId, GroupId, RegionId};
use steward_kit::{Error, Result};
use uuid::Uuid;

use crate::error::StoreResult;

/// Whom a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyScope {
    /// Everybody: what ships with the product.
    Base,
    /// A property group.
    Group(GroupId),
    /// A region of it.
    Region(RegionId),
    /// One estate.
    Estate(EstateId),
}

impl PolicyScope {
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Group(_) => "group",
            Self::Region(_) => "region",
            Self::Estate(_) => "estate",
        }
    }

    pub(crate) fn id(self) -> Option<Uuid> {
        match self {
            Self::Base => None,
            Self::Group(id) => Some(id.as_uuid()),
            Self::Region(id) => Some(id.as_uuid()),
            Self::Estate(id) => Some(id.as_uuid()),
        }
    }

    /// Greater is more specific.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Base => 0,
            Self::Group(_) => 1,
            Self::Region(_) => 2,
            Self::Estate(_) => 3,
        }
    }

    pub(crate) fn read(kind: &str, id: Option<Uuid>) -> Result<Self> {
        match (kind, id) {
            ("base", None) => Ok(Self::Base),
            ("group", Some(id)) => Ok(Self::Group(id.into())),
            ("region", Some(id)) => Ok(Self::Region(id.into())),
            ("estate", Some(id)) => Ok(Self::Estate(id.into())),
            _ => Err(Error::bug(format_args!("a policy of scope {kind}"))),
        }
    }
}

/// A version to add.
#[derive(Debug, Clone)]
pub struct NewPolicyVersion {
    /// Which policy, as the service names it: `sla`.
    pub kind: String,
    /// Whom it is for.
    pub scope: PolicyScope,
    /// The encoded document.
    pub document: Bytes,
    /// When it comes into force.
    pub effective_time: Timestamp,
    /// The subject of whoever added it.
    pub created_by: String,
}

/// A version of a document. Never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Its id, which records bind to.
    pub id: Uuid,
    /// Which policy.
    pub kind: String,
    /// Whom it is for.
    pub scope: PolicyScope,
    /// Counts from 1 in its kind and scope.
    pub version: i64,
    /// The encoded document.
    pub document: Bytes,
    /// When it comes into force; until a later version's does.
    pub effective_time: Timestamp,
    /// The subject of whoever added it.
    pub created_by: String,
    /// When it was added.
    pub create_time: Timestamp,
}

impl PolicyVersion {
    /// The document as its message.
    ///
    /// # Errors
    /// Bytes that are no such message.
    pub fn decode<M: prost::Message + Default>(&self) -> Result<M> {
        M::decode(self.document.clone()).map_err(Error::internal)
    }

    pub(super) fn created(id: Uuid, version: i64, new: NewPolicyVersion, now: Timestamp) -> Self {
        let NewPolicyVersion { kind, scope, document, effective_time, created_by } = new;
        Self { id, kind, scope, version, document, effective_time, created_by, create_time: now }
    }

    pub(super) fn read(row: &PgRow) -> Result<Self> {
        let instant = |column| row.try_get::<jiff_sqlx::Timestamp, _>(column).map(jiff_sqlx::Timestamp::to_jiff);
        Ok(Self {
            id: row.try_get("id").store()?,
            kind: row.try_get("kind").store()?,
            scope: PolicyScope::read(row.try_get("scope_kind").store()?, row.try_get("scope_id").store()?)?,
            version: row.try_get("version").store()?,
            document: row.try_get::<Vec<u8>, _>("document").store()?.into(),
            effective_time: instant("effective_time").store()?,
            created_by: row.try_get("created_by").store()?,
            create_time: instant("create_time").store()?,
        })
    }
}
