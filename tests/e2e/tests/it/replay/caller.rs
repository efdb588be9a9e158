//! Calls any RPC of the contract by its descriptor, with a request in JSON: public ones through the gateway, internal ones at
//! the service itself.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use bytes::{Buf as _, BufMut as _, Bytes};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use serde_json::Value;
use steward_e2e::{House, Room};
use steward_harness::Claims;
use steward_kit::auth::{Exposure, PermissionTable, PrincipalKind, Roles};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::told;
use crate::matrix::room_of;

/// Roles that are tried first for a permission: who would make such a call.
const USUAL: [&str; 4] = ["group_operations", "operator", "customer_service", "technician"];

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
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let rule = self.rules.rule(&path).with_context(|| format!("{path} has no rule"))?;
        let room = match rule.exposure {
            Exposure::Unspecified => Room::Gateway,
            Exposure::Internal => room_of(&path).with_context(|| format!("no room answers {path}"))?,
        };
        let message = DynamicMessage::deserialize(method.input(), body).with_context(|| format!("{path} is asked with {body}"))?;
        let mut request = Request::new(Bytes::from(message.encode_to_vec()));
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token(&rule.permission, by)?).parse()?);
        let mut client = tonic::client::Grpc::new(self.channels[&room].clone());
        client.ready().await?;
        Ok(client.unary(request, path.parse()?, Raw).await.map(tonic::Response::into_inner))
    }

    /// One call that must succeed, its answer as JSON. `rpc` is `steward.customer.v1.UnitService/CreateUnit`.
    pub(super) async fn ask(&self, rpc: &str, by: Option<&str>, body: Value) -> Result<Value> {
        let (service, name) = rpc.split_once('/').context("service/method")?;
        let service = steward_proto::descriptor_pool().get_service_by_name(service).with_context(|| format!("no {service}"))?;
        let method = service.methods().find(|method| method.name() == name).with_context(|| format!("no {rpc}"))?;
        let answer = self.send(&method, by, &body).await?.map_err(|refused| told(rpc, &refused))?;
        Ok(serde_json::to_value(DynamicMessage::decode(method.output(), answer)?)?)
    }

    fn token(&self, permission: &str, by: Option<&str>) -> Result<String> {
        let holders = || self.roles.iter().filter(|(_, role)| role.permissions.contains(permission));
        let usual = USUAL.iter().find_map(|usual| holders().find(|(name, _)| name == usual));
        let anybody = || holders().find(|(_, role)| role.kind == PrincipalKind::Staff).or_else(|| holders().next());
        let (name, role) = usual.or_else(anybody).with_context(|| format!("nobody holds {permission}"))?;
        let subject = by.unwrap_or("walker");
        let claims = match role.kind {
            PrincipalKind::Staff => Claims::staff(subject),
            PrincipalKind::Service => Claims::service(subject),
            PrincipalKind::Device => Claims::device(subject),
            PrincipalKind::Customer => anyhow::bail!("only customers hold {permission}"),
        };
        self.house.token(claims.role(name).every_estate())
    }
}

/// Messages as they are on the wire: what is compared is what was sent.
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
