//! Keeps webhooks out of our own network: by URL when an endpoint is made, and by address at every call, because a name
//! may lead elsewhere tomorrow.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::domain::target::is_public;

/// Where webhooks may lead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    allows_private: bool,
}

impl Guard {
    /// A guard that lets into private networks, and over plain HTTP, or not.
    pub(crate) fn new(allows_private: bool) -> Self {
        Self { allows_private }
    }

    /// Reads a URL that may be called.
    ///
    /// # Errors
    /// Why it may not.
    pub(crate) fn url(self, text: &str) -> Result<Url, &'static str> {
        let url = Url::parse(text).map_err(|_| "must be a URL")?;
        match url.scheme() {
            "https" => {}
            "http" if self.allows_private => {}
            _ => return Err("must be https"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not carry credentials");
        }
        let host = url.host_str().ok_or("must name a host")?;
        let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        let own_name = host == "localhost" || host.ends_with(".localhost") || host.ends_with(".local") || host.ends_with(".internal");
        if !self.allows_private && (own_name || literal.is_some_and(|address| !is_public(address))) {
            return Err("must not lead into a private network");
        }
        Ok(url)
    }

    /// Name resolution that drops what may not be called. What it answers is what is connected to, so a name that
    /// changes between a check and the call gains nothing.
    pub(crate) fn resolver(self) -> Arc<GuardedResolver> {
        Arc::new(GuardedResolver(self))
    }
}

/// See [`Guard::resolver`].
#[derive(Debug)]
pub(crate) struct GuardedResolver(Guard);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allows_private = self.0.allows_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| allows_private || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err("the host leads into a private network".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_calls_the_open_internet_over_https_only() {
        let guard = Guard::new(false);
        for refused in [
            "http://example.com/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.0.0.8/x",
            "https://localhost/",
            "https://a.internal/",
            "https://user:secret@example.com/",
            "ftp://example.com/",
            "https://0x7f000001/",
            "https://2130706433/",
            "not a url",
        ] {
            assert!(guard.url(refused).is_err(), "{refused}");
        }
        assert!(guard.url("https://hooks.example.com/steward?tenant=1").is_ok());
        assert!(Guard::new(true).url("http://127.0.0.1:8080/hook").is_ok());
    }
}
