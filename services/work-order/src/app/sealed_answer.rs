//! Answers that hold what people wrote, kept sealed for a repetition of their request.

use prost::Message;
use steward_kit::idempotency::RequestKey;
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::{is_replay, replay};
use steward_kit_store::{Claim, store_error};

use super::App;
use crate::store::answer_place;

impl App {
    /// What the request was answered, if it came before. One trip.
    pub(super) async fn answered<R: Message + Default>(&self, key: &RequestKey) -> Result<Option<R>> {
        let Some(sealed) = replay(&self.db, key).await? else { return Ok(None) };
        let plain = self.cipher.open(answer_place(&key.method, key.request_id), &sealed)?;
        R::decode(plain.as_slice()).map(Some).map_err(Error::internal)
    }

    /// The claim on a request, with its answer.
    pub(super) fn sealed_claim<R: Message>(&self, key: &RequestKey, answer: &R) -> Claim {
        let response = self.cipher.seal(answer_place(&key.method, key.request_id), answer.encode_to_vec());
        Claim { key: key.clone(), response }
    }

    /// The answer of a twin that was faster between the look for its claim and the write; else the failure.
    pub(super) async fn first_sealed<R: Message + Default>(&self, key: &RequestKey, error: sqlx::Error) -> Result<R> {
        if !is_replay(&error) {
            return Err(store_error(error));
        }
        self.answered(key).await?.ok_or_else(|| Error::bug("a claim is gone that refused a request"))
    }
}
