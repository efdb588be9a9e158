//! Facts in and out.

pub(crate) mod broadcasts;
pub(crate) mod catalogue;
pub(crate) mod directory;
pub(crate) mod facts;
pub(crate) mod publish;
pub(crate) mod routing;
