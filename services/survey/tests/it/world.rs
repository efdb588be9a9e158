//! What every test needs: the service with its peers, an estate with households, people with tokens, the plans of the product.

use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;
use steward_harness::in_process::{Host, Started};
use steward_harness::{Asked, Claims, Issuer, PrivateDir, TestDatabase, TestRedis};
use steward_kit::clock::{Clock, ManualClock};
use steward_kit::plan::read_plan;
use steward_kit_store::outbox::Relay;
use steward_kit_store::{Db, Effects, NewEvent, StoreConfig};
use steward_proto::customer::v1::audience_service_server::AudienceServiceServer;
use steward_proto::metric::v1::metric_service_client::MetricServiceClient;
use steward_proto::notification::v1::contact_ledger_service_server::ContactLedgerServiceServer;
use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::policy_document::Document;
use steward_proto::plan::v1::policy_service_client::PolicyServiceClient;
use steward_proto::survey::v1::feedback_service_client::FeedbackServiceClient;
use steward_proto::survey::v1::improvement_service_client::ImprovementServiceClient;
use steward_proto::survey::v1::mystery_visit_service_client::MysteryVisitServiceClient;
use steward_proto::survey::v1::programme_service_client::ProgrammeServiceClient;
use steward_proto::survey::v1::questionnaire_service_client::QuestionnaireServiceClient;
use steward_proto::survey::v1::report_service_client::ReportServiceClient;
use steward_proto::survey::v1::response_service_client::ResponseServiceClient;
use steward_proto::survey::v1::result_service_client::ResultServiceClient;
use steward_proto::survey::v1::session_service_client::SessionServiceClient;
use steward_proto::survey::v1::wave_service_client::WaveServiceClient;
use steward_survey::{Config, serve_by};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::Request;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::peers::{Household, Peers};
pub(crate) use crate::steps::census;
pub(crate) use crate::words::{at, eventually, refused, request_id};

/// 10:00 in Shanghai, a Wednesday.
pub(crate) const MORNING: &str = "2026-07-01T02:00:00Z";

const BASE: &str = include_str!("../../../../gateway/plans/base.yaml");

/// A running service and its surroundings.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) estate: Uuid,
    pub(crate) peers: Peers,
    pub(crate) db: PgPool,
    pub(crate) config: Config,
    pub(crate) channel: Channel,
    host: Host,
    care: Db,
    _relays: JoinSet<()>,
    _peer_host: Host,
    _dir: PrivateDir,
    _database: TestDatabase,
    _redis: TestRedis,
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

    /// A request of theirs.
    pub(crate) fn asks<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        request
    }
}

macro_rules! clients {
    ($($name:ident: $client:ident),+ $(,)?) => {$(
        pub(crate) fn $name(&self) -> $client<Channel> {
            $client::new(self.channel.clone())
        }
    )+};
}

impl World {
    /// An estate with these households under the product's defaults, at 10:00.
    pub(crate) async fn with(households: Vec<Household>) -> Self {
        Self::built(households, None).await
    }

    /// The same with so many households of no account.
    pub(crate) async fn of(count: usize) -> Self {
        Self::with((0..count).map(|_| Household::new()).collect()).await
    }

    /// The same, with what the service asks of Postgres noted.
    pub(crate) async fn noted(count: usize, log: &Asked) -> Self {
        Self::built((0..count).map(|_| Household::new()).collect(), Some(log)).await
    }

    async fn built(households: Vec<Household>, log: Option<&Asked>) -> Self {
        // What the service logs is shown with a test that fails; a second test of the process finds it set up.
        drop(tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_test_writer().try_init());
        let (clock, handle) = Clock::manual(at(MORNING));
        let (database, redis) = (TestDatabase::new().await.unwrap(), TestRedis::own().unwrap());
        let db = database.superuser().await.unwrap();
        let dir = PrivateDir::new().unwrap();
        let peers = Peers::default();
        peers.0.lock().unwrap().households = households;
        let mut peer_host = Host::new();
        let serving = peers.clone();
        let peer: Started = peer_host
            .start("peers", |listener, stop: CancellationToken| async move {
                let incoming = tonic::transport::server::TcpIncoming::from(listener);
                let server = tonic::transport::Server::builder()
                    .add_service(AudienceServiceServer::new(serving.clone()))
                    .add_service(ContactLedgerServiceServer::new(serving));
                server.serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await
            })
            .await
            .unwrap();
        let mut groups = dir.groups("survey", &database, &redis).unwrap();
        if let Some(log) = log {
            let through = log.through(&database.app_url("survey")).await.unwrap();
            groups.store = StoreConfig::new(through, redis.url());
        }
        let config = Config { groups, customer_url: peer.url(), notification_url: peer.url() };
        // Care's side of the transport: what it publishes is relayed as by itself.
        let care = Db::connect(&StoreConfig::new(database.app_url("care"), redis.url()), "care").await.unwrap();
        let mut relays = JoinSet::new();
        relays.spawn(Relay::new(care.clone(), clock.clone()).run(CancellationToken::new()));
        let (host, channel) = start(&config, clock).await;
        let world = Self {
            clock: handle,
            estate: Uuid::now_v7(),
            peers,
            db,
            config,
            channel,
            host,
            care,
            _relays: relays,
            _peer_host: peer_host,
            _dir: dir,
            _database: database,
            _redis: redis,
        };
        world.register_estate(world.estate).await;
        let policy = read_plan("base.yaml", BASE).unwrap().survey.unwrap();
        world.load_policy(plan::PolicyScopeLevel::Base, "", policy).await;
        world
    }

    /// Kills the service, as a crash would, and starts it again where the clock stands.
    pub(crate) async fn restart(&mut self) {
        std::mem::take(&mut self.host).stop().await.unwrap();
        let (clock, handle) = Clock::manual(self.clock.now());
        (self.host, self.channel) = start(&self.config, clock).await;
        self.clock = handle;
    }

    /// Makes an estate known, as the customer service's event would.
    pub(crate) async fn register_estate(&self, id: Uuid) {
        sqlx::query(
            "WITH added AS (INSERT INTO survey.estates (id, group_id, region_id, name, time_zone, create_time, update_time)
                            VALUES ($1, $2, $3, 'Jade Garden', 'Asia/Shanghai', '2026-01-01Z', '2026-01-01Z'))
             UPDATE survey.policy_epoch SET epoch = epoch + 1",
        )
        .bind(id)
        .bind(Uuid::now_v7())
        .bind(Uuid::now_v7())
        .execute(&self.db)
        .await
        .unwrap();
    }

    pub(crate) async fn load_policy(&self, level: plan::PolicyScopeLevel, id: &str, policy: plan::SurveyPolicy) {
        let request = plan::CreatePolicyVersionRequest {
            request_id: request_id(),
            scope: Some(plan::PolicyScope { level: level.into(), id: id.to_owned() }),
            document: Some(plan::PolicyDocument { document: Some(Document::Survey(policy)) }),
            plan_code: "test".to_owned(),
            ..Default::default()
        };
        PolicyServiceClient::new(self.channel.clone()).create_policy_version(self.operations().asks(request)).await.unwrap();
    }

    /// A policy of the estate, over the defaults.
    pub(crate) async fn estate_policy(&self, policy: plan::SurveyPolicy) {
        self.load_policy(plan::PolicyScopeLevel::Estate, &self.estate.to_string(), policy).await;
    }

    /// Care publishes a fact.
    pub(crate) async fn care_tells(&self, event: NewEvent) {
        let effects = Effects { events: vec![event], ..Effects::none() };
        let mut tx = self.care.begin().await.unwrap();
        effects.write(&self.care, &mut tx, self.now()).await.unwrap();
        tx.commit().await.unwrap();
        self.care.wake(&effects);
    }

    clients! {
        questionnaires: QuestionnaireServiceClient,
        programmes: ProgrammeServiceClient,
        waves: WaveServiceClient,
        responses: ResponseServiceClient,
        results: ResultServiceClient,
        sessions: SessionServiceClient,
        feedback: FeedbackServiceClient,
        improvements: ImprovementServiceClient,
        reports: ReportServiceClient,
        mystery_visits: MysteryVisitServiceClient,
        metrics: MetricServiceClient,
    }

    /// Staff of the estate in a role.
    pub(crate) fn staff(&self, subject: &str, role: &str) -> Caller {
        Caller::new(&Claims::staff(subject).role(role).estate(self.estate))
    }

    /// Who writes the rules of the group.
    pub(crate) fn operations(&self) -> Caller {
        Caller::new(&Claims::staff("ops-1").role("group_operations").every_estate())
    }

    /// The manager of the estate.
    pub(crate) fn manager(&self) -> Caller {
        self.staff("manager-1", "estate_manager")
    }

    /// The household at a place, and its resident.
    pub(crate) fn resident(&self, at: usize) -> Caller {
        self.resident_of(&self.household(at))
    }

    pub(crate) fn resident_of(&self, household: &Household) -> Caller {
        let customer = household.customer.unwrap();
        Caller::new(&Claims::customer(&format!("resident-{customer}"), customer).role("resident").estate(self.estate))
    }

    pub(crate) fn household(&self, at: usize) -> Household {
        self.peers.0.lock().unwrap().households[at].clone()
    }

    pub(crate) fn advance(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How often a fact of a type stands in the outbox.
    pub(crate) async fn facts(&self, kind: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM survey.outbox WHERE type = 'steward.survey.v1.' || $1")
            .bind(kind)
            .fetch_one(&self.db)
            .await
            .unwrap()
    }

    /// The facts of a type, decoded, oldest first.
    pub(crate) async fn told<M: prost::Message + Default>(&self, kind: &str) -> Vec<M> {
        let rows: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT payload FROM survey.outbox WHERE type = 'steward.survey.v1.' || $1 ORDER BY seq")
                .bind(kind)
                .fetch_all(&self.db)
                .await
                .unwrap();
        rows.iter().map(|bytes| M::decode(bytes.as_slice()).unwrap()).collect()
    }
}

async fn start(config: &Config, clock: Clock) -> (Host, Channel) {
    let mut host = Host::new();
    let serving = config.clone();
    let service: Started = host
        .start("survey", |listener, stop| async move {
            serve_by(clock, serving, listener, stop).await.inspect_err(|error| eprintln!("survey ended: {error:#}"))
        })
        .await
        .unwrap();
    let channel = service.channel().await.unwrap();
    (host, channel)
}
