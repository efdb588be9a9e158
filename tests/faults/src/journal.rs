//! What clients were told: the only thing they know, and so what the suite is held to.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use jiff::Timestamp;

/// A mutation that was acknowledged.
#[derive(Debug, Clone)]
pub struct Written {
    /// `steward.work_order.v1.WorkOrderService/AssignWorkOrder`
    pub rpc: String,
    /// Who asked.
    pub by: String,
    /// The id of the request.
    pub request_id: String,
    /// The request as it was sent each time.
    pub body: Bytes,
    /// The answer.
    pub answer: Bytes,
    /// What it made or changed: `order`, `order.assign`, …
    pub kind: &'static str,
    /// Which one.
    pub id: String,
    /// When it was acknowledged, by the clock of the suite.
    pub at: Timestamp,
    /// How often it was asked.
    pub attempts: u32,
}

/// The journal of every client.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    written: Vec<Written>,
    refused: Vec<(String, String)>,
    wrong: Vec<String>,
    repeated: u64,
}

impl Journal {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn acknowledge(&self, written: Written) {
        let mut pages = self.pages();
        pages.repeated += u64::from(written.attempts - 1);
        pages.written.push(written);
    }

    pub(crate) fn refuse(&self, request_id: String, why: String) {
        self.pages().refused.push((request_id, why));
    }

    pub(crate) fn wrong(&self, what: String) {
        self.pages().wrong.push(what);
    }

    /// Takes out what no server may ever answer: INTERNAL, UNKNOWN, another answer to the same request.
    pub fn take_wrong(&self) -> Vec<String> {
        std::mem::take(&mut self.pages().wrong)
    }

    /// Requests that were refused, and why.
    pub fn refused(&self) -> Vec<(String, String)> {
        self.pages().refused.clone()
    }

    /// How many calls were made again.
    pub fn repeated(&self) -> u64 {
        self.pages().repeated
    }

    /// How many mutations were acknowledged.
    pub fn count(&self) -> usize {
        self.pages().written.len()
    }

    /// Every acknowledged mutation from `from` on.
    pub fn since(&self, from: usize) -> Vec<Written> {
        self.pages().written.iter().skip(from).cloned().collect()
    }

    /// How often each thing of a kind was acknowledged.
    pub fn acknowledged(&self, kind: &str) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::new();
        for written in self.pages().written.iter().filter(|written| written.kind == kind) {
            *counts.entry(written.id.clone()).or_default() += 1;
        }
        counts
    }

    /// Acknowledged request ids, with what they were for.
    pub fn request_ids(&self, since: Timestamp) -> Vec<(String, String)> {
        let pages = self.pages();
        // The gateway keeps nothing: it asks the services under ids of its own.
        let recent = pages.written.iter().filter(|written| written.at >= since && !written.rpc.starts_with("steward.gateway."));
        recent.map(|written| (written.request_id.clone(), format!("{} {}", written.kind, written.id))).collect()
    }
}
