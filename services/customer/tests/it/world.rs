//! A service of one test, and what a test needs to talk to it.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use prost::Message;
use secrecy::{ExposeSecret, SecretString};
use steward_customer::Config;
use steward_harness::in_process::{Host, Started};
use steward_harness::{Asked, Claims, Issuer, PrivateDir, TestDatabase, TestRedis};
use steward_kit::clock::{Clock, ManualClock};
use steward_kit_store::StoreConfig;
use steward_proto::customer::v1 as pb;
use steward_proto::metric::v1::metric_service_client::MetricServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

/// Wednesday, 10 o'clock in Shanghai.
pub(crate) const NOW: &str = "2026-06-10T02:00:00Z";

/// One service with a database of its own.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) clock: ManualClock,
    pub(crate) channel: Channel,
    pub(crate) service: Started,
    host: Host,
    kit_clock: Clock,
    config: Config,
    _dir: PrivateDir,
}

impl World {
    /// A service without a row.
    pub(crate) async fn new() -> Result<Self> {
        Self::built(None).await
    }

    /// The same, with what it asks of Postgres noted.
    pub(crate) async fn noted(asked: &Asked) -> Result<Self> {
        Self::built(Some(asked)).await
    }

    async fn built(asked: Option<&Asked>) -> Result<Self> {
        let database = TestDatabase::new().await?;
        let redis = TestRedis::shared()?;
        let dir = PrivateDir::new()?;
        let mut config = Config { groups: dir.groups("customer", &database, redis)? };
        if let Some(asked) = asked {
            config.groups.store = StoreConfig::new(asked.through(&database.app_url("customer")).await?, redis.url());
        }
        let (kit_clock, clock) = Clock::manual(NOW.parse::<Timestamp>()?);
        let mut host = Host::new();
        let service = start(&mut host, &config, &kit_clock).await?;
        let channel = service.channel().await?;
        Ok(Self { database, clock, channel, service, host, kit_clock, config, _dir: dir })
    }

    /// Stops the service and starts it anew on the same database.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.service.stop();
        self.service = start(&mut self.host, &self.config, &self.kit_clock).await?;
        self.channel = self.service.channel().await?;
        Ok(())
    }

    /// The keyring of the service, as text.
    pub(crate) fn keyring(&self) -> String {
        let keyring = self.config.groups.crypto.keyring.as_ref();
        keyring.map(|keyring| keyring.expose_secret().to_owned()).unwrap_or_default()
    }

    /// [`World::restart`] with another keyring.
    pub(crate) async fn restart_with_keyring(&mut self, keyring: &str) -> Result<()> {
        self.config.groups.crypto.keyring = Some(SecretString::from(keyring.to_owned()));
        self.restart().await
    }

    /// A caller who keeps the whole group.
    pub(crate) fn operations(&self) -> Caller {
        self.caller(Claims::staff("ops").role("group_operations").every_estate())
    }

    /// Who answers for personal data.
    pub(crate) fn privacy_officer(&self) -> Caller {
        self.caller(Claims::staff("officer").role("privacy_officer").every_estate())
    }

    /// The caller of a token.
    pub(crate) fn caller(&self, claims: Claims) -> Caller {
        Caller { token: Issuer::of_tests().mint(&claims).expect("a token"), channel: self.channel.clone() }
    }
}

async fn start(host: &mut Host, config: &Config, clock: &Clock) -> Result<Started> {
    let (config, clock) = (config.clone(), clock.clone());
    host.start("customer", move |listener, shutdown| steward_customer::serve_by(clock, config, listener, shutdown)).await
}

/// Somebody with a token.
#[derive(Clone)]
pub(crate) struct Caller {
    token: String,
    channel: Channel,
}

macro_rules! clients {
    ($($name:ident: $module:ident $client:ident),+ $(,)?) => {
        impl Caller {
            $(pub(crate) fn $name(&self) -> pb::$module::$client<Channel> {
                pb::$module::$client::new(self.channel.clone())
            })+
        }
    };
}

clients! {
    estates: estate_service_client EstateServiceClient,
    units: unit_service_client UnitServiceClient,
    customers: customer_service_client CustomerServiceClient,
    contacts: contact_service_client ContactServiceClient,
    tenures: tenure_service_client TenureServiceClient,
    exits: exit_service_client ExitServiceClient,
    households: household_service_client HouseholdServiceClient,
    imports: estate_import_service_client EstateImportServiceClient,
    timeline: timeline_service_client TimelineServiceClient,
    audiences: audience_service_client AudienceServiceClient,
    renovations: renovation_service_client RenovationServiceClient,
    profiles: profile_service_client ProfileServiceClient,
    tags: tag_service_client TagServiceClient,
    segments: segment_service_client SegmentServiceClient,
}

impl Caller {
    pub(crate) fn metrics(&self) -> MetricServiceClient<Channel> {
        MetricServiceClient::new(self.channel.clone())
    }

    /// A request with the caller's token.
    pub(crate) fn ask<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse().expect("ASCII"));
        request
    }

    /// A registered estate.
    pub(crate) async fn estate(&self, code: &str) -> Result<pb::Estate> {
        let request = pb::RegisterEstateRequest {
            request_id: request_id(),
            group_id: GROUP.to_owned(),
            region_id: Uuid::now_v7().to_string(),
            name: format!("花园 {code}"),
            code: code.to_owned(),
            city_code: "330100".into(),
            time_zone: String::new(),
            premises_type: pb::PremisesType::Residential.into(),
        };
        let answer = self.estates().register_estate(self.ask(request)).await?.into_inner();
        answer.estate.context("an estate")
    }

    /// A unit `1-<code>` of the estate, in its building 1.
    pub(crate) async fn unit(&self, estate: &pb::Estate, code: &str) -> Result<pb::Unit> {
        let tree = self.units().get_estate_tree(self.ask(pb::GetEstateTreeRequest { estate_id: estate.id.clone() })).await?.into_inner();
        let building = match tree.buildings.first().and_then(|node| node.building.clone()) {
            Some(building) => building,
            None => {
                let request = pb::CreateBuildingRequest {
                    request_id: request_id(),
                    estate_id: estate.id.clone(),
                    code: "1".into(),
                    name: String::new(),
                    floor_count: 18,
                };
                self.units().create_building(self.ask(request)).await?.into_inner().building.context("a building")?
            }
        };
        let request = pb::CreateUnitRequest {
            request_id: request_id(),
            building_id: building.id,
            code: code.to_owned(),
            ..pb::CreateUnitRequest::default()
        };
        self.units().create_unit(self.ask(request)).await?.into_inner().unit.context("a unit")
    }

    /// A person at home in the estate.
    pub(crate) async fn person(&self, estate: &pb::Estate, name: &str, phone: &str) -> Result<pb::Customer> {
        let request = pb::CreateCustomerRequest { phone: phone.to_owned(), ..person(estate, name) };
        self.customers().create_customer(self.ask(request)).await?.into_inner().customer.context("a customer")
    }

    /// A tenure from a day on.
    pub(crate) async fn tenure(
        &self,
        unit: &pb::Unit,
        customer: &pb::Customer,
        role: pb::TenureRole,
        days: (&str, &str),
    ) -> Result<pb::Tenure, Status> {
        let request = pb::CreateTenureRequest {
            request_id: request_id(),
            unit_id: unit.id.clone(),
            customer_id: customer.id.clone(),
            role: role.into(),
            from_date: days.0.to_owned(),
            to_date: days.1.to_owned(),
        };
        Ok(self.tenures().create_tenure(self.ask(request)).await?.into_inner().tenure.unwrap_or_default())
    }
}

/// The property group of every test.
pub(crate) const GROUP: &str = "01980000-0000-7000-8000-000000000001";

/// A person to create.
pub(crate) fn person(estate: &pb::Estate, name: &str) -> pb::CreateCustomerRequest {
    pb::CreateCustomerRequest {
        request_id: request_id(),
        kind: pb::CustomerKind::Person.into(),
        home_estate_id: estate.id.clone(),
        name: name.to_owned(),
        source: pb::DataSource::Staff.into(),
        ..pb::CreateCustomerRequest::default()
    }
}

pub(crate) fn request_id() -> String {
    Uuid::now_v7().to_string()
}

/// Code and reason of a refusal.
pub(crate) fn refusal(status: &Status) -> (Code, String) {
    (status.code(), status.get_details_error_info().map(|info| info.reason).unwrap_or_default())
}

/// The fields of an INVALID_ARGUMENT with their reasons.
pub(crate) fn violations(status: &Status) -> Vec<(String, String)> {
    let details = status.get_details_bad_request();
    details.map(|bad| bad.field_violations).unwrap_or_default().into_iter().map(|bad| (bad.field, bad.reason)).collect()
}

/// Whether two messages are the same on the wire.
pub(crate) fn same(a: &impl Message, b: &impl Message) -> bool {
    a.encode_to_vec() == b.encode_to_vec()
}

/// Asks until the answer is there; background work is quick, yet not instant.
pub(crate) async fn eventually<T, F>(what: &str, mut ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    for _ in 0..600 {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("waited in vain for {what}")
}
