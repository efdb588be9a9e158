//! What every test needs: the service and its neighbours, an estate with a customer, people with tokens.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use steward_harness::in_process::{Host, Started};
use steward_harness::{Asked, Claims, Issuer, MailSink, PrivateDir, TestDatabase, TestRedis, WebhookSink};
use steward_kit::clock::{Clock, ManualClock};
use steward_kit::ids::{CustomerId, EstateId, WorkOrderId};
use steward_kit_store::outbox::Relay;
use steward_kit_store::{Db, Effects, NewEvent, StoreConfig};
use steward_notification::{Config, serve_by};
use steward_proto::common::v1 as common;
use steward_proto::customer::v1 as customer;
use steward_proto::customer::v1::audience_service_server::AudienceServiceServer;
use steward_proto::customer::v1::contact_service_server::ContactServiceServer;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::contact_ledger_service_client::ContactLedgerServiceClient;
use steward_proto::notification::v1::inbox_service_client::InboxServiceClient;
use steward_proto::notification::v1::message_service_client::MessageServiceClient;
use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::policy_service_client::PolicyServiceClient;
use steward_proto::work_order::v1 as work_order;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::Request;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::neighbours::{Addresses, Situations};
pub(crate) use crate::words::{at, bad_fields, eventually, refused, request_id};

/// 10:00 in Shanghai.
pub(crate) const MORNING: &str = "2026-03-02T02:00:00Z";

/// 22:00 in Shanghai.
pub(crate) const NIGHT: &str = "2026-03-02T14:00:00Z";

/// A running service and its surroundings.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) estate: EstateId,
    pub(crate) customer: CustomerId,
    pub(crate) addresses: Addresses,
    pub(crate) situations: Situations,
    pub(crate) mail: MailSink,
    pub(crate) hooks: WebhookSink,
    pub(crate) database: TestDatabase,
    pub(crate) config: Config,
    sources: HashMap<&'static str, Db>,
    pub(crate) host: Host,
    pub(crate) channel: Channel,
    _dir: PrivateDir,
    _redis: TestRedis,
    _relays: JoinSet<()>,
    _contacts: Host,
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
    /// An estate and a customer with an address, at 10:00.
    pub(crate) async fn new() -> Self {
        Self::at(MORNING).await
    }

    /// The same, with what it asks of Postgres noted.
    pub(crate) async fn noted(asked: &Asked) -> Self {
        Self::built(MORNING, Some(asked)).await
    }

    /// The same at another time.
    pub(crate) async fn at(time: &str) -> Self {
        Self::built(time, None).await
    }

    async fn built(time: &str, asked: Option<&Asked>) -> Self {
        drop(tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::WARN).with_test_writer().try_init());
        let (clock, handle) = Clock::manual(at(time));
        let database = TestDatabase::new().await.unwrap();
        let redis = TestRedis::own().unwrap();
        let (mail, hooks) = (MailSink::start().await.unwrap(), WebhookSink::start().await.unwrap());
        let (addresses, situations) = (Addresses::default(), Situations::default());
        let mut contacts = Host::new();
        let (serving, telling) = (addresses.clone(), situations.clone());
        let contact_service = contacts
            .start("contacts", |listener, stop: CancellationToken| async move {
                let incoming = tonic::transport::server::TcpIncoming::from(listener);
                let server = tonic::transport::Server::builder()
                    .add_service(ContactServiceServer::new(serving))
                    .add_service(AudienceServiceServer::new(telling));
                server.serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await
            })
            .await
            .unwrap();
        let dir = PrivateDir::new().unwrap();
        let mut config = config(&dir, &database, &redis, &mail, &contact_service);
        if let Some(asked) = asked {
            config.groups.store = StoreConfig::new(asked.through(&database.app_url("notification")).await.unwrap(), redis.url());
        }

        let mut sources = HashMap::new();
        let mut relays = JoinSet::new();
        for schema in ["customer", "work_order", "survey", "care"] {
            let source = Db::connect(&StoreConfig::new(database.app_url(schema), redis.url()), schema).await.unwrap();
            relays.spawn(Relay::new(source.clone(), clock.clone()).run(CancellationToken::new()));
            sources.insert(schema, source);
        }
        let (host, channel) = start(&config, clock).await;
        let world = Self {
            clock: handle,
            estate: EstateId::new(),
            customer: CustomerId::new(),
            addresses,
            situations,
            mail,
            hooks,
            database,
            config,
            sources,
            host,
            channel,
            _dir: dir,
            _redis: redis,
            _relays: relays,
            _contacts: contacts,
        };
        world.register_estate(world.estate).await;
        world.register_customer(world.customer, world.estate).await;
        world.addresses.0.lock().unwrap().insert(world.customer.to_string(), "li@example.com".to_owned());
        world
    }

    /// Stops the service, as a deployment would, and starts it again by the same clock.
    pub(crate) async fn restart(&mut self) {
        std::mem::take(&mut self.host).stop().await.unwrap();
        let (clock, handle) = Clock::manual(self.clock.now());
        (self.host, self.channel) = start(&self.config, clock).await;
        self.clock = handle;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub(crate) fn inbox(&self) -> InboxServiceClient<Channel> {
        InboxServiceClient::new(self.channel())
    }

    pub(crate) fn messages(&self) -> MessageServiceClient<Channel> {
        MessageServiceClient::new(self.channel())
    }

    /// The customer as themselves.
    pub(crate) fn resident(&self) -> Caller {
        Caller::new(&Claims::customer("resident-1", self.customer).role("resident").estate(self.estate))
    }

    /// Somebody of the group's operations.
    pub(crate) fn operations(&self) -> Caller {
        Caller::new(&Claims::staff("ops-1").role("group_operations").role("operator").every_estate())
    }

    /// The manager of the estate.
    pub(crate) fn manager(&self) -> Caller {
        Caller::new(&Claims::staff("manager-1").role("estate_manager").estate(self.estate))
    }

    /// The survey service.
    pub(crate) fn survey(&self) -> Caller {
        Caller::new(&Claims::service("service.survey").role("service.survey").every_estate())
    }

    pub(crate) fn ledger(&self) -> ContactLedgerServiceClient<Channel> {
        ContactLedgerServiceClient::new(self.channel())
    }

    /// What the estate's own contact policy says over the one that ships.
    pub(crate) async fn set_policy(&self, contact: plan::ContactPolicy) {
        let request = plan::CreatePolicyVersionRequest {
            request_id: request_id(),
            scope: Some(plan::PolicyScope { level: plan::PolicyScopeLevel::Estate.into(), id: self.estate.to_string() }),
            document: Some(plan::PolicyDocument { document: Some(plan::policy_document::Document::Contact(contact)) }),
            ..Default::default()
        };
        PolicyServiceClient::new(self.channel()).create_policy_version(self.operations().asks(request)).await.unwrap();
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

    pub(crate) async fn register_estate(&self, estate: EstateId) {
        let fact = customer::EstateRegistered {
            estate_id: estate.to_string(),
            group_id: Uuid::now_v7().to_string(),
            region_id: Uuid::now_v7().to_string(),
            name: "Harbour View".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            ..Default::default()
        };
        self.publish("customer", vec![NewEvent::new(estate, estate, self.now(), &fact)]).await;
        self.until_counted("SELECT count(*) FROM notification.estates WHERE id = $1", estate.as_uuid()).await;
    }

    pub(crate) async fn register_customer(&self, id: CustomerId, estate: EstateId) {
        let fact = customer::CustomerCreated {
            customer_id: id.to_string(),
            home_estate_id: estate.to_string(),
            preferred_language: "zh-CN".to_owned(),
            ..Default::default()
        };
        self.publish("customer", vec![NewEvent::new(id, estate, self.now(), &fact)]).await;
        self.until_counted("SELECT count(*) FROM notification.customers WHERE id = $1", id.as_uuid()).await;
    }

    async fn until_counted(&self, sql: &'static str, id: Uuid) {
        let pool = self.database.superuser().await.unwrap();
        eventually("a row", || async {
            let count: i64 = sqlx::query_scalar(sql).bind(id).fetch_one(&pool).await.unwrap();
            (count > 0).then_some(())
        })
        .await;
    }

    /// What an order's facts say: a burst pipe of the customer, in the hands of tech-1.
    pub(crate) fn order(&self, id: WorkOrderId) -> work_order::OrderFacts {
        work_order::OrderFacts {
            work_order_id: id.to_string(),
            number: "WO-2026-000123".to_owned(),
            estate_id: self.estate.to_string(),
            customer_id: self.customer.to_string(),
            kind: common::WorkOrderKind::Repair.into(),
            category: "burst_pipe".to_owned(),
            urgency: common::Urgency::L1.into(),
            state: work_order::State::Received.into(),
            cycle: 1,
            assignee: "tech-1".to_owned(),
            ..Default::default()
        }
    }

    /// An order came in.
    pub(crate) fn created(&self, id: WorkOrderId) -> NewEvent {
        NewEvent::new(id, self.estate, self.now(), &work_order::WorkOrderCreated { order: Some(self.order(id)), ..Default::default() })
    }

    /// The caller's inbox, as soon as it has `count` items.
    pub(crate) async fn items(&self, caller: &Caller, count: usize) -> Vec<pb::InboxItem> {
        eventually("inbox items", || async {
            let list = self.inbox().list_inbox_items(caller.asks(pb::ListInboxItemsRequest::default())).await.unwrap().into_inner();
            (list.items.len() >= count).then_some(list.items)
        })
        .await
    }

    /// The steps of a message, by code.
    pub(crate) async fn steps(&self, message_id: &str) -> Vec<pb::MessageStep> {
        let request = pb::ExplainMessageRequest { message_id: message_id.to_owned(), language: "en".to_owned() };
        self.messages().explain_message(self.operations().asks(request)).await.unwrap().into_inner().steps
    }

    /// The message, as soon as it stands in `state`.
    pub(crate) async fn until_state(&self, message_id: &str, state: pb::MessageState) -> pb::Message {
        eventually(state.as_str_name(), || async {
            let request = pb::GetMessageRequest { message_id: message_id.to_owned() };
            let message = self.messages().get_message(self.operations().asks(request)).await.unwrap().into_inner().message.unwrap();
            (message.state() == state).then_some(message)
        })
        .await
    }
}

pub(crate) async fn start(config: &Config, clock: Clock) -> (Host, Channel) {
    let mut host = Host::new();
    let serving = config.clone();
    let service: Started = host
        .start("notification", |listener, stop| async move {
            serve_by(clock, serving, listener, stop).await.inspect_err(|error| eprintln!("notification ended: {error:#}"))
        })
        .await
        .unwrap();
    let channel = service.channel().await.unwrap();
    (host, channel)
}

fn config(dir: &PrivateDir, database: &TestDatabase, redis: &TestRedis, mail: &MailSink, contacts: &Started) -> Config {
    Config {
        groups: dir.groups("notification", database, redis).unwrap(),
        customer_url: contacts.url(),
        smtp_url: SecretString::from(mail.url()),
        mail_from: "steward@example.org".to_owned(),
        webhook_private_targets: true,
        bulk_backlog: 100,
    }
}
