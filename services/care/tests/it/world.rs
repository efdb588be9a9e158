//! What every test needs: the service and its neighbours, an estate with households, people with tokens, the plans of `gateway/plans`.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use sqlx::PgPool;
use steward_care::Config;
use steward_harness::in_process::Host;
use steward_harness::{Asked, Claims, Issuer, TestDatabase, TestRedis};
use steward_kit::clock::{Clock, ManualClock};
use steward_kit::ids::EstateId;
use steward_kit::plan::{documents_of, read_plan};
use steward_kit_store::outbox::Relay;
use steward_kit_store::{Db, Effects, NewEvent, StoreConfig};
use steward_proto::care::v1 as pb;
use steward_proto::customer::v1 as customer;
use steward_proto::customer::v1::audience_service_server::AudienceServiceServer;
use steward_proto::customer::v1::household_service_server::HouseholdServiceServer;
use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::policy_document::Document;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::Request;
use tonic::transport::Channel;
use uuid::Uuid;

pub(crate) use crate::households::Households;
use crate::serving::{config, start};
pub(crate) use crate::words::{at, bad_fields, eventually, refused, request_id, stamp, time};

/// 08:00 in Shanghai, a Sunday.
pub(crate) const MORNING: &str = "2026-03-01T00:00:00Z";

pub(crate) const BUTLER: &str = include_str!("../../../../gateway/plans/lifecycle-butler.yaml");
pub(crate) const UPLIFT: &str = include_str!("../../../../gateway/plans/service-uplift.yaml");
pub(crate) const CARE_315: &str = include_str!("../../../../gateway/plans/care-315.yaml");
pub(crate) const BASE: &str = include_str!("../../../../gateway/plans/base.yaml");

/// A running service and its surroundings.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) estate: EstateId,
    pub(crate) households: Households,
    pub(crate) db: PgPool,
    pub(crate) asked: Asked,
    pub(crate) config: Config,
    sources: HashMap<&'static str, Db>,
    host: Host,
    pub(crate) channel: Channel,
    _database: TestDatabase,
    _redis: TestRedis,
    _relays: JoinSet<()>,
    _customers: Host,
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

impl World {
    /// An estate under the lifecycle-butler plan, at 08:00.
    pub(crate) async fn new() -> Self {
        Self::under(&[BASE, BUTLER]).await
    }

    /// An estate under these plans, the later over the earlier.
    pub(crate) async fn under(plans: &[&str]) -> Self {
        Self::starting(MORNING, plans).await
    }

    /// The same, by a clock that begins at an instant.
    pub(crate) async fn starting(begin: &str, plans: &[&str]) -> Self {
        drop(tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_test_writer().try_init());
        let (clock, handle) = Clock::manual(at(begin));
        let database = TestDatabase::new().await.unwrap();
        let redis = TestRedis::own().unwrap();
        let households = Households::default();
        let mut customers = Host::new();
        let serving = households.clone();
        let customer_service = customers
            .start("customers", |listener, stop: CancellationToken| async move {
                let incoming = tonic::transport::server::TcpIncoming::from(listener);
                let server = tonic::transport::Server::builder().add_service(AudienceServiceServer::new(serving.clone()));
                let server = server.add_service(HouseholdServiceServer::new(serving));
                server.serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await
            })
            .await
            .unwrap();
        let asked = Asked::default();
        let url = asked.through(&database.app_url("care")).await.unwrap();
        let config = config(url, &redis, &customer_service);
        let mut sources = HashMap::new();
        let mut relays = JoinSet::new();
        for schema in ["customer", "notification", "survey", "work_order"] {
            let source = Db::connect(&StoreConfig::new(database.app_url(schema), redis.url()), schema).await.unwrap();
            relays.spawn(Relay::new(source.clone(), clock.clone()).run(CancellationToken::new()));
            sources.insert(schema, source);
        }
        let (host, channel) = start(&config, clock).await;
        let db = database.superuser().await.unwrap();
        let world = Self {
            clock: handle,
            estate: EstateId::new(),
            households,
            db,
            _database: database,
            asked,
            config,
            sources,
            host,
            channel,
            _redis: redis,
            _relays: relays,
            _customers: customers,
        };
        world.register_estate(world.estate).await;
        for (position, yaml) in plans.iter().enumerate() {
            world.load_plan(yaml, position == 0).await;
        }
        world
    }

    /// Kills the service, as a crash would, and starts it again by the same clock.
    pub(crate) async fn restart(&mut self) {
        std::mem::take(&mut self.host).stop().await.unwrap();
        let (clock, handle) = Clock::manual(self.clock.now());
        (self.host, self.channel) = start(&self.config, clock).await;
        self.clock = handle;
    }

    /// The same with another keyring, as an operator rotates it.
    pub(crate) async fn restart_with_keyring(&mut self, keyring: &str) {
        self.config.groups.crypto.keyring = Some(SecretString::from(keyring.to_owned()));
        self.restart().await;
    }

    async fn load_plan(&self, yaml: &str, is_base: bool) {
        let read = read_plan("plan.yaml", yaml).unwrap();
        for document in documents_of(&read) {
            if matches!(document, Document::Care(_)) {
                let (level, id) = if is_base {
                    (plan::PolicyScopeLevel::Base, String::new())
                } else {
                    (plan::PolicyScopeLevel::Estate, self.estate.to_string())
                };
                let request = plan::CreatePolicyVersionRequest {
                    request_id: request_id(),
                    scope: Some(plan::PolicyScope { level: level.into(), id }),
                    document: Some(plan::PolicyDocument { document: Some(document) }),
                    plan_code: read.code.clone(),
                    ..Default::default()
                };
                self.policies().create_policy_version(self.operations().asks(request)).await.unwrap();
            }
        }
    }

    pub(crate) async fn register_estate(&self, estate: EstateId) {
        let fact = customer::EstateRegistered {
            estate_id: estate.to_string(),
            group_id: Uuid::now_v7().to_string(),
            region_id: Uuid::now_v7().to_string(),
            name: "Jade Garden".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            ..Default::default()
        };
        self.publish("customer", vec![NewEvent::new(estate, estate, self.now(), &fact)]).await;
        eventually("the estate", || async {
            let sql = "SELECT count(*) FROM care.estates WHERE id = $1";
            let count: i64 = sqlx::query_scalar(sql).bind(estate.as_uuid()).fetch_one(&self.db).await.unwrap();
            (count > 0).then_some(())
        })
        .await;
    }

    /// Publishes facts of a service, and returns without waiting for anybody to hear them.
    pub(crate) async fn publish(&self, source: &str, events: Vec<NewEvent>) {
        let db = &self.sources[source];
        let effects = Effects { events, ..Effects::none() };
        let mut tx = db.begin().await.unwrap();
        effects.write(db, &mut tx, self.now()).await.unwrap();
        tx.commit().await.unwrap();
        db.wake(&effects);
    }

    /// Customer tells that facts of a household changed.
    pub(crate) async fn tell_changed(&self, household: Uuid, field: &str) {
        let fact = customer::HouseholdFactsChanged {
            household_id: household.to_string(),
            estate_id: self.estate.to_string(),
            fields: vec![field.to_owned()],
            ..Default::default()
        };
        self.publish("customer", vec![NewEvent::new(household, self.estate, self.now(), &fact)]).await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock to an instant.
    pub(crate) fn go_to(&self, text: &str) {
        self.clock.set(at(text));
    }

    pub(crate) fn advance(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    pub(crate) fn operations(&self) -> Caller {
        Caller::new(&Claims::staff("ops-1").role("group_operations").every_estate())
    }

    pub(crate) fn manager(&self) -> Caller {
        Caller::new(&Claims::staff("manager-1").role("estate_manager").estate(self.estate))
    }

    pub(crate) fn steward(&self) -> Caller {
        Caller::new(&Claims::staff("steward-1").role("steward").estate(self.estate))
    }

    /// Writes a programme of the estate and publishes it.
    pub(crate) async fn publish_programme(&self, code: &str, touchpoints: Vec<pb::TouchpointDefinition>) -> pb::Programme {
        let request = self.draft(code, touchpoints);
        let draft = self.programmes().create_programme(self.manager().asks(request)).await.unwrap().into_inner().programme.unwrap();
        self.publish_draft(&draft.id).await
    }

    pub(crate) async fn publish_draft(&self, id: &str) -> pb::Programme {
        let request = pb::PublishProgrammeRequest { request_id: request_id(), programme_id: id.to_owned(), etag: String::new() };
        self.programmes().publish_programme(self.manager().asks(request)).await.unwrap().into_inner().programme.unwrap()
    }

    pub(crate) fn draft(&self, code: &str, touchpoints: Vec<pb::TouchpointDefinition>) -> pb::CreateProgrammeRequest {
        pb::CreateProgrammeRequest {
            request_id: request_id(),
            code: code.to_owned(),
            estate_id: self.estate.to_string(),
            document: Some(pb::ProgrammeDocument {
                name_zh: "关怀".to_owned(),
                name_en: "Care".to_owned(),
                touchpoints,
                ..Default::default()
            }),
            plan_item_id: String::new(),
        }
    }

    /// Touchpoints of a household, the last due first.
    pub(crate) async fn of_household(&self, household: Uuid) -> Vec<pb::Touchpoint> {
        let request = pb::ListTouchpointsRequest { household_id: household.to_string(), ..Default::default() };
        self.touchpoints().list_touchpoints(self.manager().asks(request)).await.unwrap().into_inner().touchpoints
    }

    /// The touchpoint of a household, as soon as it stands in `state`.
    pub(crate) async fn until(&self, household: Uuid, state: pb::TouchpointState) -> pb::Touchpoint {
        eventually(state.as_str_name(), || async {
            self.of_household(household).await.into_iter().find(|touchpoint| touchpoint.state() == state)
        })
        .await
    }

    /// Waits until every programme was planned on a local day.
    pub(crate) async fn until_planned(&self, day: &str) {
        eventually("the planning", || async {
            let sql = "SELECT NOT EXISTS (SELECT FROM care.planner_runs WHERE planned_date < $1::date OR definition > 0)";
            let is_done: bool = sqlx::query_scalar(sql).bind(day).fetch_one(&self.db).await.unwrap();
            is_done.then_some(())
        })
        .await;
    }

    /// How often a fact stands in the outbox.
    pub(crate) async fn count_facts(&self, kind: &str) -> i64 {
        let sql = "SELECT count(*) FROM care.outbox WHERE type = 'steward.care.v1.' || $1";
        sqlx::query_scalar(sql).bind(kind).fetch_one(&self.db).await.unwrap()
    }

    /// Waits until a fact was told so often.
    pub(crate) async fn until_told(&self, kind: &str, times: i64) {
        eventually(kind, || async { (self.count_facts(kind).await >= times).then_some(()) }).await;
        assert_eq!(self.count_facts(kind).await, times, "{kind}");
    }
}
