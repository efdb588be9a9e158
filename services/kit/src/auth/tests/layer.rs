use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use serde_json::json;
use tonic::body::Body;
use tower::{Layer, ServiceExt, service_fn};

use super::*;
use crate::clock::Clock;

const ASSIGN: &str = "/steward.work_order.v1.WorkOrderService/AssignWorkOrder";

/// Calls through the layer; the inner service tells whose access it saw. Returns gRPC code and that subject.
async fn call(issuer: &TestIssuer, path: &str, authorization: &[String]) -> (Option<String>, Option<String>) {
    let verifier = TokenVerifier::new(issuer.trusted(), "steward", Clock::system()).expect("a verifier");
    let table = PermissionTable::whole_suite().expect("declared");
    let inner = service_fn(|request: Request<Body>| async move {
        let access = request.extensions().get::<Access>();
        let mut response = Response::new(Body::empty());
        let subject = access.map_or("nobody", |access| access.principal.subject.as_str());
        response.headers_mut().insert("subject", subject.parse().expect("a header"));
        Ok::<_, Infallible>(response)
    });
    let mut request = Request::builder().uri(path);
    for value in authorization {
        request = request.header("authorization", value);
    }
    let service = AuthLayer::new(Arc::new(verifier), table, Arc::new(Roles::built_in())).layer(inner);
    let response = service.oneshot(request.body(Body::empty()).expect("a request")).await.expect("answers");
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
    (header("grpc-status"), header("subject"))
}

#[tokio::test]
async fn the_layer_lets_in_whom_the_roles_allow() {
    let issuer = TestIssuer::start().await;
    let bearer = |changes| vec![format!("Bearer {}", issuer.token(changes))];
    let steward = bearer(json!({}));
    let technician = bearer(json!({"roles": ["technician"]}));
    let twice = [steward.clone(), steward.clone()].concat();
    let refused = |code: &str| (Some(code.to_owned()), None);
    let let_in = |subject: &str| (None, Some(subject.to_owned()));

    assert_eq!(call(&issuer, ASSIGN, &steward).await, let_in("staff-1"));
    assert_eq!(call(&issuer, ASSIGN, &technician).await, refused("7"), "PERMISSION_DENIED");
    assert_eq!(call(&issuer, ASSIGN, &[]).await, refused("16"), "UNAUTHENTICATED");
    assert_eq!(call(&issuer, ASSIGN, &["Basic abc".into()]).await, refused("16"));
    assert_eq!(call(&issuer, ASSIGN, &twice).await, refused("16"), "which of two tokens would count?");
    assert_eq!(call(&issuer, "/steward.work_order.v1.WorkOrderService/Nothing", &steward).await, refused("12"));
    assert_eq!(call(&issuer, "/grpc.health.v1.Health/Check", &[]).await, let_in("nobody"));
}

/// XC-31, XC-51
#[tokio::test]
async fn a_denial_is_audited_and_the_token_is_not() {
    let issuer = TestIssuer::start().await;
    let token = issuer.token(json!({"roles": ["technician"], "sub": "staff-9"}));
    let (log, _guard) = crate::captured_log::CapturedLog::start();
    call(&issuer, ASSIGN, &[format!("Bearer {token}")]).await;
    let text = log.text();
    let line = text.lines().find(|line| line.contains(" audit: ")).unwrap_or_else(|| panic!("no audit line in {text}"));
    for word in ["permission denied", "staff-9", "work_order.assign", "technician"] {
        assert!(line.contains(word), "{word} is missing in {line}");
    }
    let signature = token.rsplit('.').next().expect("has one");
    assert!(!text.contains(signature));
}

#[test]
fn a_handler_without_the_layer_fails_closed() {
    assert!(matches!(Access::of(&tonic::Request::new(())), Err(crate::Error::Internal(_))));
}

#[test]
fn the_service_token_is_read_again_when_it_changes() {
    let file = std::env::temp_dir().join(format!("steward-kit-token-{}", uuid::Uuid::now_v7()));
    let source = TokenSource::file(&file);
    assert!(source.authorization().is_err(), "not mounted yet");
    std::fs::write(&file, "one\n").expect("writes");
    assert_eq!(source.authorization().expect("read"), "Bearer one");
    std::fs::write(&file, "two\n").expect("writes");
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    std::fs::File::options().write(true).open(&file).and_then(|file| file.set_modified(later)).expect("is touched");
    let value = source.authorization().expect("read");
    assert_eq!(value, "Bearer two");
    assert!(value.is_sensitive());
    std::fs::remove_file(file).expect("cleans up");
}
