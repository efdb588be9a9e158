//! Who calls.

use anyhow::{Context as _, Result};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
};

/// A token, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Bearer(MetadataValue<Ascii>);

impl Bearer {
    pub(crate) fn new(token: &str) -> Result<Self> {
        Ok(Self(format!("Bearer {token}").parse().context("a token that no header takes")?))
    }

    /// A request of who has the token.
    pub(crate) fn asks<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.0.clone());
        request
    }
}
