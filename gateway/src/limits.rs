//! Requests per principal: a token bucket each, in this process.
//!
//! The key is the token's subject, never an address: a whole estate may sit behind one. With `n` gateway replicas a
//! principal gets at most `n` times the rate, which is what the limit is for: one runaway app must not starve the rest.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _, clock::DefaultClock};
use steward_kit::{Error, auth::Access};

/// The buckets.
#[derive(Debug, Clone)]
pub struct Limits {
    buckets: Arc<DefaultKeyedRateLimiter<String>>,
    clock: DefaultClock,
}

impl Limits {
    /// `per_second` requests on average, `burst` at once.
    pub fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self { buckets: Arc::new(RateLimiter::keyed(quota)), clock: DefaultClock::default() }
    }

    /// Takes one request from the principal's bucket.
    ///
    /// # Errors
    /// [`Error::Exhausted`] with the time after which a request fits again.
    pub fn take(&self, subject: &str) -> Result<(), Error> {
        self.buckets
            .check_key(&subject.to_owned())
            .map_err(|full| Error::Exhausted { quota: "requests_per_principal", retry_after: full.wait_time_from(self.clock.now()) })
    }

    /// Forgets principals whose buckets are full again; run now and then, so that memory follows the active ones.
    pub fn forget_idle(&self) {
        self.buckets.retain_recent();
    }

    /// How often [`Limits::forget_idle`] is worth its cost.
    pub const FORGET_PERIOD: Duration = Duration::from_secs(60);
}

/// Refuses what is over the limit. Stands behind authentication, so that a bad token costs its owner nothing.
pub async fn limit(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let subject = request.extensions().get::<Access>().map(|access| access.principal.subject.clone());
    match subject.map_or(Ok(()), |subject| limits.take(&subject)) {
        Ok(()) => next.run(request).await,
        Err(error) => tonic::Status::from(error).into_http(),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use steward_kit::Error;

    use super::Limits;

    #[test]
    fn one_principal_over_the_limit_does_not_touch_another() {
        let one = NonZeroU32::MIN;
        let limits = Limits::new(one, one.saturating_add(1));
        assert!(limits.take("a").is_ok() && limits.take("a").is_ok());
        let refused = limits.take("a").expect_err("the burst is used up");
        assert!(matches!(refused, Error::Exhausted { retry_after, .. } if retry_after.as_millis() > 0));
        assert!(limits.take("b").is_ok());
    }
}
