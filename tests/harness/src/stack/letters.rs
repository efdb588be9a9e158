//! The dead letters of a running stack: what an operator looks at, and what sets them right.

use anyhow::{Context, Error, Result, anyhow, bail};
use jiff::{SignedDuration, Unit};
use steward_dev::say::{self, Colour};
use steward_kit::{clock::Clock, proto::timestamp};
use steward_proto::operation::v1::dead_letter_service_client::DeadLetterServiceClient;
use steward_proto::operation::v1::{
    DeadLetter, DeadLetterState, DiscardDeadLetterRequest, ListDeadLettersRequest, RedriveDeadLettersRequest,
};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use uuid::Uuid;

use super::{Files, Keys, Ports, SERVICES, Service, clock};
use crate::tokens::Claims;

/// What to do with dead letters.
#[derive(Debug, Clone)]
pub enum Task {
    /// Show those that are open.
    Show,
    /// Apply all that are open, oldest first.
    Redrive,
    /// Give one up for good.
    Discard {
        /// The letter.
        id: String,
        /// Why.
        reason: String,
    },
}

/// Does it at one service, or at all of them. Says whether nothing is left to be done: no service that does not answer, no letter that
/// still fails.
pub async fn letters(service: Option<&str>, task: &Task) -> Result<bool> {
    let services: Vec<&Service> = match service {
        Some(name) => vec![Service::named(name)?],
        None => SERVICES.iter().filter(|service| service.schema.is_some()).collect(),
    };
    if services.iter().any(|service| service.schema.is_none()) {
        bail!("the gateway applies no events, so it has no dead letters; every other service may have some");
    }
    let files = Files::open()?;
    let ports = Ports::last(&files).context("no stack was started here yet: `cargo dev up`")?;
    let (mut is_well, mut open) = (true, None);
    for service in services {
        let url = format!("http://127.0.0.1:{}", ports.of(service.name));
        let Ok(channel) = Endpoint::from_shared(url)?.connect().await else {
            say::failure(format!("{} does not run: `cargo dev start {}`", service.name, service.name));
            is_well = false;
            continue;
        };
        let desk = Desk { service: service.name, client: DeadLetterServiceClient::new(channel), token: token(&files)? };
        match task {
            Task::Show => open = open.or(desk.show().await?.then_some(service.name)),
            Task::Redrive => is_well &= desk.redrive().await?,
            // An id is in one service only: without a name they are asked one after the other.
            Task::Discard { id, reason } => match desk.discard(id, reason).await? {
                Ok(()) => return Ok(true),
                Err(refused) if refused.code() == Code::NotFound => {}
                Err(refused) => return Err(told(service.name, &refused)),
            },
        }
    }
    match (task, open) {
        (Task::Discard { id, .. }, _) => {
            let place = service.unwrap_or(if is_well { "any service" } else { "any service that runs" });
            bail!("no open dead letter {id} in {place}; `cargo dev letters` shows them");
        }
        (Task::Show, Some(service)) => {
            say::line("");
            say::line("When the fault is mended, apply them after all; or give one up for good:");
            say::line(format!("  cargo dev letters {service} redrive"));
            say::line(format!("  cargo dev letters {service} discard ID 'why it shall never be applied'"));
        }
        (Task::Show | Task::Redrive, _) => {}
    }
    Ok(is_well)
}

fn token(files: &Files) -> Result<String> {
    let now = Clock::system().now() + clock::offset(files)?;
    let claims = Claims::staff("dev").role("operator").every_estate();
    Keys::open(files)?.issuer().mint(&claims.valid(now - SignedDuration::from_mins(1), SignedDuration::from_hours(1)))
}

/// One service, and an operator in front of it.
struct Desk {
    service: &'static str,
    client: DeadLetterServiceClient<Channel>,
    token: String,
}

impl Desk {
    /// Shows what waits, and says whether anything does.
    async fn show(mut self) -> Result<bool> {
        let (mut letters, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = self.asks(ListDeadLettersRequest { page_size: 200, page_token, ..Default::default() })?;
            let page = self.client.list_dead_letters(request).await.map_err(|refused| told(self.service, &refused))?.into_inner();
            letters.extend(page.dead_letters);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let colour = if letters.is_empty() { Colour::Green } else { Colour::Red };
        self.say(colour, &counted(letters.len(), "dead letter"));
        letters.iter().for_each(tell);
        Ok(!letters.is_empty())
    }

    /// Applies what waits, and says whether nothing is left.
    async fn redrive(mut self) -> Result<bool> {
        let (mut after, mut applied, mut left) = (String::new(), 0, Vec::new());
        loop {
            let request =
                RedriveDeadLettersRequest { request_id: request_id(), limit: 200, after_dead_letter_id: after, ..Default::default() };
            let request = self.asks(request)?;
            let page = self.client.redrive_dead_letters(request).await.map_err(|refused| told(self.service, &refused))?.into_inner();
            after = page.dead_letters.last().map(|letter| letter.id.clone()).unwrap_or_default();
            for letter in page.dead_letters {
                match letter.state() {
                    DeadLetterState::Redriven => applied += 1,
                    DeadLetterState::Open | DeadLetterState::Discarded | DeadLetterState::Unspecified => left.push(letter),
                }
            }
            if page.is_last {
                break;
            }
        }
        match (applied, left.len()) {
            (0, 0) => self.say(Colour::Green, "no dead letters"),
            (_, 0) => self.say(Colour::Green, &format!("{} applied", counted(applied, "dead letter"))),
            (_, still) => self.say(Colour::Red, &format!("{} applied, {still} cannot be applied yet", counted(applied, "dead letter"))),
        }
        left.iter().for_each(tell);
        Ok(left.is_empty())
    }

    /// Gives one up; the inner refusal is the service's.
    async fn discard(mut self, id: &str, reason: &str) -> Result<Result<(), Status>> {
        let request = DiscardDeadLetterRequest { request_id: request_id(), dead_letter_id: id.to_owned(), reason: reason.to_owned() };
        let request = self.asks(request)?;
        let settled = self.client.discard_dead_letter(request).await.map(drop);
        if settled.is_ok() {
            self.say(Colour::Green, &format!("{id} will never be applied"));
        }
        Ok(settled)
    }

    fn asks<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse()?);
        Ok(request)
    }

    fn say(&self, colour: Colour, what: &str) {
        say::line(format!("{:<14} {}", self.service, say::paint(colour, what)));
    }
}

fn request_id() -> String {
    Uuid::now_v7().to_string()
}

/// What a service said, without the transport's words for it.
fn told(service: &str, refused: &Status) -> Error {
    anyhow!("{service}: {}", refused.message())
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

fn tell(letter: &DeadLetter) {
    let kind = match letter.event_type.as_str() {
        "" => "bytes that are no event",
        kind => kind,
    };
    let about = match letter.subject_id.as_str() {
        "" => String::new(),
        subject => format!(" about {subject}"),
    };
    say::line(format!("  {}  {kind}{about}", say::paint(Colour::Cyan, &letter.id)));
    let tries = counted(usize::try_from(letter.attempt_count).unwrap_or_default(), "attempt");
    let since = letter.create_time.as_ref().and_then(timestamp).and_then(|time| time.round(Unit::Second).ok());
    let since = since.map(|time| format!(", dead since {time}")).unwrap_or_default();
    say::detail(format!("{} failed after {tries}{since}:", letter.consumer));
    say::detail(&letter.cause);
}
