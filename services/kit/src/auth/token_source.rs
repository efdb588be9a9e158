//! A service's own token, for calls that no caller asked for.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use anyhow::Context;
use http::HeaderValue;

use crate::error::{Error, Result};

/// A token in a mounted file, read again when the file changes. Cheap to clone.
#[derive(Clone)]
pub struct TokenSource(Arc<Source>);

struct Source {
    path: PathBuf,
    last: Mutex<Option<(SystemTime, HeaderValue)>>,
}

impl TokenSource {
    /// The token in the file at `path`; the file need not be there yet.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Source { path: path.into(), last: Mutex::new(None) }))
    }

    /// The value of the `authorization` header.
    ///
    /// # Errors
    /// [`Error::Internal`] when the file cannot be read or holds no token.
    pub fn authorization(&self) -> Result<HeaderValue> {
        let mut last = self.0.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let written = std::fs::metadata(&self.0.path).and_then(|file| file.modified());
        let written = written.context("looking at the service token's file").map_err(Error::internal)?;
        if let Some((read, value)) = &*last
            && *read == written
        {
            return Ok(value.clone());
        }
        let text = std::fs::read_to_string(&self.0.path).context("reading the service token").map_err(Error::internal)?;
        let mut value = HeaderValue::try_from(format!("Bearer {}", text.trim()))
            .map_err(|_| Error::bug("the service token's file does not hold a token"))?;
        value.set_sensitive(true);
        *last = Some((written, value.clone()));
        Ok(value)
    }
}

impl std::fmt::Debug for TokenSource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("TokenSource").field("path", &self.0.path).finish_non_exhaustive()
    }
}
