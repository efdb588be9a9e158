//! Mail over SMTP. The address comes in for one attempt and is neither kept nor logged.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message as Mail};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use steward_kit::Error;
use steward_kit::pii::Pii;

use crate::domain::delivery::Answer;
use crate::domain::ids::DeliveryId;
use crate::domain::message::Text;

/// Sends mails.
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// A mailer that talks to the server at `url`; nothing is dialled yet.
    ///
    /// # Errors
    /// `url` is no SMTP URL or `from` no address.
    pub(crate) fn new(url: &SecretString, from: &str, timeout: Duration) -> anyhow::Result<Self> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())?.timeout(Some(timeout)).build();
        Ok(Self { transport, from: from.parse()? })
    }

    /// One attempt. Its Message-ID is that of the delivery, the same in every attempt, so that a server or a reader that
    /// got it twice can tell.
    pub(crate) async fn send(&self, delivery: DeliveryId, to: &Pii<String>, text: &Text) -> Answer {
        let Ok(to) = to.expose().parse::<Mailbox>() else {
            return for_good(0, "the address can not be read", true);
        };
        let mail = Mail::builder()
            .message_id(Some(format!("<{delivery}@{}>", self.from.email.domain())))
            .from(self.from.clone())
            .to(to)
            .subject(text.title.clone())
            .header(ContentType::TEXT_PLAIN)
            .body(text.body.clone());
        let Ok(mail) = mail else { return for_good(0, "the mail could not be put together", false) };
        match self.transport.send(mail).await {
            Ok(answer) => Answer::Taken { arrived: false, code: i32::from(u16::from(answer.code())) },
            Err(fault) => {
                let code = fault.status().map_or(0, |code| i32::from(u16::from(code)));
                // What a server says may repeat the address, so only its code is kept.
                if fault.is_permanent() {
                    // 550, 551, 553: the mailbox itself; other 5xx speak of the mail or of us.
                    for_good(code, "the mail server refused", matches!(code, 550 | 551 | 553))
                } else {
                    let detail =
                        if fault.is_transient() { "the mail server asked to come again" } else { "the mail server did not answer" };
                    Answer::ForNow { code, detail: detail.to_owned(), retry_after: None }
                }
            }
        }
    }
}

fn for_good(code: i32, detail: &str, address_invalid: bool) -> Answer {
    Answer::ForGood { code, detail: detail.to_owned(), address_invalid }
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Mailer")
    }
}

/// What went wrong on the way to the address, before any mail.
pub(crate) fn contact_answer(error: &Error) -> Answer {
    match error {
        Error::NotFound { .. } => for_good(0, "the customer is not known", false),
        Error::Invalid(_)
        | Error::AlreadyExists { .. }
        | Error::WrongState(_)
        | Error::Stale { .. }
        | Error::PermissionDenied { .. }
        | Error::Unauthenticated { .. }
        | Error::Exhausted { .. }
        | Error::Unavailable { .. }
        | Error::Internal(_) => Answer::ForNow { code: 0, detail: "the address could not be asked for".to_owned(), retry_after: None },
    }
}
