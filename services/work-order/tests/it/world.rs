//! What every test needs: a service, an estate with a unit, people with tokens, and the plans of `gateway/plans`.

use std::future::Future;
use std::net::SocketAddr;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use steward_harness::in_process::{Host, Started};
use steward_harness::{Claims, Issuer, PrivateDir, TestDatabase, TestRedis};
use steward_kit::clock::{Clock, ManualClock};
use steward_kit::plan::{documents_of, kind_of, owner_of};
use steward_kit_store::StoreConfig;
use steward_proto::common::v1 as common;
use steward_proto::metric::v1::metric_service_client::MetricServiceClient;
use steward_proto::plan::v1::PolicyScopeLevel;
use steward_proto::plan::v1::policy_service_client::PolicyServiceClient;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::calendar_service_client::CalendarServiceClient;
use steward_proto::work_order::v1::work_order_service_client::WorkOrderServiceClient;
use steward_work_order::{Config, serve_by};
use tonic::Request;
use tonic::transport::Channel;
use uuid::Uuid;

pub(crate) use crate::words::{Answer, at, clock, eventually, new_version, plan, refused, request_id, time};

/// 02:00 in Shanghai, a Monday: when the pipe bursts.
pub(crate) const NIGHT: &str = "2026-03-01T18:00:00Z";

pub(crate) const BASE: &str = include_str!("../../../../gateway/plans/base.yaml");
pub(crate) const UPLIFT: &str = include_str!("../../../../gateway/plans/service-uplift.yaml");

pub(crate) const MANAGEMENT: &str = include_str!("../../../../gateway/plans/service-management.yaml");

/// A running service and its surroundings.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) estate: Uuid,
    pub(crate) unit: Uuid,
    pub(crate) customer: Uuid,
    pub(crate) database: TestDatabase,
    pub(crate) redis: TestRedis,
    pub(crate) db: PgPool,
    config: Config,
    _dir: PrivateDir,
    host: Host,
    service: Started,
    channel: Channel,
}

/// Somebody who calls.
#[derive(Clone)]
pub(crate) struct Caller {
    token: String,
}

impl Caller {
    pub(crate) fn new(claims: &Claims) -> Self {
        Self { token: Issuer::of_tests().mint(claims).unwrap() }
    }

    pub(crate) fn with_token(token: &str) -> Self {
        Self { token: token.to_owned() }
    }

    /// A request of theirs.
    pub(crate) fn asks<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        request
    }
}

impl World {
    /// An estate under the service-uplift plan, at 02:00.
    pub(crate) async fn new() -> Self {
        let world = Self::without_plans().await;
        world.load_plans().await;
        world
    }

    /// The same estate before anybody loaded a plan.
    pub(crate) async fn without_plans() -> Self {
        Self::built(|_| std::future::ready(None)).await
    }

    /// The same as [`World::new`], its service connected to Postgres through a proxy.
    pub(crate) async fn through<F: Future<Output = SocketAddr>>(proxy: impl FnOnce(SocketAddr) -> F) -> Self {
        let world = Self::built(|upstream| async move { Some(proxy(upstream).await) }).await;
        world.load_plans().await;
        world
    }

    async fn load_plans(&self) {
        self.load_plan(BASE, PolicyScopeLevel::Base, "").await;
        self.load_plan(UPLIFT, PolicyScopeLevel::Estate, &self.estate.to_string()).await;
    }

    async fn built<F: Future<Output = Option<SocketAddr>>>(proxy: impl FnOnce(SocketAddr) -> F) -> Self {
        // What the service logs is shown with a test that fails; a second test of the process finds it set up.
        drop(tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_test_writer().try_init());
        let (clock, handle) = Clock::manual(at(NIGHT));
        let database = TestDatabase::new().await.unwrap();
        let redis = TestRedis::own().unwrap();
        let db = database.superuser().await.unwrap();
        let dir = PrivateDir::new().unwrap();
        let mut config = config(&dir, &database, &redis);
        let url: http::Uri = database.app_url("work_order").parse().unwrap();
        let port = url.port_u16().unwrap();
        if let Some(proxy) = proxy(SocketAddr::from(([127, 0, 0, 1], port))).await {
            let through = database.app_url("work_order").replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
            config.groups.store = StoreConfig::new(through, redis.url());
        }
        let mut host = Host::new();
        let serving = config.clone();
        let service = host.start("work-order", |listener, stop| loudly(serve_by(clock, serving, listener, stop))).await.unwrap();
        let channel = service.channel().await.unwrap();
        let [estate, unit, customer] = [(); 3].map(|()| Uuid::now_v7());
        let world = Self { clock: handle, estate, unit, customer, database, redis, db, config, _dir: dir, host, service, channel };
        world.register_estate(estate).await;
        sqlx::query("INSERT INTO work_order.units (estate_id, id, create_time) VALUES ($1, $2, '2026-01-01Z')")
            .bind(estate)
            .bind(unit)
            .execute(&world.db)
            .await
            .unwrap();
        world
    }

    /// Kills the service, as a crash would: nothing is drained, connections break.
    pub(crate) async fn stop(&mut self) {
        let host = std::mem::take(&mut self.host);
        host.stop().await.unwrap();
    }

    /// Starts it again by the same clock.
    pub(crate) async fn start(&mut self) {
        // A second clock that stands where the first one does, and moves from there.
        let (clock, handle) = Clock::manual(self.clock.now());
        let serving = self.config.clone();
        self.clock = handle;
        self.service = self.host.start("work-order", |listener, stop| loudly(serve_by(clock, serving, listener, stop))).await.unwrap();
        self.channel = self.service.channel().await.unwrap();
    }

    /// The keyring of the service, as text.
    pub(crate) fn keyring(&self) -> String {
        self.config.groups.crypto.keyring.as_ref().unwrap().expose_secret().to_owned()
    }

    /// Stops it and starts it with another keyring.
    pub(crate) async fn restart_with_keyring(&mut self, keyring: &str) {
        self.config.groups.crypto.keyring = Some(SecretString::from(keyring.to_owned()));
        self.stop().await;
        self.start().await;
    }

    /// Another replica over the same Postgres and Redis.
    pub(crate) async fn replica(&mut self) -> WorkOrderServiceClient<Channel> {
        let (clock, _stands_still) = Clock::manual(self.clock.now());
        let serving = self.config.clone();
        let replica = self.host.start("work-order", |listener, stop| loudly(serve_by(clock, serving, listener, stop))).await.unwrap();
        WorkOrderServiceClient::new(replica.channel().await.unwrap())
    }

    /// Makes another estate known, as the customer service's event would.
    pub(crate) async fn register_estate(&self, id: Uuid) {
        sqlx::query(
            "WITH added AS (INSERT INTO work_order.estates (id, group_id, region_id, name, time_zone, create_time, update_time)
                            VALUES ($1, $2, $3, 'Jade Garden', 'Asia/Shanghai', '2026-01-01Z', '2026-01-01Z'))
             UPDATE work_order.policy_epoch SET epoch = epoch + 1",
        )
        .bind(id)
        .bind(Uuid::now_v7())
        .bind(Uuid::now_v7())
        .execute(&self.db)
        .await
        .unwrap();
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub(crate) fn orders(&self) -> WorkOrderServiceClient<Channel> {
        WorkOrderServiceClient::new(self.channel.clone())
    }

    pub(crate) fn policies(&self) -> PolicyServiceClient<Channel> {
        PolicyServiceClient::new(self.channel.clone())
    }

    pub(crate) fn metrics(&self) -> MetricServiceClient<Channel> {
        MetricServiceClient::new(self.channel.clone())
    }

    pub(crate) fn calendars(&self) -> CalendarServiceClient<Channel> {
        CalendarServiceClient::new(self.channel.clone())
    }

    /// Staff of the estate in a role.
    pub(crate) fn staff(&self, subject: &str, role: &str) -> Caller {
        Caller::new(&Claims::staff(subject).role(role).estate(self.estate))
    }

    /// The call centre.
    pub(crate) fn desk(&self) -> Caller {
        self.staff("desk-1", "customer_service")
    }

    /// The technician Wang.
    pub(crate) fn wang(&self) -> Caller {
        self.staff("wang", "technician")
    }

    /// A desk of the whole group.
    pub(crate) fn everywhere(&self) -> Caller {
        Caller::new(&Claims::staff("desk-of-the-group").role("customer_service").every_estate())
    }

    /// Who writes the rules of the group.
    pub(crate) fn operations(&self) -> Caller {
        Caller::new(&Claims::staff("ops-1").role("group_operations").every_estate())
    }

    /// The resident whose pipe bursts.
    pub(crate) fn resident(&self) -> Caller {
        Caller::new(&Claims::customer("resident-1", self.customer).role("resident").estate(self.estate))
    }

    pub(crate) async fn load_plan(&self, yaml: &str, level: PolicyScopeLevel, id: &str) {
        let plan = plan(yaml);
        // The documents of other services are theirs.
        let own = documents_of(&plan).into_iter().filter(|document| owner_of(kind_of(document)) == "work-order");
        for document in own {
            let request = new_version(level, id, document, &plan.code);
            self.policies().create_policy_version(self.operations().asks(request)).await.unwrap();
        }
    }

    /// The report of the burst pipe.
    pub(crate) fn burst_pipe(&self) -> pb::CreateWorkOrderRequest {
        pb::CreateWorkOrderRequest {
            request_id: request_id(),
            estate_id: self.estate.to_string(),
            unit_id: self.unit.to_string(),
            customer_id: self.customer.to_string(),
            kind: common::WorkOrderKind::Repair.into(),
            channel: common::Channel::Hotline.into(),
            description: "厨房水管爆漏，水漫到客厅了".to_owned(),
            location: "厨房水槽下面".to_owned(),
            ..Default::default()
        }
    }

    /// Takes a report in, by the call centre.
    pub(crate) async fn create(&self, request: pb::CreateWorkOrderRequest) -> pb::WorkOrder {
        let answer = self.orders().create_work_order(self.desk().asks(request)).await.unwrap();
        answer.into_inner().work_order.unwrap()
    }

    pub(crate) async fn get(&self, id: &str) -> pb::WorkOrder {
        let request = pb::GetWorkOrderRequest { work_order_id: id.to_owned() };
        self.orders().get_work_order(self.desk().asks(request)).await.unwrap().into_inner().work_order.unwrap()
    }

    pub(crate) async fn history(&self, id: &str) -> Vec<pb::HistoryEntry> {
        let request = pb::ListHistoryRequest { work_order_id: id.to_owned(), page_size: 200, ..Default::default() };
        self.orders().list_history(self.desk().asks(request)).await.unwrap().into_inner().entries
    }

    pub(crate) async fn assign(&self, id: &str, assignee: &str) -> Answer<pb::WorkOrder> {
        let request = pb::AssignWorkOrderRequest {
            work_order_id: id.to_owned(),
            request_id: request_id(),
            etag: String::new(),
            assignee: assignee.to_owned(),
            over_limit_reason: String::new(),
        };
        let answer = self.orders().assign_work_order(self.desk().asks(request)).await?;
        Ok(answer.into_inner().work_order.unwrap())
    }

    /// Facts of an order in the outbox, oldest first: type without its package, and when it happened.
    pub(crate) async fn facts(&self, id: &str) -> Vec<(String, Timestamp)> {
        let rows: Vec<(String, jiff_sqlx::Timestamp)> =
            sqlx::query_as("SELECT type, occur_time FROM work_order.outbox WHERE subject_id = $1::uuid ORDER BY seq")
                .bind(id)
                .fetch_all(&self.db)
                .await
                .unwrap();
        rows.into_iter().map(|(kind, time)| (kind.rsplit('.').next().unwrap().to_owned(), time.to_jiff())).collect()
    }

    /// How often a fact of an order stands in the outbox.
    pub(crate) async fn count_facts(&self, id: &str, kind: &str) -> usize {
        self.facts(id).await.iter().filter(|(name, _)| name == kind).count()
    }

    /// How many clocks of a name are late.
    pub(crate) async fn count_late(&self, clock: &str) -> i64 {
        let sql = "SELECT count(*) FROM work_order.clocks WHERE name = $1 AND verdict = 'late'";
        sqlx::query_scalar(sql).bind(clock).fetch_one(&self.db).await.unwrap()
    }

    pub(crate) fn advance(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// A service that ends with an error says so where the test is read.
async fn loudly(service: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    service.await.inspect_err(|error| eprintln!("work-order ended: {error:#}"))
}

fn config(dir: &PrivateDir, database: &TestDatabase, redis: &TestRedis) -> Config {
    let mut groups = dir.groups("work_order", database, redis).unwrap();
    groups.telemetry.log = "info".to_owned();
    Config { groups, customer_url: None }
}
