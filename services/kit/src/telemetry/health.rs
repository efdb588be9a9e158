//! What every process counts of its own health, whatever it does: looks into memories, dependencies that did not answer, jobs
//! that ended.

use std::sync::LazyLock;

use super::{Counter, counter};

static CACHE: LazyLock<Counter> =
    LazyLock::new(|| counter("steward_cache_requests", "Looks into a memory of this process, by cache and by result: hit, miss"));

static UNAVAILABLE: LazyLock<Counter> = LazyLock::new(|| {
    counter(
        "steward_dependency_failures",
        "Times that something outside this process did not answer: postgres, redis, identity provider, a peer",
    )
});

static JWKS: LazyLock<Counter> =
    LazyLock::new(|| counter("steward_jwks_refreshes", "Attempts to fetch an issuer's keys, by result: ok, failed"));

static RESTARTS: LazyLock<Counter> =
    LazyLock::new(|| counter("steward_job_restarts", "Times that a background job ended and was started again, by job"));

/// Counts a look into a memory. `cache` is a code constant.
pub fn cache_asked(cache: &'static str, is_hit: bool) {
    CACHE.add_fixed(1, [("cache", cache), ("result", if is_hit { "hit" } else { "miss" })]);
}

/// Counts that `dependency` did not answer.
pub(crate) fn dependency_failed(dependency: &'static str) {
    UNAVAILABLE.add_fixed(1, [("dependency", dependency)]);
}

/// Makes the series of `dependency` begin with 0, so that its first failure is an increase.
pub fn depends_on(dependency: &'static str) {
    UNAVAILABLE.add_fixed(0, [("dependency", dependency)]);
}

/// Counts an attempt to fetch an issuer's keys; 0 attempts make the series begin.
pub(crate) fn jwks_refreshed(attempts: u64, is_ok: bool) {
    JWKS.add_fixed(attempts, [("result", if is_ok { "ok" } else { "failed" })]);
}

/// Counts that a job ended and starts again; 0 times makes its series begin.
pub fn job_restarted(times: u64, job: &'static str) {
    RESTARTS.add_fixed(times, [("job_name", job)]);
}
