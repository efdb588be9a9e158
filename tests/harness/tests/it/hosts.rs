use steward_harness::in_process::Host;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// A service of the shape that ours have.
async fn serve(listener: TcpListener, shutdown: CancellationToken) -> Result<(), tonic::transport::Error> {
    let (_reporter, health) = tonic_health::server::health_reporter();
    tonic::transport::Server::builder()
        .add_service(health)
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), shutdown.cancelled_owned())
        .await
}

#[tokio::test]
async fn a_hosted_service_answers_and_stops_with_its_host() {
    let mut host = Host::new();
    let service = host.start("health", serve).await.unwrap();
    let mut client = HealthClient::new(service.channel().await.unwrap());
    client.check(HealthCheckRequest { service: String::new() }).await.unwrap();
    drop(client);
    host.stop().await.unwrap();
    assert!(tokio::net::TcpStream::connect(service.address).await.is_err());
}

#[tokio::test]
async fn a_service_that_failed_fails_the_stop_of_its_host() {
    let mut host = Host::new();
    host.start("broken", |_listener, _shutdown| async { Err(std::io::Error::other("no luck")) }).await.unwrap();
    let error = host.stop().await.unwrap_err();
    assert!(format!("{error:#}").contains("broken ended with an error: no luck"), "{error:#}");
}
