//! Passes RPCs on to the service that owns them, byte for byte: no decoding, no encoding, no code per RPC. Of calls about
//! policies one field is looked at, the kind, which says who owns them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use http::HeaderValue;
use steward_kit::{Error, client::Pool, telemetry};

use crate::{
    methods::{Methods, Owner, Target},
    policy_owner,
};

/// The services behind the gateway.
#[derive(Debug, Clone)]
pub struct Upstreams {
    pools: BTreeMap<Owner, Pool>,
    methods: Arc<Methods>,
    default_deadline: HeaderValue,
}

impl Upstreams {
    /// The connections to the services; unary calls without a deadline of their own get `default_deadline`.
    pub fn new(pools: BTreeMap<Owner, Pool>, methods: Arc<Methods>, default_deadline: Duration) -> Self {
        let millis = format!("{}m", default_deadline.as_millis());
        let default_deadline = HeaderValue::try_from(millis).unwrap_or_else(|_| HeaderValue::from_static("10000m"));
        Self { pools, methods, default_deadline }
    }

    /// The connections to a service.
    ///
    /// # Errors
    /// The service is not configured.
    pub fn pool(&self, owner: Owner) -> Result<&Pool, Error> {
        self.pools.get(&owner).ok_or_else(|| Error::bug(format!("no address is configured for {}", owner.name())))
    }
}

/// Answers an RPC that the gateway does not answer itself.
pub async fn forward(State(upstreams): State<Upstreams>, request: Request) -> Response {
    match pass(upstreams, request).await {
        Ok(response) => response,
        Err(error) => tonic::Status::from(error).into_http(),
    }
}

async fn pass(upstreams: Upstreams, mut request: Request) -> Result<Response, Error> {
    let path = request.uri().path().to_owned();
    let entry = upstreams.methods.get(&path).ok_or_else(|| Error::not_found("rpc", &path))?;
    if entry.unary && !request.headers().contains_key("grpc-timeout") {
        request.headers_mut().insert("grpc-timeout", upstreams.default_deadline.clone());
    }
    let owner = match entry.target {
        Target::Owner(owner) => owner,
        Target::PolicyOwner => {
            let (owner, whole) = policy_owner::read(&path, request).await?;
            request = whole;
            owner
        }
    };
    let pool = upstreams.pool(owner)?;
    // The service's span belongs to ours, whether the caller brought a trace or it begins here.
    telemetry::inject(request.headers_mut());
    let call = telemetry::Call::to(&path);
    let response = call.observe(pool.call(request.map(tonic::body::Body::new), None)).await;
    let response = response.map_err(|error| Error::unavailable(owner.name(), error))?;
    Ok(response.map(Body::new))
}
