use redis::AsyncCommands;
use steward_harness::TestRedis;

async fn connect(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

#[tokio::test]
async fn a_test_may_flush_and_kill_a_server_of_its_own() {
    let shared = TestRedis::shared().unwrap();
    let mut own = TestRedis::own().unwrap();
    assert_ne!(shared.port(), own.port());
    let _: () = connect(&shared.url()).await.set("kept", 1).await.unwrap();
    let _: () = connect(&own.url()).await.set("lost", 1).await.unwrap();

    own.stop();
    assert!(redis::Client::open(own.url()).unwrap().get_multiplexed_async_connection().await.is_err());
    own.start().unwrap();
    let lost: Option<i32> = connect(&own.url()).await.get("lost").await.unwrap();
    let kept: Option<i32> = connect(&shared.url()).await.get("kept").await.unwrap();
    assert_eq!((lost, kept), (None, Some(1)));
}
