//! Every column of the schema that the keyring seals, for the job of a key rotation.

use steward_kit_store::rekey::{RowKey, SealedTable};

/// The tables with such columns. Both secrets of an endpoint are sealed for the same place: the old one was the new one.
pub(crate) fn sealed_tables() -> Vec<SealedTable> {
    let place = |row: &RowKey<'_>| format!("notification.webhook_endpoints/{}/secret", row.of("id"));
    vec![SealedTable::new("webhook_endpoints", &["id"]).field("secret", place).field("old_secret", place)]
}
