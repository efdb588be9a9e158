//! What was loaded, and the epoch it was true at.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use steward_kit::ids::EstateId;
use uuid::Uuid;

use super::{PolicyLayer, PolicyVersion, Resolved};

#[derive(Debug, Default)]
pub(super) struct Cache(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    epoch: i64,
    chains: HashMap<EstateId, HashMap<String, Arc<[PolicyLayer]>>>,
    /// Documents of base and group are shared by many estates: kept once. Versions never change, so never dropped.
    versions: HashMap<Uuid, PolicyLayer>,
}

impl Cache {
    /// The answer from memory; `None` if it was not loaded, or not at `seen` or later.
    pub(super) fn resolve(&self, seen: i64, kind: &str, estate: EstateId, at: Timestamp) -> Option<Resolved> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if state.epoch < seen {
            return None;
        }
        let chain = state.chains.get(&estate)?.get(kind)?;
        Some(Resolved { epoch: state.epoch, layers: in_force(chain, at) })
    }

    /// Remembers a chain that was read at `epoch`, and answers from it. A newer epoch forgets what older ones loaded.
    pub(super) fn keep(&self, epoch: i64, kind: &str, estate: EstateId, versions: Vec<PolicyVersion>, at: Timestamp) -> Resolved {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let chain: Arc<[PolicyLayer]> = versions.into_iter().map(|version| state.intern(version)).collect();
        if epoch > state.epoch {
            state.epoch = epoch;
            state.chains.clear();
        }
        if epoch == state.epoch {
            state.chains.entry(estate).or_default().insert(kind.to_owned(), chain.clone());
        }
        Resolved { epoch, layers: in_force(&chain, at) }
    }

    pub(super) fn version(&self, id: Uuid) -> Option<PolicyLayer> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).versions.get(&id).cloned()
    }

    pub(super) fn intern(&self, version: PolicyVersion) -> PolicyLayer {
        self.0.write().unwrap_or_else(PoisonError::into_inner).intern(version)
    }
}

impl State {
    fn intern(&mut self, version: PolicyVersion) -> PolicyLayer {
        self.versions.entry(version.id).or_insert_with(|| Arc::new(version)).clone()
    }
}

/// Of each scope the version that came into force last; most specific scope first.
fn in_force(chain: &[PolicyLayer], at: Timestamp) -> Arc<[PolicyLayer]> {
    let mut layers: [Option<&PolicyLayer>; 4] = [None; 4];
    for version in chain.iter().filter(|version| version.effective_time <= at) {
        let layer = &mut layers[usize::from(3 - version.scope.rank())];
        let order = |version: &PolicyLayer| (version.effective_time, version.version);
        if layer.is_none_or(|held| order(held) < order(version)) {
            *layer = Some(version);
        }
    }
    layers.into_iter().flatten().cloned().collect()
}
