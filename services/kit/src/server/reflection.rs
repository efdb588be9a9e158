//! Reflection, made when somebody first asks for it: tools do, callers never, and holding the contract twice for them is most of
//! what an idle service would take.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tonic_reflection::server::{Builder, Error as Undecodable};
use tower::Service;

use crate::Error;

/// Adds both versions of the protocol: tools are half-way between them.
pub fn add_reflection(routes: &mut RoutesBuilder) {
    routes.add_service(OnDemand::new(|| contract().build_v1()));
    routes.add_service(OnDemand::new(|| contract().build_v1alpha()));
}

fn contract<'a>() -> Builder<'a> {
    Builder::configure()
        .register_encoded_file_descriptor_set(steward_proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// A service that its first call makes.
struct OnDemand<S, F> {
    made: Arc<OnceLock<Option<S>>>,
    make: F,
}

impl<S, F: Fn() -> Result<S, Undecodable>> OnDemand<S, F> {
    fn new(make: F) -> Self {
        Self { made: Arc::default(), make }
    }

    /// None if the contract's own descriptors do not decode, which is tried in the tests.
    fn get(&self) -> Option<S>
    where
        S: Clone,
    {
        self.made.get_or_init(|| (self.make)().ok()).clone()
    }
}

impl<S, F: Clone> Clone for OnDemand<S, F> {
    fn clone(&self) -> Self {
        Self { made: self.made.clone(), make: self.make.clone() }
    }
}

impl<S: NamedService, F> NamedService for OnDemand<S, F> {
    const NAME: &'static str = S::NAME;
}

impl<S, F> Service<Request<Body>> for OnDemand<S, F>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
    S::Future: Send + 'static,
    F: Fn() -> Result<S, Undecodable>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.get() {
            // Servers of tonic are always ready.
            Some(mut service) => Box::pin(service.call(request)),
            None => Box::pin(async { Ok(Status::from(Error::bug("the contract's own descriptors do not decode")).into_http()) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_can_be_reflected() {
        assert!(contract().build_v1().is_ok());
        assert!(contract().build_v1alpha().is_ok());
    }
}
