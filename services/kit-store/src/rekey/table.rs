//! A table with sealed columns, and the statements that go over it.

use std::fmt;
use std::sync::Arc;

use sqlx::{PgConnection, SqlStr};
use steward_kit::crypto::{CryptoError, FieldCipher, KeyId};
use steward_kit::{Error, Result};

use crate::db::{Db, check_schema};
use crate::error::StoreResult;

/// Seals a value anew by the current key; `None` when it is under that key already.
type Reseal = Arc<dyn Fn(&FieldCipher, &RowKey<'_>, &[u8]) -> Result<Option<Vec<u8>>, CryptoError> + Send + Sync>;

/// A table of the service's schema whose columns hold values sealed by the keyring. The app role must be allowed to update
/// those columns.
#[derive(Clone)]
pub struct SealedTable {
    name: &'static str,
    key: &'static [&'static str],
    columns: Vec<(&'static str, Reseal)>,
}

/// The key of one row, each of its columns as text.
#[derive(Debug)]
pub struct RowKey<'a> {
    names: &'static [&'static str],
    texts: &'a [String],
}

impl RowKey<'_> {
    /// A column of the key, as Postgres writes it: a uuid hyphenated and in lower case. Empty for a column that is not in
    /// the key; the value then opens nowhere and is counted as failed.
    pub fn of(&self, column: &str) -> &str {
        let at = self.names.iter().position(|name| *name == column);
        at.and_then(|at| self.texts.get(at)).map_or("", String::as_str)
    }
}

impl SealedTable {
    /// A table (unqualified) by the columns of its primary key, in the order of the key's index.
    pub fn new(name: &'static str, key: &'static [&'static str]) -> Self {
        Self { name, key, columns: Vec::new() }
    }

    /// A column of values from [`FieldCipher::seal`]; `place` names the place that they were sealed for.
    #[must_use]
    pub fn field(self, column: &'static str, place: impl Fn(&RowKey<'_>) -> String + Send + Sync + 'static) -> Self {
        self.column(column, move |cipher, row, sealed| cipher.reseal(place(row), sealed))
    }

    /// A column of keys from [`FieldCipher::wrap`]; `owner` is whom they were wrapped for.
    #[must_use]
    pub fn wrapped_key(self, column: &'static str, owner: impl Fn(&RowKey<'_>) -> String + Send + Sync + 'static) -> Self {
        self.column(column, move |cipher, row, sealed| cipher.rewrap(owner(row), sealed))
    }

    fn column<F>(mut self, column: &'static str, reseal: F) -> Self
    where
        F: Fn(&FieldCipher, &RowKey<'_>, &[u8]) -> Result<Option<Vec<u8>>, CryptoError> + Send + Sync + 'static,
    {
        self.columns.push((column, Arc::new(reseal)));
        self
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for SealedTable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        out.debug_struct("SealedTable").field("name", &self.name).field("key", &self.key).field("columns", &columns).finish()
    }
}

/// What one transaction did.
pub(super) struct Batch {
    /// The last row it looked at; `None` at the end of the table.
    pub(super) last_key: Option<Vec<String>>,
    pub(super) changed: u64,
    pub(super) failed: u64,
}

/// A row with a value under an older key: its key, and by column the value, where it is one of those.
type OldRow = (Vec<String>, Vec<Option<Vec<u8>>>);

/// The statements of one table.
pub(super) struct Statements {
    /// What begins every value of the current key; values of older keys come before it.
    header: Vec<u8>,
    count: SqlStr,
    first: SqlStr,
    next: SqlStr,
    /// By column.
    updates: Vec<SqlStr>,
}

impl Statements {
    /// Reads the types of the key's columns, which the statements say.
    pub(super) async fn of(db: &Db, table: &SealedTable, current: KeyId) -> Result<Self> {
        let SealedTable { name, key, columns } = table;
        for plain in [name].into_iter().chain(*key).chain(columns.iter().map(|(column, _)| column)) {
            check_schema(plain)?;
        }
        let types: Vec<(String, String)> = sqlx::query_as(db.sql(
            "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
              WHERE a.attrelid = to_regclass('{schema}.' || $1) AND a.attnum > 0",
        ))
        .bind(*name)
        .fetch_all(db.pool())
        .await
        .store()?;
        let type_of = |column: &str| {
            let found = types.iter().find(|(name, _)| name == column);
            found.map(|(_, name)| name.as_str()).ok_or_else(|| Error::bug(format_args!("{name} has no column {column}")))
        };
        let key_types = key.iter().map(|column| type_of(column)).collect::<Result<Vec<_>>>()?;

        // Format 1 and a key's number, big endian: older keys have smaller headers. Values of other formats, such as those
        // under a person's own key, are none of ours and lie outside.
        let old = |column: &str| {
            format!("(substring({column} FROM 1 FOR 5) >= '\\x0100000000'::bytea AND substring({column} FROM 1 FOR 5) < $1)")
        };
        let any_old = columns.iter().map(|(column, _)| old(column)).collect::<Vec<_>>().join(" OR ");
        let keys = key.join(", ");
        let texts = key.iter().map(|column| format!("{column}::text")).collect::<Vec<_>>().join(", ");
        let values = columns.iter().map(|(column, _)| format!("CASE WHEN {} THEN {column} END", old(column)));
        let values = values.collect::<Vec<_>>().join(", ");
        let last = key_types.iter().zip(1..).map(|(name, at)| format!("($3::text[])[{at}]::{name}")).collect::<Vec<_>>().join(", ");
        let page = |from: String| {
            db.sql(&format!(
                "SELECT ARRAY[{texts}], ARRAY[{values}]::bytea[] FROM {{schema}}.{name} WHERE ({any_old}){from}
                  ORDER BY {keys} LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"
            ))
        };
        let parameters = key.iter().zip(1..).map(|(_, at)| format!("${at}::text[]")).collect::<Vec<_>>().join(", ");
        let same = key.iter().zip(&key_types).map(|(column, kind)| format!("t.{column} = n.{column}::{kind}")).collect::<Vec<_>>();
        let (same, old_at, new_at) = (same.join(" AND "), key.len() + 1, key.len() + 2);
        let update = |column: &str| {
            db.sql(&format!(
                "UPDATE {{schema}}.{name} AS t SET {column} = n.new_value
                   FROM unnest({parameters}, ${old_at}::bytea[], ${new_at}::bytea[]) AS n({keys}, old_value, new_value)
                  WHERE {same} AND t.{column} = n.old_value"
            ))
        };
        Ok(Self {
            header: [&[1], current.to_be_bytes().as_slice()].concat(),
            count: db.sql(&format!("SELECT count(*) FROM {{schema}}.{name} WHERE {any_old}")),
            first: page(String::new()),
            next: page(format!(" AND ({keys}) > ({last})")),
            updates: columns.iter().map(|(column, _)| update(column)).collect(),
        })
    }

    /// Rows under an older key.
    pub(super) async fn count(&self, db: &Db) -> Result<i64> {
        sqlx::query_scalar(self.count.clone()).bind(&self.header).fetch_one(db.pool()).await.store()
    }

    /// The next rows after `after`, in one transaction. Rows that somebody holds are left for the next pass.
    pub(super) async fn batch(
        &self,
        db: &Db,
        cipher: &FieldCipher,
        table: &SealedTable,
        after: Option<&[String]>,
        most: i64,
    ) -> Result<Batch> {
        let _place = db.background().await;
        let mut tx = db.begin().await?;
        let page = match after {
            None => sqlx::query_as(self.first.clone()).bind(&self.header).bind(most),
            Some(after) => sqlx::query_as(self.next.clone()).bind(&self.header).bind(most).bind(after),
        };
        let rows: Vec<OldRow> = page.fetch_all(&mut *tx).await.store()?;
        let mut whole = vec![true; rows.len()];
        for (at, (column, reseal)) in table.columns.iter().enumerate() {
            let mut new = Vec::new();
            for ((texts, values), whole) in rows.iter().zip(&mut whole) {
                let Some(Some(old)) = values.get(at) else { continue };
                match reseal(cipher, &RowKey { names: table.key, texts }, old) {
                    Ok(Some(sealed)) => new.push((texts, old, sealed)),
                    Ok(None) => {}
                    Err(error) => {
                        *whole = false;
                        tracing::error!(schema = db.schema(), table = table.name, column, row = texts.join("/"), error = %error,
                            "a sealed value does not open; it stays under its key");
                    }
                }
            }
            self.update(&mut tx, at, table.key.len(), &new).await?;
        }
        tx.commit().await.store()?;
        let failed = whole.iter().filter(|whole| !**whole).count();
        let is_end = i64::try_from(rows.len()).unwrap_or(i64::MAX) < most;
        Ok(Batch {
            changed: wide(rows.len() - failed),
            failed: wide(failed),
            last_key: rows.into_iter().next_back().map(|(key, _)| key).filter(|_| !is_end),
        })
    }

    async fn update(
        &self,
        tx: &mut PgConnection,
        column: usize,
        key_length: usize,
        new: &[(&Vec<String>, &Vec<u8>, Vec<u8>)],
    ) -> Result<()> {
        let Some(update) = self.updates.get(column).filter(|_| !new.is_empty()) else { return Ok(()) };
        let mut query = sqlx::query(update.clone());
        for at in 0..key_length {
            query = query.bind(new.iter().filter_map(|(key, ..)| key.get(at).cloned()).collect::<Vec<String>>());
        }
        let (old, sealed): (Vec<&[u8]>, Vec<&[u8]>) = new.iter().map(|(_, old, sealed)| (old.as_slice(), sealed.as_slice())).unzip();
        query.bind(old).bind(sealed).execute(tx).await.store().map(drop)
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
