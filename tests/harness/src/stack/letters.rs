//! The dead letters of a running stack: what an operator looks at, and what sets them right.

use anyhow::{Context, Result, bail};
use jiff::SignedDuration;
use steward_dev::say::{self, Colour};
use steward_kit::clock::Clock;
use steward_proto::operation::v1::dead_letter_service_client::DeadLetterServiceClient;
use steward_proto::operation::v1::{
    DeadLetter, DeadLetterState, DiscardDeadLetterRequest, ListDeadLettersRequest, RedriveDeadLettersRequest,
};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
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

/// Does it at one service, or shows them at all of them.
pub async fn letters(service: Option<&str>, task: &Task) -> Result<()> {
    let files = Files::open()?;
    let ports = Ports::last(&files).context("no stack was started here yet: `cargo dev up`")?;
    let services: Vec<&Service> = match service {
        Some(name) => vec![Service::named(name)?],
        None => SERVICES.iter().filter(|service| service.schema.is_some()).collect(),
    };
    for service in services {
        let url = format!("http://127.0.0.1:{}", ports.of(service.name));
        let channel = Endpoint::from_shared(url)?.connect().await.with_context(|| format!("{} does not run", service.name))?;
        let desk = Desk { service: service.name, client: DeadLetterServiceClient::new(channel), token: token(&files)? };
        match task {
            Task::Show => desk.show().await?,
            Task::Redrive => desk.redrive().await?,
            Task::Discard { id, reason } => desk.discard(id, reason).await?,
        }
    }
    Ok(())
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
    async fn show(mut self) -> Result<()> {
        let mut page_token = String::new();
        let mut count = 0;
        loop {
            let request = self.asks(ListDeadLettersRequest { page_size: 200, page_token, ..Default::default() })?;
            let page = match self.client.list_dead_letters(request).await {
                Ok(page) => page.into_inner(),
                Err(refused) if refused.code() == Code::Unimplemented => {
                    say::line(format!("{:<14} consumes no events", self.service));
                    return Ok(());
                }
                Err(refused) => bail!("{}: {refused}", self.service),
            };
            count += page.dead_letters.len();
            page.dead_letters.iter().for_each(tell);
            if page.next_page_token.is_empty() {
                let colour = if count == 0 { Colour::Green } else { Colour::Red };
                say::line(format!("{:<14} {}", self.service, say::paint(colour, &format!("{count} dead letters"))));
                return Ok(());
            }
            page_token = page.next_page_token;
        }
    }

    async fn redrive(mut self) -> Result<()> {
        let (mut after, mut applied, mut left) = (String::new(), 0, 0);
        loop {
            let request =
                RedriveDeadLettersRequest { request_id: request_id(), limit: 200, after_dead_letter_id: after, ..Default::default() };
            let request = self.asks(request)?;
            let page = self.client.redrive_dead_letters(request).await.with_context(|| self.service)?.into_inner();
            for letter in &page.dead_letters {
                match letter.state() {
                    DeadLetterState::Redriven => applied += 1,
                    DeadLetterState::Open | DeadLetterState::Discarded | DeadLetterState::Unspecified => {
                        left += 1;
                        tell(letter);
                    }
                }
            }
            after = page.dead_letters.last().map(|letter| letter.id.clone()).unwrap_or_default();
            if page.is_last {
                say::line(format!("{:<14} {applied} applied, {left} still fail", self.service));
                return Ok(());
            }
        }
    }

    async fn discard(mut self, id: &str, reason: &str) -> Result<()> {
        let request = DiscardDeadLetterRequest { request_id: request_id(), dead_letter_id: id.to_owned(), reason: reason.to_owned() };
        let request = self.asks(request)?;
        self.client.discard_dead_letter(request).await.with_context(|| self.service)?;
        say::line(format!("{:<14} {id} is discarded", self.service));
        Ok(())
    }

    fn asks<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse()?);
        Ok(request)
    }
}

fn request_id() -> String {
    Uuid::now_v7().to_string()
}

fn tell(letter: &DeadLetter) {
    say::line(format!("{}  {}  {}", letter.id, letter.consumer, letter.event_type));
    say::line(format!("    about {} after {} tries: {}", letter.subject_id, letter.attempt_count, letter.cause));
}
