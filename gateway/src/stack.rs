//! The request stack of the gateway, top to bottom.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    handler::Handler as _,
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::get,
};
use http::{HeaderName, HeaderValue, Method, header};
use steward_kit::{
    auth::AuthLayer,
    error::unknown_method,
    server::{self, CallersLayer, ConcurrencyLimitLayer, RequestLayer, UndecodableLayer, catch_panic},
};
use steward_proto::gateway::v1::{
    board_service_server::BoardServiceServer, customer360_service_server::Customer360ServiceServer,
    intake_service_server::IntakeServiceServer, plan_service_server::PlanServiceServer,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tonic_web::GrpcWebLayer;
use tower::{Layer as _, ServiceBuilder, ServiceExt as _};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{
    GatewayConfig,
    aggregate::Services,
    forward::{Upstreams, forward},
    json,
    limits::{Limits, limit},
    localize::{Sentences, localize},
    methods::is_public,
};

/// What the stack is made of.
pub(crate) struct Stack {
    pub(crate) auth: AuthLayer,
    pub(crate) limits: Limits,
    pub(crate) sentences: Sentences,
    pub(crate) upstreams: Upstreams,
    pub(crate) services: Services,
}

/// What the front door needs.
#[derive(Clone)]
struct Front {
    grpc: Router,
    door: Router,
}

/// Serves `listener` until `shutdown`, then drains.
pub(crate) async fn serve(config: &GatewayConfig, stack: Stack, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    let names = [
        "steward.gateway.v1.IntakeService",
        "steward.gateway.v1.Customer360Service",
        "steward.gateway.v1.PlanService",
        "steward.gateway.v1.BoardService",
    ];
    let health = server::health(&names).await;
    let mut routes = RoutesBuilder::default();
    routes.add_service(health.service());
    server::add_reflection(&mut routes);
    routes.add_service(IntakeServiceServer::new(stack.services.clone()));
    routes.add_service(Customer360ServiceServer::new(stack.services.clone()));
    routes.add_service(PlanServiceServer::new(stack.services.clone()));
    routes.add_service(BoardServiceServer::new(stack.services.clone()));

    let grpc = routes
        .routes()
        .into_axum_router()
        // What we do not answer ourselves goes to its owner.
        .fallback_service(forward.with_state(stack.upstreams))
        // A runaway caller is stopped here, once it is known who calls.
        .layer(from_fn_with_state(stack.limits, limit))
        // Who calls, and may they; the services ask again.
        .layer(from_fn_with_state(stack.auth, authorise))
        // Every refusal from below gets a sentence in the caller's language.
        .layer(from_fn_with_state(stack.sentences, localize));

    let json_routes = Arc::new(json::Routes::of(steward_proto::descriptor_pool(), is_public)?);
    let door =
        Router::new().route("/openapi.json", get(json::openapi_file)).fallback_service(json::Door::new(json_routes, grpc.clone()).router());

    let front = Router::new().fallback(choose).with_state(Front { grpc, door });
    let layers = ServiceBuilder::new()
        // Names the request, opens its span and times it, whatever happens below.
        .layer(RequestLayer)
        // What cannot be decoded is refused, not our fault.
        .layer(UndecodableLayer)
        // A panic becomes INTERNAL with the request's id.
        .layer(catch_panic())
        // Turns away processes that have no business here, where certificates are asked for.
        .layer(CallersLayer)
        // Sheds load before a signature is verified.
        .layer(ConcurrencyLimitLayer::new(config.server.max_concurrent_requests));
    let router = server::builder(&config.server)
        // gRPC-Web and JSON come from browsers over HTTP/1.1 too.
        .accept_http1(true)
        .layer(cors(&config.cors_origins))
        .layer(layers.into_inner())
        .add_routes(front.into());
    server::run(&config.server, &health, listener, shutdown, |incoming, stop| router.serve_with_incoming_shutdown(incoming, stop)).await
}

/// gRPC and gRPC-Web by their content type; everything else is JSON.
async fn choose(State(front): State<Front>, request: Request) -> Response {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let answer: Result<Response, Infallible> = if content_type.starts_with("application/grpc-web") {
        let web = GrpcWebLayer::new().layer(tower::service_fn(move |request: http::Request<tonic::body::Body>| {
            front.grpc.clone().oneshot(request.map(axum::body::Body::new))
        }));
        web.oneshot(request).await.map(|response| response.map(axum::body::Body::new))
    } else if content_type.starts_with("application/grpc") {
        front.grpc.oneshot(request).await
    } else {
        front.door.oneshot(request).await
    };
    let Ok(response) = answer;
    response
}

async fn authorise(State(auth): State<AuthLayer>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // Probes and reflection tell nothing that the public contract does not.
    if path.starts_with("/grpc.health.v1.") || path.starts_with("/grpc.reflection.") {
        return next.run(request).await;
    }
    match auth.authorise(path, request.headers()).await {
        Some(Ok(access)) => {
            request.extensions_mut().insert(access);
            next.run(request).await
        }
        Some(Err(refusal)) => tonic::Status::from(refusal).into_http(),
        None => unknown_method().into_http(),
    }
}

fn cors(origins: &[String]) -> CorsLayer {
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    let grpc_headers = ["grpc-status", "grpc-message", "grpc-status-details-bin", "x-request-id", "retry-after"];
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE])
        .allow_headers(
            [
                "authorization",
                "content-type",
                "accept-language",
                "x-grpc-web",
                "x-user-agent",
                "grpc-timeout",
                "x-request-id",
                "traceparent",
            ]
            .map(HeaderName::from_static),
        )
        .expose_headers(grpc_headers.map(HeaderName::from_static))
}
