//! Signed calls, by Standard Webhooks 1.0.

use std::time::Duration;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;

use super::guard::Guard;
use crate::domain::delivery::Answer;
use crate::domain::ids::DeliveryId;
use crate::domain::webhook::{Secret, signatures};

/// Calls endpoints.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    client: reqwest::Client,
    guard: Guard,
}

/// What a call said, and what it said of the endpoint.
pub(crate) struct Called {
    pub(crate) answer: Answer,
    /// It answered 410: it wants no more calls.
    pub(crate) is_gone: bool,
}

impl Caller {
    /// A caller that `guard` keeps out of our own network.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub(crate) fn new(guard: Guard) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .dns_resolver(guard.resolver())
            // A redirect could lead anywhere, also inside.
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .user_agent("steward-notification")
            .build()?;
        Ok(Self { client, guard })
    }

    /// The guard that endpoints are made through.
    pub(crate) fn guard(&self) -> Guard {
        self.guard
    }

    /// One attempt. `webhook-id` is the delivery's, the same in every attempt; the timestamp and with it the signature are new.
    pub(crate) async fn call(
        &self,
        url: &str,
        secrets: &[Secret],
        delivery: DeliveryId,
        body: &str,
        timeout: Duration,
        now: Timestamp,
    ) -> Called {
        let url = match self.guard.url(url) {
            Ok(url) => url,
            Err(why) => {
                return Called {
                    answer: Answer::ForGood { code: 0, detail: format!("the URL {why}"), address_invalid: false },
                    is_gone: false,
                };
            }
        };
        let (id, seconds) = (delivery.to_string(), now.as_second());
        let sent = self
            .client
            .post(url)
            .timeout(timeout)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signatures(secrets, &id, seconds, body))
            .body(body.to_owned())
            .send()
            .await;
        match sent {
            Ok(response) => {
                let status = response.status();
                let retry_after =
                    response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| wait(text, now));
                Called { answer: judge(status, retry_after), is_gone: status == StatusCode::GONE }
            }
            Err(fault) => {
                // Never the fault's own text: it holds the URL, and that may hold a token.
                let detail = if fault.is_timeout() {
                    "no answer in time"
                } else if fault.is_connect() {
                    "no connection"
                } else {
                    "the call broke off"
                };
                Called { answer: Answer::ForNow { code: 0, detail: detail.to_owned(), retry_after: None }, is_gone: false }
            }
        }
    }
}

/// 2xx arrived; 408, 425, 429, 5xx and redirects (which are not followed) may be tried again; any other 4xx is for good.
fn judge(status: StatusCode, retry_after: Option<SignedDuration>) -> Answer {
    let code = i32::from(status.as_u16());
    let again = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    if status.is_success() {
        Answer::Taken { arrived: true, code }
    } else if status.is_client_error() && !again {
        Answer::ForGood { code, detail: format!("answered {code}"), address_invalid: false }
    } else {
        Answer::ForNow { code, detail: format!("answered {code}"), retry_after }
    }
}

/// `Retry-After`: seconds, or a date.
fn wait(text: &str, now: Timestamp) -> Option<SignedDuration> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(SignedDuration::from_secs(i64::from(seconds)));
    }
    let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    let span = at.duration_since(now);
    span.is_positive().then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_say_what_follows() {
        let kind = |status: u16| match judge(StatusCode::from_u16(status).unwrap(), None) {
            Answer::Taken { .. } => "arrived",
            Answer::ForNow { .. } => "again",
            Answer::ForGood { .. } => "never",
        };
        for (status, expected) in [
            (200, "arrived"),
            (204, "arrived"),
            (301, "again"),
            (400, "never"),
            (404, "never"),
            (408, "again"),
            (410, "never"),
            (429, "again"),
            (500, "again"),
            (503, "again"),
        ] {
            assert_eq!(kind(status), expected, "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        assert_eq!(wait("120", now), Some(SignedDuration::from_secs(120)));
        assert_eq!(wait("Sun, 01 Mar 2026 00:01:00 GMT", now), Some(SignedDuration::from_secs(60)));
        assert_eq!(wait("soon", now), None);
    }
}
