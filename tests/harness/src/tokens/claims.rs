//! What a token says about its bearer.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// The issuer that development configuration trusts.
pub const ISSUER: &str = "https://dev.steward.local";
/// Whom the tokens are for.
pub const AUDIENCE: &str = "steward";

/// The claims of a token. Valid from 2020 to 2100 unless [`Claims::valid`] says otherwise, so that a test's clock may stand anywhere.
#[derive(Debug, Clone, Serialize)]
pub struct Claims {
    sub: String,
    kind: &'static str,
    roles: Vec<String>,
    estates: Estates,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    iss: String,
    aud: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
}

/// A list of ids, or the word that means all.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Estates {
    Every(&'static str),
    Some(Vec<String>),
}

impl Claims {
    /// Somebody who works for the group.
    pub fn staff(subject: &str) -> Self {
        Self::new("staff", subject)
    }

    /// A resident or other customer, seen as themselves.
    pub fn customer(subject: &str, customer_id: impl ToString) -> Self {
        Self { customer_id: Some(customer_id.to_string()), ..Self::new("customer", subject) }
    }

    /// One of our services, calling in the background.
    pub fn service(subject: &str) -> Self {
        Self::new("service", subject)
    }

    /// A machine: an access gate, a sensor.
    pub fn device(subject: &str) -> Self {
        Self::new("device", subject)
    }

    /// Adds a role.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// Adds an estate that the bearer may see.
    #[must_use]
    pub fn estate(mut self, estate: impl ToString) -> Self {
        match &mut self.estates {
            Estates::Some(estates) => estates.push(estate.to_string()),
            Estates::Every(_) => self.estates = Estates::Some(vec![estate.to_string()]),
        }
        self
    }

    /// Lets the bearer see every estate.
    #[must_use]
    pub fn every_estate(mut self) -> Self {
        self.estates = Estates::Every("*");
        self
    }

    /// Names the customer that the bearer is.
    #[must_use]
    pub fn customer_id(mut self, id: impl ToString) -> Self {
        self.customer_id = Some(id.to_string());
        self
    }

    /// Makes the token good from `from` for `ttl` only.
    #[must_use]
    pub fn valid(mut self, from: Timestamp, ttl: SignedDuration) -> Self {
        self.iat = from.as_second();
        self.nbf = self.iat;
        self.exp = self.iat + ttl.as_secs();
        self
    }

    /// Says that somebody else issued it: for tests of refusal.
    #[must_use]
    pub fn issued_by(mut self, issuer: &str) -> Self {
        issuer.clone_into(&mut self.iss);
        self
    }

    /// Says that it is meant for somebody else: for tests of refusal.
    #[must_use]
    pub fn meant_for(mut self, audience: &str) -> Self {
        audience.clone_into(&mut self.aud);
        self
    }

    fn new(kind: &'static str, subject: &str) -> Self {
        const YEAR_2020: i64 = 1_577_836_800;
        const YEAR_2100: i64 = 4_102_444_800;
        Self {
            sub: subject.to_owned(),
            kind,
            roles: Vec::new(),
            estates: Estates::Some(Vec::new()),
            customer_id: None,
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat: YEAR_2020,
            nbf: YEAR_2020,
            exp: YEAR_2100,
            jti: uuid::Uuid::now_v7().to_string(),
        }
    }
}
