//! Personal data in memory: it does not print, and it is shown masked.
//!
//! [`Pii`] holds a value that no log line, span, error or snapshot can show by accident: it prints `***` and does not
//! serialise. Reading it is a word one can search for: [`Pii::expose`].
//!
//! Answers show the masks of this module unless the caller used a reveal RPC. [`Phone`] brings the many spellings of a
//! mainland number to one, which is what is stored, compared and indexed.

mod mask;
mod phone;

use std::fmt;

pub use mask::{mask_address, mask_email, mask_id_number, mask_name, mask_phone};
pub use phone::{InvalidPhone, Phone, PhoneKind};

/// A value that must not be printed.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself: to encrypt it, to send it to the person, or to answer a reveal.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself, given away.
    pub fn into_exposed(self) -> T {
        self.0
    }

    /// Another value made of it, as secret as it was.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Pii<U> {
        Pii(change(self.0))
    }
}

impl<T> From<T> for Pii<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

impl<T> fmt::Display for Pii<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XC-51
    #[test]
    fn personal_data_does_not_print() {
        #[derive(Debug)]
        struct Person {
            #[allow(dead_code, reason = "read by Debug only")]
            name: Pii<String>,
        }
        let person = Person { name: "张三".to_owned().into() };
        assert_eq!(format!("{person:?} {}", person.name), "Person { name: *** } ***");
        assert_eq!(person.name.map(|name| name.len()).into_exposed(), 6);
    }
}
