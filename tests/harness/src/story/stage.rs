//! Where the story is played: the gateway, the actors' tokens, the clock and the voice.

use std::{
    fmt::Display,
    future::Future,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use steward_dev::say::{self, Colour};
use tonic::{Request, metadata::MetadataValue, transport::Channel};

use super::door::Door;
use crate::{
    sinks::Mail,
    tokens::{Claims, Issuer},
};

/// How long the story waits, in real time, for something that comes by itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// The same among crashes, where whoever would bring it is killed again and again.
const PATIENCE_AMONG_CRASHES: Duration = Duration::from_secs(120);

/// Moves the clock of everything on stage.
pub type Moves = Box<dyn Fn(SignedDuration) -> Result<()> + Send + Sync>;

/// Asks the clock of everything on stage.
type Now = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// Reads every mail that was accepted so far.
pub type Mails = Box<dyn Fn() -> Result<Vec<Mail>> + Send + Sync>;

/// What the story needs to be played.
pub struct Stage {
    /// The gateway.
    pub gateway: Door,
    now: Now,
    moves: Moves,
    mails: Mails,
    issuer: &'static Issuer,
    step: AtomicU32,
    zone: TimeZone,
    among_crashes: bool,
    is_frozen: bool,
}

/// Somebody who calls.
#[derive(Debug, Clone)]
pub struct Actor {
    name: String,
    token: String,
}

impl Stage {
    /// A stage behind this gateway. `now` and `moves` are the clock that every service on it reads; `mails` looks
    /// into the letter box.
    pub fn new(
        gateway: Channel,
        issuer: &'static Issuer,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        moves: Moves,
        mails: Mails,
    ) -> Result<Self> {
        let zone = TimeZone::get("Asia/Shanghai").context("the estate's time zone")?;
        Ok(Self {
            gateway: Door::new(gateway),
            now: Box::new(now),
            moves,
            mails,
            issuer,
            step: AtomicU32::new(0),
            zone,
            among_crashes: false,
            is_frozen: false,
        })
    }

    /// The same stage, while services are killed around it: what is promised to the second then waits for their return.
    #[must_use]
    pub fn among_crashes(self) -> Self {
        Self { among_crashes: true, ..self }
    }

    /// The same stage by a clock that stands still unless it is moved.
    #[must_use]
    pub fn frozen(self) -> Self {
        Self { is_frozen: true, ..self }
    }

    /// Lets the time come by itself, as far as the clock does that.
    pub async fn wait_until(&self, instant: Timestamp) -> Result<()> {
        if self.is_frozen {
            return self.move_to(instant);
        }
        while self.now() < instant {
            let rest = Duration::try_from(instant.duration_since(self.now())).unwrap_or_default();
            tokio::time::sleep(rest.min(Duration::from_millis(50))).await;
        }
        Ok(())
    }

    /// How late a timer may fire here.
    pub fn lateness_allowed(&self) -> SignedDuration {
        // XC-26: at most a minute after recovery.
        if self.among_crashes { SignedDuration::from_secs(60) } else { SignedDuration::from_secs(1) }
    }

    /// Somebody with these claims.
    pub fn actor(&self, name: &str, claims: &Claims) -> Result<Actor> {
        Ok(Actor { name: name.to_owned(), token: self.issuer.mint(claims)? })
    }

    /// Every mail that was accepted so far.
    pub fn mails(&self) -> Result<Vec<Mail>> {
        (self.mails)()
    }

    /// The clock's time.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The clock's time as people on site read it.
    pub fn local(&self, instant: Timestamp) -> String {
        instant.to_zoned(self.zone.clone()).strftime("%F %T").to_string()
    }

    /// The day it is on site.
    pub fn local_date(&self, instant: Timestamp) -> jiff::civil::Date {
        instant.to_zoned(self.zone.clone()).date()
    }

    /// The instant at which clocks on site show this time on a day.
    pub fn local_instant(&self, date: jiff::civil::Date, hour: i8, minute: i8) -> Result<Timestamp> {
        Ok(date.at(hour, minute, 0, 0).to_zoned(self.zone.clone())?.timestamp())
    }

    /// A protobuf time as people on site read it.
    pub fn local_proto(&self, time: Option<prost_types::Timestamp>) -> String {
        let instant = time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok());
        instant.map_or_else(|| "-".to_owned(), |instant| self.local(instant))
    }

    /// Moves every process forward to this instant; never back.
    pub fn move_to(&self, instant: Timestamp) -> Result<()> {
        let by = instant.duration_since(self.now());
        if by.is_positive() {
            (self.moves)(by)?;
            self.tell(format!("the clock moves to {}", self.local(self.now())));
        }
        Ok(())
    }

    /// The next time that clocks on site show this hour.
    pub fn next_local_hour(&self, hour: i8) -> Result<Timestamp> {
        let now = self.now().to_zoned(self.zone.clone());
        let today = now.with().hour(hour).minute(0).second(0).subsec_nanosecond(0).build()?;
        let next = if today.timestamp() > now.timestamp() { today } else { today.tomorrow()?.with().hour(hour).build()? };
        Ok(next.timestamp())
    }

    /// A new heading.
    pub fn scene(&self, title: impl Display) {
        let step = self.step.fetch_add(1, Ordering::Relaxed) + 1;
        say::line("");
        say::step(format!("{step}. {title}"));
    }

    /// What happens, with the clock's time.
    pub fn tell(&self, text: impl Display) {
        say::line(format!("    {}  {text}", say::paint(Colour::Grey, &self.local(self.now()))));
    }

    /// Asks again until the answer is there; the question itself decides when it is.
    pub async fn await_some<T, F>(&self, what: &str, question: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        self.ask_again(what, question, || Ok(())).await
    }

    /// The same for what is tried again by the clock: a process that was killed in the middle of an attempt leaves it leased for
    /// minutes, and nobody waits for them here.
    pub async fn await_retried<T, F>(&self, what: &str, question: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        self.ask_hurried(what, question, self.among_crashes).await
    }

    /// The same for what a service gathers for half a minute before it acts: by a clock that stands still that would never be over.
    pub async fn await_gathered<T, F>(&self, what: &str, question: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        self.ask_hurried(what, question, true).await
    }

    async fn ask_hurried<T, F>(&self, what: &str, question: impl FnMut() -> F, may_hurry: bool) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        let mut hurried = std::time::Instant::now();
        let hurry = || {
            if may_hurry && hurried.elapsed() > Duration::from_secs(2) {
                hurried = std::time::Instant::now();
                self.move_to(self.now() + SignedDuration::from_mins(1))?;
            }
            Ok(())
        };
        self.ask_again(what, question, hurry).await
    }

    async fn ask_again<T, F>(&self, what: &str, mut question: impl FnMut() -> F, mut between: impl FnMut() -> Result<()>) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        let begun = std::time::Instant::now();
        let patience = if self.among_crashes { PATIENCE_AMONG_CRASHES } else { PATIENCE };
        loop {
            if let Some(answer) = question().await? {
                return Ok(answer);
            }
            if begun.elapsed() > patience {
                bail!("{what}: not there after {} s", patience.as_secs());
            }
            between()?;
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

impl Actor {
    /// Their name in the story.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A call by this actor.
    pub fn asks<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        let bearer = MetadataValue::try_from(format!("Bearer {}", self.token)).context("a token that fits into a header")?;
        request.metadata_mut().insert("authorization", bearer);
        Ok(request)
    }
}

/// A fresh id for a mutation.
pub(super) fn request_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The field of an answer that must be there.
pub(super) fn given<T>(field: Option<T>, name: &str) -> Result<T> {
    field.with_context(|| format!("the answer has no {name}"))
}

/// An instant as a protobuf time.
pub(super) fn proto_time(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

/// A protobuf time as an instant.
pub(super) fn instant(time: Option<prost_types::Timestamp>) -> Result<Timestamp> {
    let time = given(time, "time")?;
    Timestamp::new(time.seconds, time.nanos).context("a time within range")
}
