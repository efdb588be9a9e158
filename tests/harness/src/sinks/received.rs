//! What a sink got so far, and waiting for more.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::sync::watch;

/// Everything received, in order; waiting is woken by each arrival.
#[derive(Debug)]
pub(super) struct Received<T> {
    all: Arc<watch::Sender<Vec<T>>>,
}

impl<T> Clone for Received<T> {
    fn clone(&self) -> Self {
        Self { all: Arc::clone(&self.all) }
    }
}

impl<T: Clone + Send + Sync> Received<T> {
    pub(super) fn new() -> Self {
        Self { all: Arc::new(watch::Sender::new(Vec::new())) }
    }

    pub(super) fn push(&self, item: T) {
        self.all.send_modify(|all| all.push(item));
    }

    pub(super) fn all(&self) -> Vec<T> {
        self.all.borrow().clone()
    }

    /// The first item, past or coming, that `is_it` accepts.
    pub(super) async fn wait_for(&self, patience: Duration, is_it: impl Fn(&T) -> bool) -> Result<T> {
        let mut changes = self.all.subscribe();
        let found = async {
            let all = changes.wait_for(|all| all.iter().any(&is_it)).await.context("the sink is gone")?;
            all.iter().find(|item| is_it(item)).cloned().context("it was there a moment ago")
        };
        tokio::time::timeout(patience, found).await.with_context(|| format!("nothing of the kind arrived within {patience:?}"))?
    }
}
