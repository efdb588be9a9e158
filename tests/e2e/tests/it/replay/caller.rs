//! Calls any RPC of the contract by its descriptor, with a request in JSON: public ones through the gateway, internal ones at
//! the service itself.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use prost_reflect::MethodDescriptor;
use serde_json::Value;
use steward_e2e::{House, Room};
use steward_harness::{Claims, wire};
use steward_kit::auth::{Exposure, PermissionTable, PrincipalKind, Reach, Roles};
use tonic::Status;
use tonic::transport::Channel;

use super::told;
use crate::matrix::room_of;

/// Somebody who may do it elsewhere.
pub(super) struct Stranger {
    pub(super) role: String,
    pub(super) of: &'static str,
    /// Whether the estate is theirs too, and only the customer is another.
    pub(super) is_resident: bool,
    pub(super) claims: Claims,
}

/// Somebody with every role that a call may need.
pub(super) struct Caller<'h> {
    house: &'h House,
    channels: BTreeMap<Room, Channel>,
    rules: PermissionTable,
    roles: Roles,
}

impl<'h> Caller<'h> {
    pub(super) async fn open(house: &'h House) -> Result<Self> {
        let mut channels = BTreeMap::new();
        for room in Room::ALL {
            channels.insert(room, Channel::from_shared(house.url(room)?)?.connect().await?);
        }
        Ok(Self { house, channels, rules: PermissionTable::whole_suite()?, roles: Roles::built_in() })
    }

    pub(super) fn house(&self) -> &'h House {
        self.house
    }

    /// One call; the answer as it came over the wire. `by` is the subject of the caller where it matters who it is.
    pub(super) async fn send(&self, method: &MethodDescriptor, by: Option<&str>, body: &Value) -> Result<Result<Bytes, Status>> {
        let path = wire::path(method);
        let rule = self.rules.rule(&path).with_context(|| format!("{path} has no rule"))?;
        self.send_as(method, wire::claims(&self.roles, rule, by.unwrap_or("walker"))?, body).await
    }

    /// Those who hold what an RPC asks for, but elsewhere: somebody of every role that reaches the estates of its token, with
    /// another estate in it, and somebody of every role that reaches what is its own, with another customer.
    pub(super) fn strangers(&self, method: &MethodDescriptor, estate: &str, elsewhere: &str) -> Result<Vec<Stranger>> {
        let path = wire::path(method);
        let rule = self.rules.rule(&path).with_context(|| format!("{path} has no rule"))?;
        let holders = self.roles.iter().filter(|(_, role)| role.permissions.contains(&rule.permission));
        // One of a sort is as good as another: what they may do is the same permission.
        let mut sorts = BTreeMap::new();
        for (name, role) in holders {
            sorts.entry((role.kind.as_str(), role.reach)).or_insert((name, role));
        }
        // Each is a new person, for the gateway limits how fast one may call.
        let subject = || format!("stranger.{}", uuid::Uuid::now_v7());
        let strangers = sorts.into_values().filter_map(|(name, role)| {
            let (of, claims) = match (role.reach, role.kind) {
                (Reach::All, _) => return None,
                (Reach::Own, _) => ("who is another customer", Claims::customer(&subject(), uuid::Uuid::now_v7()).estate(estate)),
                (Reach::Estate, PrincipalKind::Staff) => ("of another estate", Claims::staff(&subject()).estate(elsewhere)),
                (Reach::Estate, PrincipalKind::Service) => ("of another estate", Claims::service(&subject()).estate(elsewhere)),
                (Reach::Estate, PrincipalKind::Device) => ("of another estate", Claims::device(&subject()).estate(elsewhere)),
                (Reach::Estate, PrincipalKind::Customer) => {
                    ("of another estate", Claims::customer(&subject(), uuid::Uuid::now_v7()).estate(elsewhere))
                }
            };
            Some(Stranger { role: name.to_owned(), of, is_resident: role.reach == Reach::Own, claims: claims.role(name) })
        });
        Ok(strangers.collect())
    }

    /// One call by somebody in particular.
    pub(super) async fn send_as(&self, method: &MethodDescriptor, claims: Claims, body: &Value) -> Result<Result<Bytes, Status>> {
        let path = wire::path(method);
        let rule = self.rules.rule(&path).with_context(|| format!("{path} has no rule"))?;
        let room = match rule.exposure {
            Exposure::Unspecified => Room::Gateway,
            Exposure::Internal => room_of(&path).with_context(|| format!("no room answers {path}"))?,
        };
        let token = self.house.token(claims)?;
        Ok(wire::unary(&self.channels[&room], method, &token, wire::encode(method, body)?).await)
    }

    /// One call that must succeed, its answer as JSON. `rpc` is `steward.customer.v1.UnitService/CreateUnit`.
    pub(super) async fn ask(&self, rpc: &str, by: Option<&str>, body: Value) -> Result<Value> {
        let method = wire::method(rpc)?;
        let answer = self.send(&method, by, &body).await?.map_err(|refused| told(rpc, &refused))?;
        wire::decode(&method, answer)
    }
}
