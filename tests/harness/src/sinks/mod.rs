//! The outside world of the notification service, as far as it must be real: an SMTP server and a receiver of webhooks. Both keep what
//! they got, hand it to tests, and refuse on request.

mod mail;
mod received;
mod smtp;
mod webhook;

pub use mail::Mail;
pub use smtp::MailSink;
pub use webhook::{WebhookRequest, WebhookSink};
