//! Any RPC of the contract by its descriptor: requests in JSON or as bytes, answers as they came over the wire.
#![expect(clippy::disallowed_methods, reason = "the caller's side: this is how tonic itself tells a caller of a broken connection")]

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::{Buf as _, BufMut as _, Bytes};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use serde_json::Value;
use steward_kit::auth::{PrincipalKind, Roles, Rule};
use tokio_stream::StreamExt as _;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::tokens::Claims;

/// Roles that are tried first for a permission: who would make such a call.
const USUAL: [&str; 4] = ["group_operations", "operator", "customer_service", "technician"];

/// The RPC `steward.customer.v1.UnitService/CreateUnit`.
pub fn method(rpc: &str) -> Result<MethodDescriptor> {
    let (service, name) = rpc.split_once('/').context("service/method")?;
    let service = steward_proto::descriptor_pool().get_service_by_name(service).with_context(|| format!("no {service}"))?;
    service.methods().find(|method| method.name() == name).with_context(|| format!("no {rpc}"))
}

/// `/steward.customer.v1.UnitService/CreateUnit`
pub fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// A request in JSON, as the RPC takes it.
pub fn encode(method: &MethodDescriptor, body: &Value) -> Result<Bytes> {
    let message = DynamicMessage::deserialize(method.input(), body).with_context(|| format!("{} is asked with {body}", path(method)))?;
    Ok(message.encode_to_vec().into())
}

/// An answer of the RPC in JSON.
pub fn decode(method: &MethodDescriptor, answer: Bytes) -> Result<Value> {
    Ok(serde_json::to_value(DynamicMessage::decode(method.output(), answer)?)?)
}

/// One call with one request and one answer.
pub async fn unary(channel: &Channel, method: &MethodDescriptor, token: &str, body: Bytes) -> Result<Bytes, Status> {
    let mut client = ready(channel).await?;
    let request = with_token(body, token)?;
    client.unary(request, uri(method)?, Raw).await.map(tonic::Response::into_inner)
}

/// One call of any kind: `bodies` are sent, and what comes within `patience` is counted. A stream that goes on is left.
pub async fn call(channel: &Channel, method: &MethodDescriptor, token: &str, bodies: Vec<Bytes>, patience: Duration) -> Result<(), Status> {
    let mut client = ready(channel).await?;
    let request = with_token(tokio_stream::iter(bodies), token)?;
    let answering = async {
        let mut answers = client.streaming(request, uri(method)?, Raw).await?.into_inner();
        while answers.next().await.transpose()?.is_some() {}
        Ok(())
    };
    match tokio::time::timeout(patience, answering).await {
        Ok(answered) => answered,
        Err(_) if method.is_server_streaming() => Ok(()),
        Err(_) => Err(Status::deadline_exceeded("no answer in time")),
    }
}

async fn ready(channel: &Channel) -> Result<tonic::client::Grpc<Channel>, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone()).max_decoding_message_size(64 << 20);
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    Ok(client)
}

fn with_token<T>(message: T, token: &str) -> Result<Request<T>, Status> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().map_err(|_| Status::internal("a token that does not fit into a header"))?;
    request.metadata_mut().insert("authorization", bearer);
    Ok(request)
}

fn uri(method: &MethodDescriptor) -> Result<http::uri::PathAndQuery, Status> {
    path(method).parse().map_err(|_| Status::internal("an RPC whose name is no path"))
}

/// What somebody must be to be let in by this rule.
pub fn claims(roles: &Roles, rule: &Rule, subject: &str) -> Result<Claims> {
    let permission = &rule.permission;
    let holders = || roles.iter().filter(|(_, role)| role.permissions.contains(permission));
    let usual = USUAL.iter().find_map(|usual| holders().find(|(name, _)| name == usual));
    let anybody = || holders().find(|(_, role)| role.kind == PrincipalKind::Staff).or_else(|| holders().next());
    let (name, role) = usual.or_else(anybody).with_context(|| format!("nobody holds {permission}"))?;
    let claims = match role.kind {
        PrincipalKind::Staff => Claims::staff(subject),
        PrincipalKind::Service => Claims::service(subject),
        PrincipalKind::Device => Claims::device(subject),
        PrincipalKind::Customer => bail!("only customers hold {permission}"),
    };
    Ok(claims.role(name).every_estate())
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
