//! Every column of the schema that the keyring seals, for the job of a key rotation. Persons' data and files stay as they
//! are: only the keys that they are under are wrapped anew.

use steward_kit_store::rekey::SealedTable;

use crate::domain::vault::claim_place;

/// The tables with such columns.
pub(crate) fn sealed_tables() -> Vec<SealedTable> {
    vec![
        SealedTable::new("customers", &["id"]).wrapped_key("data_key", |row| row.of("id").to_owned()),
        SealedTable::new("estate_imports", &["id"]).wrapped_key("data_key", |row| row.of("id").to_owned()),
        SealedTable::new("idempotency_claims", &["principal", "method", "request_id"])
            .field("response", |row| claim_place(row.of("principal"), row.of("method"), row.of("request_id"))),
    ]
}
