//! The house: its rooms, how they are wired, and the clock on the wall.

use std::{collections::BTreeMap, ffi::OsString};

use anyhow::{Result, anyhow};
use jiff::{SignedDuration, Timestamp};
use steward_harness::{
    Claims, Issuer, MailSink, PrivateDir, TestDatabase, TestRedis, WebhookSink,
    certificates::Authority,
    in_process::{Host, Started},
    story::Stage,
};
use steward_kit::{
    clock::{Clock, ManualClock},
    config::{ServiceConfig, parse},
    crypto::Keyring,
};
use tokio::net::TcpListener;
use tonic::transport::Channel;

use crate::certificates;

/// A deployable of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// `steward-customer`
    Customer,
    /// `steward-work-order`
    WorkOrder,
    /// `steward-notification`
    Notification,
    /// `steward-survey`
    Survey,
    /// `steward-care`
    Care,
    /// `steward-gateway`
    Gateway,
}

impl Room {
    /// Callers come after what they call.
    pub const ALL: [Self; 6] = [Self::Customer, Self::WorkOrder, Self::Notification, Self::Survey, Self::Care, Self::Gateway];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::WorkOrder => "work_order",
            Self::Notification => "notification",
            Self::Survey => "survey",
            Self::Care => "care",
            Self::Gateway => "gateway",
        }
    }
}

/// All services, running.
pub struct House {
    /// Moves the clock of every service.
    pub hand: ManualClock,
    /// What was mailed.
    pub mail: MailSink,
    /// What was posted to webhooks.
    pub webhooks: WebhookSink,
    /// Everything's tables.
    pub database: TestDatabase,
    /// Timers' index and events' transport; this house's own, so a test may flush or stop it.
    pub redis: TestRedis,
    clock: Clock,
    host: Host,
    started: BTreeMap<Room, Started>,
    settings: BTreeMap<Room, BTreeMap<String, OsString>>,
    dir: PrivateDir,
    /// Issues the certificates, in a house that has some.
    authority: Option<Authority>,
}

impl House {
    /// A house with every room running, at `now`.
    ///
    /// # Errors
    /// Something does not start; the error says what.
    pub async fn open(now: Timestamp) -> Result<Self> {
        Self::built(now, None).await
    }

    /// A house whose services show certificates to each other, and let in whom they should; the gateway's own door is plain, as
    /// behind an ingress.
    ///
    /// # Errors
    /// As [`House::open`].
    pub async fn sealed(now: Timestamp) -> Result<Self> {
        Self::built(now, Some(Authority::new("steward")?)).await
    }

    async fn built(now: Timestamp, authority: Option<Authority>) -> Result<Self> {
        let (clock, hand) = Clock::manual(now);
        let mut house = Self {
            hand,
            clock,
            mail: MailSink::start().await?,
            webhooks: WebhookSink::start().await?,
            database: TestDatabase::new().await?,
            redis: TestRedis::own()?,
            host: Host::new(),
            started: BTreeMap::new(),
            settings: BTreeMap::new(),
            dir: PrivateDir::new()?,
            authority,
        };
        let mut listeners = Vec::new();
        let mut addresses = BTreeMap::new();
        for room in Room::ALL {
            let listener = Host::listener().await?;
            addresses.insert(room, listener.local_addr()?);
            listeners.push((room, listener));
        }
        let peers = [Room::Customer, Room::WorkOrder, Room::Notification, Room::Survey, Room::Care];
        for room in Room::ALL {
            let mut settings = house.common(room)?;
            if let Some(authority) = &house.authority {
                settings.extend(certificates::settings(room, authority, house.dir.path())?);
            }
            for peer in peers.into_iter().filter(|peer| *peer != room) {
                let url = match &house.authority {
                    Some(_) => format!("https://localhost:{}", addresses[&peer].port()),
                    None => format!("http://{}", addresses[&peer]),
                };
                settings.insert(format!("{}_URL", peer.name().to_uppercase()), url.into());
            }
            house.settings.insert(room, settings);
        }
        for (room, listener) in listeners {
            house.start_on(room, listener)?;
        }
        Ok(house)
    }

    /// A connection to the gateway.
    ///
    /// # Errors
    /// The gateway does not run.
    pub async fn gateway(&self) -> Result<Channel> {
        self.room(Room::Gateway)?.channel().await
    }

    /// `http://127.0.0.1:…` of a room.
    ///
    /// # Errors
    /// It does not run.
    pub fn url(&self, room: Room) -> Result<String> {
        Ok(self.room(room)?.url())
    }

    /// The house as a stage for stories.
    ///
    /// # Errors
    /// The gateway does not run.
    pub async fn stage(&self) -> Result<Stage> {
        let (clock, hand) = (self.clock.clone(), self.hand.clone());
        let letter_box = self.mail.reader();
        let moves = Box::new(move |by: SignedDuration| {
            hand.advance(by);
            Ok(())
        });
        Ok(Stage::new(self.gateway().await?, Issuer::of_tests(), move || clock.now(), moves, Box::new(move || Ok(letter_box())))?.frozen())
    }

    /// The clock of every room.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// A token of somebody, good for a day from now.
    ///
    /// # Errors
    /// The claims do not serialise.
    pub fn token(&self, claims: Claims) -> Result<String> {
        Issuer::of_tests().mint(&claims.valid(self.clock.now() - SignedDuration::from_mins(1), SignedDuration::from_hours(24)))
    }

    /// Who issues certificates in a sealed house.
    pub fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// A folder of the house's own.
    pub fn dir(&self) -> &PrivateDir {
        &self.dir
    }

    /// Replaces the public keys of the issuer that every room believes, as a rotation does.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn publish_keys(&self, set: &str) -> Result<()> {
        self.dir.keep("jwks.json", set).map(drop)
    }

    /// Stops one room, as a deployment would.
    ///
    /// # Errors
    /// It does not run.
    pub fn stop(&mut self, room: Room) -> Result<()> {
        let started = self.started.remove(&room).ok_or_else(|| anyhow!("{room:?} does not run"))?;
        started.stop();
        Ok(())
    }

    /// Stops everything; fails if a room had failed.
    ///
    /// # Errors
    /// A room ended with an error, or did not end.
    pub async fn close(self) -> Result<()> {
        self.host.stop().await
    }

    fn room(&self, room: Room) -> Result<&Started> {
        self.started.get(&room).ok_or_else(|| anyhow!("{room:?} does not run"))
    }

    fn start_on(&mut self, room: Room, listener: TcpListener) -> Result<()> {
        let clock = self.clock.clone();
        let started = match room {
            Room::Customer => {
                let config = self.config::<steward_customer::Config>(room)?;
                self.host.start_on("customer", listener, |l, stop| steward_customer::serve_by(clock, config, l, stop))?
            }
            Room::WorkOrder => {
                let config = self.config::<steward_work_order::Config>(room)?;
                self.host.start_on("work-order", listener, |l, stop| steward_work_order::serve_by(clock, config, l, stop))?
            }
            Room::Notification => {
                let config = self.config::<steward_notification::Config>(room)?;
                self.host.start_on("notification", listener, |l, stop| steward_notification::serve_by(clock, config, l, stop))?
            }
            Room::Survey => {
                let config = self.config::<steward_survey::Config>(room)?;
                self.host.start_on("survey", listener, |l, stop| steward_survey::serve_by(clock, config, l, stop))?
            }
            Room::Care => {
                let config = self.config::<steward_care::Config>(room)?;
                self.host.start_on("care", listener, |l, stop| steward_care::serve_by(clock, config, l, stop))?
            }
            Room::Gateway => {
                let config = self.config::<steward_gateway::GatewayConfig>(room)?;
                self.host.start_on("gateway", listener, |l, stop| steward_gateway::serve_by(clock, config, l, stop))?
            }
        };
        self.started.insert(room, started);
        Ok(())
    }

    /// The configuration of a room, read the way the process reads it.
    fn config<C: ServiceConfig>(&self, room: Room) -> Result<C> {
        let settings = &self.settings[&room];
        let prefix = format!("STEWARD_{}__", room.name().to_uppercase());
        let variable = |name: &str| name.strip_prefix(&prefix).and_then(|name| settings.get(name)).cloned();
        let (_, config) = parse::<C>([], variable).map_err(|refused| anyhow!("{room:?}: {refused:?}"))?;
        Ok(config)
    }

    fn common(&self, room: Room) -> Result<BTreeMap<String, OsString>> {
        let service = format!("service.{}", room.name());
        let settings = [
            ("ENVIRONMENT", "development".into()),
            ("LISTEN", "127.0.0.1:0".into()),
            ("ISSUERS", format!("{}={}", steward_harness::ISSUER, self.dir.jwks()?.display()).into()),
            ("SERVICE_TOKEN_FILE", self.dir.service_token(room.name())?.into_os_string()),
            ("KEYRING_FILE", self.dir.keep(&format!("{service}.keyring"), &Keyring::generate_text())?.into_os_string()),
            ("DRAIN_NOTICE_MS", "0".into()),
            ("DRAIN_DEADLINE_MS", "2000".into()),
            ("DATABASE_URL", self.database.app_url(room.name()).into()),
            ("REDIS_URL", self.redis.url().into()),
            ("SMTP_URL", self.mail.url().into()),
            ("MAIL_FROM", "steward@dev.steward.local".into()),
        ];
        Ok(settings.map(|(name, value)| (name.to_owned(), value)).into())
    }
}
