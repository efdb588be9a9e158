//! The development issuer: signs the tokens that tests and `cargo dev token` use. Its key exists on one machine and is worth nothing
//! elsewhere; production's configuration names the group's own issuer.

mod claims;
mod issuer;

pub use claims::Claims;
pub use claims::{AUDIENCE, ISSUER};
pub use issuer::Issuer;
