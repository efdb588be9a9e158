//! What this process was asked for lately. In memory only: what is forgotten is counted when somebody asks again.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::EstateId;
use tokio::sync::Notify;

use super::Question;

/// How long a question is kept in mind after it was asked last.
const KEPT: SignedDuration = SignedDuration::from_hours(2);

/// Questions kept in mind; of more the one asked longest ago goes.
const MOST: usize = 16;

/// A question and the estates that it was asked about.
#[derive(Clone, Debug)]
pub(super) struct Board {
    pub(super) question: Arc<Question>,
    pub(super) estates: BTreeSet<EstateId>,
    last: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Asked {
    boards: Mutex<HashMap<[u8; 32], Board>>,
    wake: Notify,
}

impl Asked {
    pub(super) fn note(&self, question: &Arc<Question>, estates: &[ScopedEstate], now: Timestamp) {
        let mut boards = self.boards.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Board { question: question.clone(), estates: BTreeSet::new(), last: now };
        let board = boards.entry(question.content()).or_insert_with(new);
        board.last = now;
        board.estates.extend(estates.iter().map(|estate| estate.id()));
        if boards.len() > MOST {
            let oldest = boards.iter().min_by_key(|(_, board)| board.last).map(|(content, _)| *content);
            oldest.and_then(|content| boards.remove(&content));
        }
    }

    /// What is kept in mind.
    pub(super) fn boards(&self, now: Timestamp) -> Vec<Board> {
        let mut boards = self.boards.lock().unwrap_or_else(PoisonError::into_inner);
        boards.retain(|_, board| now.duration_since(board.last) <= KEPT);
        boards.values().cloned().collect()
    }

    pub(super) fn hint(&self) {
        self.wake.notify_one();
    }

    pub(super) async fn hinted(&self) {
        self.wake.notified().await;
    }
}
