//! Every column of the schema that the keyring seals, for the job of a key rotation.

use steward_kit_store::rekey::{RowKey, SealedTable};

use super::texts::place;
use crate::app::answer_place;

/// The tables with such columns: what people wrote, and answers that are given again to a request that comes again.
pub(crate) fn sealed_tables() -> Vec<SealedTable> {
    let records = ["waves", "frame_jobs", "sessions", "feedback_items", "improvement_plans", "reports", "mystery_visits"];
    let of_record = |table: &'static str| {
        SealedTable::new(table, &["estate_id", "id"]).field("texts", move |row: &RowKey<'_>| place(table, row.of("id")))
    };
    let responses = SealedTable::new("responses", &["estate_id", "id", "receive_time"])
        .field("texts", |row: &RowKey<'_>| place("responses", row.of("id")));
    // A revision is sealed for its response: it was that response's text once.
    let revisions = SealedTable::new("response_revisions", &["estate_id", "response_id", "revision", "record_time"])
        .field("texts", |row: &RowKey<'_>| place("responses", row.of("response_id")));
    let claims = SealedTable::new("idempotency_claims", &["principal", "method", "request_id"])
        .field("response", |row: &RowKey<'_>| answer_place(row.of("method"), row.of("request_id")));
    records.into_iter().map(of_record).chain([responses, revisions, claims]).collect()
}
