//! The links between processes: every address in a service's settings leads by way of one.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, Result};
use steward_harness::{
    proxy::Link,
    stack::{SERVICES, Service},
};
use tonic::transport::{Channel, Endpoint};

use super::Site;

/// Who calls from outside.
pub const CLIENT: &str = "client";

impl Site {
    /// The same settings, with every address of another process by way of a link.
    pub(super) async fn linked(&mut self, from: &'static str, settings: Vec<(String, String)>) -> Result<Vec<(String, String)>> {
        let names = SERVICES.map(|service| service.name);
        let others = ["postgres", "redis", "smtp"].into_iter().chain(names).filter(|name| *name != from);
        let others: Vec<(&'static str, u16)> = others.map(|name| (name, self.ports.of(name))).collect();
        let mut linked = Vec::with_capacity(settings.len());
        for (name, value) in settings {
            let is_address = |port: u16| value.contains("://") && value.contains(&format!("127.0.0.1:{port}"));
            let Some((to, port)) = others.iter().copied().find(|(_, port)| is_address(*port)) else {
                linked.push((name, value));
                continue;
            };
            let link = Link::to(local(port)).await?;
            linked.push((name, value.replace(&format!("127.0.0.1:{port}"), &link.address().to_string())));
            self.links.insert((from, to), link);
        }
        // What is kept of the logs is what went wrong; a service that talks of each call would fill the disk in a soak.
        linked.push((format!("{}LOG", Service::named(from)?.prefix()), "warn".to_owned()));
        Ok(linked)
    }

    /// The link from one process to another.
    ///
    /// # Errors
    /// There is none.
    pub fn link(&self, from: &str, to: &str) -> Result<&Link> {
        let found = self.links.iter().find(|((a, b), _)| *a == from && *b == to);
        found.map(|(_, link)| link).with_context(|| format!("no link from {from} to {to}"))
    }

    /// Every link: from whom, to whom.
    pub fn links(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.links.keys().copied()
    }

    /// The gateway, by way of the clients' link.
    ///
    /// # Errors
    /// None as long as the link is there.
    pub fn gateway(&self) -> Result<Channel> {
        let url = format!("http://{}", self.link(CLIENT, "gateway")?.address());
        let endpoint = Endpoint::from_shared(url)?.connect_timeout(Duration::from_secs(2)).tcp_nodelay(true);
        Ok(endpoint.http2_keep_alive_interval(Duration::from_secs(5)).keep_alive_timeout(Duration::from_secs(3)).connect_lazy())
    }

    /// `http://…` of the webhook receiver, by way of its link.
    ///
    /// # Errors
    /// None as long as the link is there.
    pub fn webhook_url(&self) -> Result<String> {
        Ok(format!("http://{}/hooks", self.link("notification", "webhook")?.address()))
    }
}

pub(super) fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
