//! What people wrote leaves this process sealed: free texts of documents for the row they belong to, answers for the request that they
//! answer. Moved to another row or request they do not open.

use prost::Message;
use steward_kit::{Error, Result};
use steward_kit_store::Claim;
use steward_kit_store::idempotency::replay;
use steward_kit_store::rekey::SealedTable;
use zeroize::Zeroizing;

use super::App;
use super::transact::Call;
use crate::domain::base::{Document, Stored};
use crate::domain::obligation::Obligation;
use crate::domain::round::Round;
use crate::domain::touchpoint::Touchpoint;
use crate::domain::visit::Visit;

/// What a value sealed by the keyring begins with. No encoded message does: a field has a number, and its tag is 8 or more.
const SEALED: u8 = 1;

fn place<T: Document>(id: impl std::fmt::Display) -> String {
    format!("care/{}/{id}/texts", T::NOUN)
}

fn answer_place(method: &str, request_id: impl std::fmt::Display) -> String {
    format!("care/answer/{method}/{request_id}")
}

/// Every column of the schema that the keyring seals, for the job of a key rotation.
pub(crate) fn sealed_tables() -> Vec<SealedTable> {
    fn texts<T: Document>(name: &'static str) -> SealedTable {
        SealedTable::new(name, &["estate_id", "id"]).field("texts", |row| place::<T>(row.of("id")))
    }
    let claims = SealedTable::new("idempotency_claims", &["principal", "method", "request_id"]);
    vec![
        texts::<Touchpoint>("touchpoints"),
        texts::<Round>("visit_rounds"),
        texts::<Visit>("visits"),
        texts::<Obligation>("obligations"),
        claims.field("response", |row| answer_place(row.of("method"), row.of("request_id"))),
    ]
}

impl App {
    /// A document with its texts back where they belong.
    ///
    /// # Errors
    /// They do not open, or are not those of the document.
    pub(super) fn opened<T: Document>(&self, mut row: Stored<T>) -> Result<Stored<T>> {
        let Some(sealed) = row.sealed.take() else { return Ok(row) };
        let plain = self.cipher.open(place::<T>(row.id), &sealed)?;
        let texts: Vec<String> = serde_json::from_slice(&plain).map_err(Error::internal)?;
        let places = row.value.texts();
        if places.len() != texts.len() {
            return Err(Error::bug(format_args!("{} {} has {} texts, not {}", T::NOUN, row.id, places.len(), texts.len())));
        }
        for (place, text) in places.into_iter().zip(texts) {
            *place = text;
        }
        Ok(row)
    }

    /// [`Self::opened`] for a page.
    ///
    /// # Errors
    /// As there.
    pub(super) fn all_opened<T: Document>(&self, rows: Vec<Stored<T>>) -> Result<Vec<Stored<T>>> {
        rows.into_iter().map(|row| self.opened(row)).collect()
    }

    /// Documents as they are written: their texts sealed, unless they still are.
    ///
    /// # Errors
    /// A text does not serialise.
    pub(super) fn sealed<T: Document>(&self, rows: &[Stored<T>]) -> Result<Vec<Stored<T>>> {
        rows.iter().map(|row| self.sealed_row(row.clone())).collect()
    }

    /// One document as it is written.
    ///
    /// # Errors
    /// As [`Self::sealed`].
    pub(super) fn sealed_row<T: Document>(&self, mut row: Stored<T>) -> Result<Stored<T>> {
        if !T::HAS_TEXTS || row.sealed.is_some() {
            return Ok(row);
        }
        let texts: Vec<String> = row.value.texts().into_iter().map(std::mem::take).collect();
        if texts.iter().any(|text| !text.is_empty()) {
            let plain = Zeroizing::new(serde_json::to_vec(&texts).map_err(Error::internal)?);
            row.sealed = Some(self.cipher.seal(place::<T>(row.id), plain.as_slice()));
        }
        Ok(row)
    }

    /// The claim on a request, with its answer, which may hold what people wrote.
    pub(super) fn claim(&self, call: &Call<'_>, answer: &impl Message) -> Option<Claim> {
        let place = answer_place(&call.key.method, call.key.request_id);
        Some(Claim { key: call.key.clone(), response: self.cipher.seal(place, answer.encode_to_vec()) })
    }

    /// The stored answer, if the request came before. One trip.
    pub(super) async fn repeated<R: Message + Default>(&self, call: &Call<'_>) -> Result<Option<R>> {
        let Some(stored) = replay(&self.db, &call.key).await? else { return Ok(None) };
        // Answers of before they were sealed stand there for as long as a request may be repeated.
        let plain = match stored.first() {
            Some(&SEALED) => self.cipher.open(answer_place(&call.key.method, call.key.request_id), &stored)?,
            Some(_) | None => Zeroizing::new(stored.to_vec()),
        };
        R::decode(plain.as_slice()).map(Some).map_err(Error::internal)
    }
}
