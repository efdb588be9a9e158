//! What people wrote, sealed for its place: moved to another row it does not open.

use std::collections::BTreeMap;

use steward_kit::crypto::FieldCipher;
use steward_kit::pii::Pii;
use steward_kit::{Error, Result};
use uuid::Uuid;

use crate::domain::{Answer, Value};

/// Where the texts of a row stand.
pub(super) fn place(table: &str, id: impl std::fmt::Display) -> String {
    format!("survey/{table}/{id}/texts")
}

/// Seals the texts of a row.
pub(super) fn seal(cipher: &FieldCipher, table: &str, id: Uuid, texts: &[String]) -> Result<Vec<u8>> {
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(texts).map_err(Error::internal)?);
    Ok(cipher.seal(place(table, id), plain.as_slice()))
}

/// Opens the texts of a row.
pub(super) fn open(cipher: &FieldCipher, table: &str, id: Uuid, sealed: &[u8]) -> Result<Vec<String>> {
    let plain = cipher.open(place(table, id), sealed)?;
    serde_json::from_slice(&plain).map_err(Error::internal)
}

/// Seals the texts among answers.
pub(super) fn seal_answers(cipher: &FieldCipher, id: Uuid, answers: &[Answer]) -> Result<Vec<u8>> {
    let texts: BTreeMap<&str, &str> = answers
        .iter()
        .filter_map(|answer| match &answer.value {
            Value::Text { text } => Some((answer.question.as_str(), text.expose().as_str())),
            Value::Scale(_) | Value::Choice(_) | Value::Choices(_) | Value::Yes(_) | Value::Number(_) | Value::NotApplicable => None,
        })
        .collect();
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(&texts).map_err(Error::internal)?);
    Ok(cipher.seal(place("responses", id), plain.as_slice()))
}

/// Puts the texts back among answers.
pub(super) fn open_answers(cipher: &FieldCipher, id: Uuid, sealed: &[u8], answers: &mut [Answer]) -> Result<()> {
    let plain = cipher.open(place("responses", id), sealed)?;
    let mut texts: BTreeMap<String, String> = serde_json::from_slice(&plain).map_err(Error::internal)?;
    for answer in answers {
        if let Value::Text { text } = &mut answer.value {
            *text = Pii::new(texts.remove(&answer.question).unwrap_or_default());
        }
    }
    Ok(())
}
