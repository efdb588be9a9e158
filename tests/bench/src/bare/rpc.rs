//! The RPCs by their paths, as generated code would have them, but for those three only.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use steward_proto::work_order::v1 as pb;
use tonic::{
    Request, Response, Status,
    body::Body,
    server::{Grpc, NamedService, UnaryService},
};
use tonic_prost::ProstCodec;
use tower::Service;

use crate::{State, create::create, get::get};

/// The service.
#[derive(Clone)]
pub(crate) struct Bare(Arc<State>);

impl Bare {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self(state)
    }
}

impl NamedService for Bare {
    const NAME: &'static str = "steward.work_order.v1.WorkOrderService";
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Infallible>> + Send>>;

impl Service<http::Request<Body>> for Bare {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<http::Response<Body>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let state = Arc::clone(&self.0);
        Box::pin(async move {
            let answer = match request.uri().path().rsplit('/').next() {
                Some("CreateWorkOrder") => Grpc::new(ProstCodec::default()).unary(Create(state), request).await,
                Some("GetWorkOrder") => Grpc::new(ProstCodec::default()).unary(Get(state), request).await,
                // Whatever else is asked for is answered with nothing: the empty call.
                Some(_) | None => Grpc::new(ProstCodec::default()).unary(Nothing, request).await,
            };
            Ok(answer)
        })
    }
}

type Call<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;

struct Create(Arc<State>);

impl UnaryService<pb::CreateWorkOrderRequest> for Create {
    type Response = pb::CreateWorkOrderResponse;
    type Future = Call<Self::Response>;

    fn call(&mut self, request: Request<pb::CreateWorkOrderRequest>) -> Self::Future {
        let state = Arc::clone(&self.0);
        Box::pin(async move { create(&state, request.into_inner()).await.map(Response::new) })
    }
}

struct Get(Arc<State>);

impl UnaryService<pb::GetWorkOrderRequest> for Get {
    type Response = pb::GetWorkOrderResponse;
    type Future = Call<Self::Response>;

    fn call(&mut self, request: Request<pb::GetWorkOrderRequest>) -> Self::Future {
        let state = Arc::clone(&self.0);
        Box::pin(async move { get(&state, request.into_inner()).await.map(Response::new) })
    }
}

/// Reads any message, answers with an empty one.
pub(crate) struct Nothing;

impl UnaryService<()> for Nothing {
    type Response = ();
    type Future = Call<()>;

    fn call(&mut self, _request: Request<()>) -> Self::Future {
        Box::pin(async { Ok(Response::new(())) })
    }
}
