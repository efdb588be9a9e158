//! Webhook endpoints and their signatures, by Standard Webhooks 1.0.

use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use steward_kit::Error;
use steward_kit::ids::EstateId;

use super::ids::WebhookEndpointId;

/// Bytes of a secret: within the 24 to 64 that the standard asks for.
const SECRET_BYTES: usize = 32;

/// An endpoint without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Its id.
    pub id: WebhookEndpointId,
    /// Where to call.
    pub url: String,
    /// What it is.
    pub description: String,
    /// The estates whose facts it is told.
    pub estate_ids: Vec<EstateId>,
    /// Types of the facts.
    pub event_types: Vec<String>,
    /// The last four characters of the present secret.
    pub secret_hint: String,
    /// Until when the secret before also signs.
    pub old_secret_end_time: Option<Timestamp>,
    /// When a call last succeeded.
    pub last_success_time: Option<Timestamp>,
    /// When it answered that it is gone; it is told nothing since.
    pub gone_time: Option<Timestamp>,
    /// Version of the row.
    pub row_version: i64,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

/// A secret. Does not print.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// The machine gives no random numbers.
    pub fn generate() -> Result<Self, Error> {
        let mut bytes = vec![0; SECRET_BYTES];
        rand::fill(&mut bytes).map_err(|_| Error::bug("the machine gives no random numbers"))?;
        Ok(Self(bytes))
    }

    /// A secret from its bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be sealed.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As it is told once: `whsec_` and base64.
    pub fn text(&self) -> String {
        format!("whsec_{}", STANDARD.encode(&self.0))
    }

    /// The last four characters, to tell secrets apart.
    pub fn hint(&self) -> String {
        let text = self.text();
        text[text.len() - 4..].to_owned()
    }

    /// `v1,` and the signature over id, timestamp and body.
    pub fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag.as_ref()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Secret(***)")
    }
}

/// The value of `webhook-signature`: one signature by each secret that is valid.
pub fn signatures<'a>(secrets: impl IntoIterator<Item = &'a Secret>, id: &str, seconds: i64, body: &str) -> String {
    let all: Vec<String> = secrets.into_iter().map(|secret| secret.sign(id, seconds, body)).collect();
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's own libraries.
    #[test]
    fn the_signature_is_the_standards() {
        let secret = Secret::from_bytes(STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
        let signed = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
