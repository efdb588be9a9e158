//! What customers and staff wrote. Each order's texts are sealed for their place: moved to another order they do not open.

use std::fmt::Display;

use serde::{Deserialize, Serialize};
use steward_kit::crypto::FieldCipher;
use steward_kit::ids::WorkOrderId;
use steward_kit::pii::Pii;
use steward_kit::{Error, Result};
use steward_kit_store::rekey::SealedTable;

use crate::domain::WorkOrder;

/// A column that holds sealed text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    Description,
    Location,
    Texts,
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::Location => "location",
            Self::Texts => "texts",
        }
    }

    fn place(self, id: impl Display) -> String {
        format!("work_order/{id}/{}", self.name())
    }

    pub(super) fn seal(self, cipher: &FieldCipher, id: WorkOrderId, text: impl AsRef<[u8]>) -> Vec<u8> {
        cipher.seal(self.place(id), text)
    }

    pub(super) fn open(self, cipher: &FieldCipher, id: WorkOrderId, sealed: &[u8]) -> Result<Pii<String>> {
        let plain = cipher.open(self.place(id), sealed)?;
        let text = std::str::from_utf8(&plain).map_err(Error::internal)?;
        Ok(Pii::new(text.to_owned()))
    }
}

/// Every column of the schema that the keyring seals, for the job of a key rotation.
pub(crate) fn sealed_tables() -> Vec<SealedTable> {
    let columns = [Column::Description, Column::Location, Column::Texts];
    let orders = SealedTable::new("work_orders", &["estate_id", "id"]);
    let orders = columns.into_iter().fold(orders, |table, column| table.field(column.name(), move |row| column.place(row.of("id"))));
    let claims = SealedTable::new("idempotency_claims", &["principal", "method", "request_id"]);
    let causes = SealedTable::new("root_causes", &["estate_id", "id"]).field("answers", |row| answers_place(row.of("id")));
    let actions = SealedTable::new("corrective_actions", &["estate_id", "id"]).field("description", |row| action_place(row.of("id")));
    vec![orders, causes, actions, claims.field("response", |row| answer_place(row.of("method"), row.of("request_id")))]
}

/// Where the answers of a root cause are sealed for.
pub(super) fn answers_place(id: impl Display) -> String {
    format!("work_order/root_cause/{id}/answers")
}

/// Where what is done about one is sealed for.
pub(super) fn action_place(id: impl Display) -> String {
    format!("work_order/corrective_action/{id}/description")
}

/// Where the answer that a repeated request gets is sealed for.
pub(crate) fn answer_place(method: &str, request_id: impl Display) -> String {
    format!("work_order/answer/{method}/{request_id}")
}

/// The texts that hang on lists of the aggregate, in the order of those lists.
#[derive(Default, Serialize, Deserialize)]
struct Texts {
    notes: Vec<String>,
    plans: Vec<String>,
    improvements: Vec<String>,
    summaries: Vec<String>,
}

/// Takes the texts out of an order's lists, sealed as one.
pub(super) fn seal_texts(cipher: &FieldCipher, order: &WorkOrder) -> Result<Vec<u8>> {
    let texts = Texts {
        notes: order.contacts.iter().map(|contact| contact.note.expose().clone()).collect(),
        plans: order.assessments.iter().map(|assessment| assessment.plan.expose().clone()).collect(),
        improvements: order.callbacks.iter().map(|callback| callback.improvement.expose().clone()).collect(),
        summaries: order.proofs.iter().map(|proof| proof.summary.expose().clone()).collect(),
    };
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(&texts).map_err(Error::internal)?);
    Ok(Column::Texts.seal(cipher, order.id, plain.as_slice()))
}

/// Puts the texts back where they belong.
pub(super) fn open_texts(cipher: &FieldCipher, order: &mut WorkOrder, sealed: &[u8]) -> Result<()> {
    let plain = Column::Texts.open(cipher, order.id, sealed)?;
    let texts: Texts = serde_json::from_str(plain.expose()).map_err(Error::internal)?;
    for (contact, note) in order.contacts.iter_mut().zip(texts.notes) {
        contact.note = note.into();
    }
    for (assessment, plan) in order.assessments.iter_mut().zip(texts.plans) {
        assessment.plan = plan.into();
    }
    for (callback, improvement) in order.callbacks.iter_mut().zip(texts.improvements) {
        callback.improvement = improvement.into();
    }
    for (proof, summary) in order.proofs.iter_mut().zip(texts.summaries) {
        proof.summary = summary.into();
    }
    Ok(())
}
