//! The layer that lets a request in.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response, header};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::access::Access;
use super::permissions::PermissionTable;
use super::roles::Roles;
use super::verifier::TokenVerifier;
use crate::error::{Error, Result, unknown_method};

/// Services that answer anybody: probes and reflection tell nothing that the public protos do not.
const OPEN: [&str; 2] = ["/grpc.health.v1.Health/", "/grpc.reflection."];

/// Verifies the caller, finds the permission of the RPC, and puts an [`Access`] into the request. A path without a
/// rule is refused: there is no RPC that anybody may call.
#[derive(Clone, Debug)]
pub struct AuthLayer(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    verifier: Arc<TokenVerifier>,
    table: PermissionTable,
    roles: Arc<Roles>,
}

impl AuthLayer {
    /// A layer for the RPCs in `table`.
    pub fn new(verifier: Arc<TokenVerifier>, table: PermissionTable, roles: Arc<Roles>) -> Self {
        Self(Arc::new(Parts { verifier, table, roles }))
    }

    /// What the layer does, for a caller that has a path and headers instead of a whole request.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::PermissionDenied`], or the issuer is [`Error::Unavailable`]. `None` when
    /// no rule is known for `path`.
    pub async fn authorise(&self, path: &str, headers: &HeaderMap) -> Option<Result<Access>> {
        let rule = self.0.table.rule(path)?;
        Some(self.0.authorise(path, &rule.permission, headers).await)
    }
}

impl Parts {
    async fn authorise(&self, path: &str, permission: &str, headers: &HeaderMap) -> Result<Access> {
        let principal = self.verifier.verify(bearer(headers)?).await?;
        let access = self.roles.authorise(&principal, permission);
        if access.is_err() {
            tracing::warn!(
                target: "audit",
                subject = principal.subject,
                kind = principal.kind.as_str(),
                roles = ?principal.roles,
                permission,
                path,
                "permission denied"
            );
        }
        access
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Error::Unauthenticated { detail: "exactly one bearer token is expected" });
    };
    let scheme_and_token = value.to_str().ok().and_then(|value| value.split_once(' '));
    match scheme_and_token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        Some(_) | None => Err(Error::Unauthenticated { detail: "the authorization is not a bearer token" }),
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, layer: self.clone() }
    }
}

/// The service [`AuthLayer`] makes.
#[derive(Clone, Debug)]
pub struct Auth<S> {
    inner: S,
    layer: AuthLayer,
}

impl<S> Service<Request<Body>> for Auth<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The clone is not known to be ready; the one that is goes into the future.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move {
            let path = request.uri().path();
            if OPEN.iter().any(|open| path.starts_with(open)) {
                return inner.call(request).await;
            }
            match layer.authorise(path, request.headers()).await {
                Some(Ok(access)) => {
                    request.extensions_mut().insert(access);
                    inner.call(request).await
                }
                Some(Err(refusal)) => Ok(Status::from(refusal).into_http()),
                None => Ok(unknown_method().into_http()),
            }
        })
    }
}
