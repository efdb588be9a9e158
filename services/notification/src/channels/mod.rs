//! The ways out of the house. Each takes one attempt and says what the other side answered; none decides what follows.

pub(crate) mod guard;
pub(crate) mod mail;
pub(crate) mod webhook;
