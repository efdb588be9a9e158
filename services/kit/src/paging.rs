//! Lists: how much at once, and where to go on.
//!
//! Every list is keyset-paged. A page token is the last row's key, sealed: it cannot be read, forged, or used with
//! another filter than it was made for. It is not bound to a caller, because the caller's scope is part of every
//! query anyway.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crypto::FieldCipher;
use crate::error::{Error, Result};

/// Rows of a page when the caller does not say.
pub const DEFAULT_PAGE_SIZE: u32 = 50;
/// Most rows of a page; a greater wish is cut to this.
pub const MAX_PAGE_SIZE: u32 = 200;

/// Most rows of a page between services, which read whole estates.
pub const MAX_INTERNAL_PAGE_SIZE: u32 = 1000;

/// How many rows a page holds: 1 to 200; between services up to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u32);

impl PageSize {
    /// Reads the field `page_size`: 0 means the default, more than the most is cut.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a negative size.
    pub fn of(page_size: i32) -> Result<Self> {
        match u32::try_from(page_size) {
            Ok(0) => Ok(Self(DEFAULT_PAGE_SIZE)),
            Ok(size) => Ok(Self(size.min(MAX_PAGE_SIZE))),
            Err(_) => Err(Error::invalid("page_size", "int32.gte", "must not be negative")),
        }
    }

    /// Reads the field `page_size` of an RPC between services: as [`PageSize::of`], with more at once.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a negative size.
    pub fn internal(page_size: i32) -> Result<Self> {
        let size = Self::of(page_size)?;
        Ok(u32::try_from(page_size).map_or(size, |wish| Self(wish.clamp(size.0, MAX_INTERNAL_PAGE_SIZE))))
    }

    /// Rows the page shows.
    pub fn rows(self) -> usize {
        self.0 as usize
    }

    /// The `LIMIT` to ask for: one more than is shown, to learn whether there is a next page.
    pub fn limit(self) -> i64 {
        i64::from(self.0) + 1
    }
}

/// The query a page token belongs to: RPC and filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(Vec<u8>);

impl Query {
    /// The query of a list RPC. `filter` is the request with `page_size` and `page_token` cleared.
    pub fn of(method: &str, filter: &impl prost::Message) -> Self {
        let mut query = format!("page-token:{method}:").into_bytes();
        query.extend_from_slice(&filter.encode_to_vec());
        Self(query)
    }
}

/// Which page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<C> {
    /// How many rows.
    pub size: PageSize,
    /// The key of the last row seen; `None` for the first page.
    pub after: Option<C>,
}

/// A page, and the token of the next; empty when there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows to show.
    pub rows: Vec<T>,
    /// For `next_page_token`.
    pub next_page_token: String,
}

/// Makes and reads page tokens. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PageTokens(FieldCipher);

impl PageTokens {
    /// Tokens sealed by `cipher`.
    pub fn new(cipher: FieldCipher) -> Self {
        Self(cipher)
    }

    /// Reads the paging fields of a list request.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a negative size, and for a token that is damaged, forged, too old to open, or of another
    /// query.
    pub fn request<C: DeserializeOwned>(&self, query: &Query, page_size: i32, page_token: &str) -> Result<PageRequest<C>> {
        Ok(PageRequest { size: PageSize::of(page_size)?, after: self.open(query, page_token)? })
    }

    /// Cuts rows that were asked for with [`PageSize::limit`] into a page; `key` gives a row's place in the order.
    ///
    /// # Errors
    /// [`Error::Internal`] when the key does not serialise.
    pub fn page<T, C: Serialize>(&self, query: &Query, size: PageSize, mut rows: Vec<T>, key: impl FnOnce(&T) -> C) -> Result<Page<T>> {
        let more = rows.len() > size.rows();
        rows.truncate(size.rows());
        let next_page_token = match rows.last() {
            Some(last) if more => self.seal(query, &key(last))?,
            Some(_) | None => String::new(),
        };
        Ok(Page { rows, next_page_token })
    }

    /// The token for going on after `cursor`.
    ///
    /// # Errors
    /// [`Error::Internal`] when the cursor does not serialise.
    pub fn seal(&self, query: &Query, cursor: &impl Serialize) -> Result<String> {
        let plain = serde_json::to_vec(cursor).map_err(Error::internal)?;
        Ok(URL_SAFE_NO_PAD.encode(self.0.seal(&query.0, plain)))
    }

    /// The cursor in a token; `None` for an empty token, the first page.
    ///
    /// # Errors
    /// [`Error::Invalid`] for any token that this query did not give out.
    pub fn open<C: DeserializeOwned>(&self, query: &Query, token: &str) -> Result<Option<C>> {
        if token.is_empty() {
            return Ok(None);
        }
        let cursor = URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|sealed| self.0.open(&query.0, &sealed).ok())
            .and_then(|plain| serde_json::from_slice(&plain).ok());
        match cursor {
            Some(cursor) => Ok(Some(cursor)),
            None => Err(Error::invalid("page_token", "page_token", "must be a token that this list gave out for the same filter")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Keyring;
    use std::sync::Arc;

    fn tokens() -> PageTokens {
        let keyring = Keyring::parse(&Keyring::generate_text()).expect("parses");
        PageTokens::new(FieldCipher::new(Arc::new(keyring)))
    }

    fn query(filter: i64) -> Query {
        Query::of("ListWorkOrders", &prost_types::Duration { seconds: filter, nanos: 0 })
    }

    #[test]
    fn sizes_have_a_default_and_a_most() {
        let size = |wish| PageSize::of(wish).map(PageSize::rows).ok();
        assert_eq!(
            [size(0), size(1), size(200), size(201), size(i32::MAX), size(-1)],
            [Some(50), Some(1), Some(200), Some(200), Some(200), None]
        );
        assert_eq!(PageSize::of(10).expect("a size").limit(), 11);
    }

    #[test]
    fn a_token_leads_on_in_the_same_list() {
        let tokens = tokens();
        let token = tokens.seal(&query(1), &("2026-03-01", 7)).expect("seals");
        assert_eq!(tokens.open::<(String, i32)>(&query(1), &token).expect("opens"), Some(("2026-03-01".into(), 7)));
        assert_eq!(tokens.open::<(String, i32)>(&query(1), "").expect("opens"), None);
        assert!(!token.contains("2026"));
    }

    #[test]
    fn a_token_of_another_filter_list_or_key_is_refused() {
        let tokens = tokens();
        let token = tokens.seal(&query(1), &7).expect("seals");
        let other_list = Query::of("ListMessages", &prost_types::Duration { seconds: 1, nanos: 0 });
        let refused = |result: Result<Option<i32>>| matches!(result, Err(Error::Invalid(_)));
        assert!(refused(tokens.open(&query(2), &token)));
        assert!(refused(tokens.open(&other_list, &token)));
        assert!(refused(self::tokens().open(&query(1), &token)));
    }

    #[test]
    fn an_altered_token_is_refused() {
        let tokens = tokens();
        let token = tokens.seal(&query(1), &7).expect("seals");
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("is ASCII");
            assert!(tokens.open::<i32>(&query(1), &altered).is_err(), "character {at}");
        }
        assert!(tokens.open::<i32>(&query(1), "not base64!").is_err());
    }

    #[test]
    fn a_page_is_cut_and_the_last_one_has_no_token() {
        let tokens = tokens();
        let size = PageSize::of(2).expect("a size");
        let page = tokens.page(&query(1), size, vec![1, 2, 3], |row| *row).expect("a page");
        assert_eq!(page.rows, [1, 2]);
        assert_eq!(tokens.open::<i32>(&query(1), &page.next_page_token).expect("opens"), Some(2));
        let last = tokens.page(&query(1), size, vec![3, 4], |row| *row).expect("a page");
        assert_eq!((last.rows.as_slice(), last.next_page_token.as_str()), ([3, 4].as_slice(), ""));
    }
}
