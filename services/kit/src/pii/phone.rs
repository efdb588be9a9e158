//! One spelling for a mainland phone number.
//!
//! People and spreadsheets write `+86 138-1234-5678`, `0086 13812345678`, `１３８１２３４５６７８`, `(021) 6234 5678 转 801`.
//! Stored, compared and indexed is one of:
//!
//! * mobile: `+8613812345678`
//! * landline: `+862162345678`, with an extension `+862162345678;ext=801`
//! * 400 and 800 service numbers, 95xxx short numbers: `4001234567`, `95588`; they cannot be dialled from abroad.
//!
//! A landline needs its area code: the same eight digits exist in many cities. Numbers of other countries are refused;
//! a group that has such owners stores them as they are, unindexed.

use std::fmt;

/// A normalised number. Prints as `***`; the number is behind [`Phone::as_str`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone {
    kind: PhoneKind,
    normalised: String,
    /// How many digits after `+86` are the area code; 0 for other kinds.
    area: usize,
}

/// What sort of number it is: only a mobile receives SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhoneKind {
    /// Eleven digits from 13 to 19.
    Mobile,
    /// Area code and seven or eight digits.
    Landline,
    /// 400, 800, 95 and 96 numbers.
    Service,
}

/// Not a mainland number in any known spelling. Does not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a mainland phone number: a mobile, a landline with its area code, or a 400 number is expected")]
pub struct InvalidPhone;

impl Phone {
    /// Reads any usual spelling.
    ///
    /// # Errors
    /// [`InvalidPhone`].
    pub fn parse(text: &str) -> Result<Self, InvalidPhone> {
        let (number, extension) = split_extension(&halfwidth(text));
        let digits = digits_of(&number).ok_or(InvalidPhone)?;
        let extension = match extension {
            Some(extension) => Some(digits_of(&extension).filter(|e| (1..=6).contains(&e.len())).ok_or(InvalidPhone)?),
            None => None,
        };
        let (national, abroad) = national(&digits);
        match (classify(national, abroad).ok_or(InvalidPhone)?, extension) {
            ((PhoneKind::Mobile, _), None) => Ok(Self::new(PhoneKind::Mobile, format!("+86{national}"), 0)),
            ((PhoneKind::Service, _), None) => Ok(Self::new(PhoneKind::Service, national.to_owned(), 0)),
            ((PhoneKind::Landline, area), extension) => {
                let extension = extension.map(|digits| format!(";ext={digits}")).unwrap_or_default();
                let number = national.trim_start_matches('0');
                Ok(Self::new(PhoneKind::Landline, format!("+86{number}{extension}"), area))
            }
            ((PhoneKind::Mobile | PhoneKind::Service, _), Some(_)) => Err(InvalidPhone),
        }
    }

    fn new(kind: PhoneKind, normalised: String, area: usize) -> Self {
        Self { kind, normalised, area }
    }

    /// The one spelling, to encrypt or to index.
    pub fn as_str(&self) -> &str {
        &self.normalised
    }

    /// What sort of number it is.
    pub fn kind(&self) -> PhoneKind {
        self.kind
    }

    /// As people dial it here: `13812345678`, `021-62345678`, `4001234567`.
    pub fn dialled(&self) -> String {
        match self.kind {
            PhoneKind::Mobile => self.normalised.trim_start_matches("+86").to_owned(),
            PhoneKind::Landline => format!("{}{}", self.public_prefix(), self.subscriber()),
            PhoneKind::Service => self.normalised.clone(),
        }
    }

    /// The part that says where or what, and may be shown: `138`, `021-`, `400`.
    pub(super) fn public_prefix(&self) -> String {
        let digits = self.normalised.trim_start_matches("+86");
        match self.kind {
            PhoneKind::Mobile => digits[..3].to_owned(),
            PhoneKind::Landline => format!("0{}-", &digits[..self.area]),
            PhoneKind::Service => digits[..digits.len().min(3)].to_owned(),
        }
    }

    /// The part that is somebody's, without extension.
    pub(super) fn subscriber(&self) -> &str {
        let digits = self.normalised.trim_start_matches("+86");
        let digits = digits.split(';').next().unwrap_or(digits);
        match self.kind {
            PhoneKind::Mobile => &digits[3..],
            PhoneKind::Landline => &digits[self.area..],
            PhoneKind::Service => &digits[digits.len().min(3)..],
        }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Phone({:?}, ***)", self.kind)
    }
}

/// Fullwidth digits and signs (U+FF01..U+FF5E) as their halfwidth forms.
fn halfwidth(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(character as u32 - 0xfee0).unwrap_or(character),
            '\u{3000}' | '\u{a0}' => ' ',
            '—' | '–' | '‐' | '‑' => '-',
            other => other,
        })
        .collect()
}

/// `021-62345678 转 801`, `… ext. 801`, `… x801`, `…#801`.
fn split_extension(text: &str) -> (String, Option<String>) {
    let lower = text.to_lowercase();
    for mark in ["转", "轉", "分机", "ext.", "ext", ";ext=", "#", "x"] {
        if let Some((number, extension)) = lower.split_once(mark) {
            let extension = extension.trim_start_matches(['.', ':', '=', ' ']);
            return (number.trim_end_matches([';', ',', ' ']).to_owned(), Some(extension.to_owned()));
        }
    }
    (lower, None)
}

/// The digits, if nothing but digits and the usual separators is there; a `+` may only lead.
fn digits_of(text: &str) -> Option<String> {
    let text = text.trim();
    let (plus, rest) = match text.strip_prefix("(+").or_else(|| text.strip_prefix('+')) {
        Some(rest) => ("+", rest),
        None => ("", text),
    };
    let mut digits = plus.to_owned();
    for character in rest.chars() {
        match character {
            '0'..='9' => digits.push(character),
            ' ' | '-' | '(' | ')' | '.' | '/' => {}
            _ => return None,
        }
    }
    Some(digits)
}

/// The number without the country code in any of its spellings, and whether it had one. `86` without a sign is one only
/// when a whole mobile follows.
fn national(digits: &str) -> (&str, bool) {
    let rest = digits.strip_prefix("+86").or_else(|| digits.strip_prefix("0086"));
    let rest = rest.or_else(|| digits.strip_prefix("86").filter(|rest| is_mobile(rest)));
    // Many write a trunk zero before a mobile; it has none.
    let number = rest.unwrap_or(digits);
    (number.strip_prefix('0').filter(|number| is_mobile(number)).unwrap_or(number), rest.is_some())
}

fn is_mobile(digits: &str) -> bool {
    digits.len() == 11 && digits.starts_with('1') && matches!(digits.as_bytes()[1], b'3'..=b'9') && all_digits(digits)
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The kind, and the length of a landline's area code. Inside the country a landline begins with the trunk zero.
fn classify(national: &str, abroad: bool) -> Option<(PhoneKind, usize)> {
    if !all_digits(national) {
        return None;
    }
    if is_mobile(national) {
        return Some((PhoneKind::Mobile, 0));
    }
    let service = match national.len() {
        10 => national.starts_with("400") || national.starts_with("800"),
        5 | 6 => national.starts_with("95") || national.starts_with("96"),
        _ => false,
    };
    if service {
        return Some((PhoneKind::Service, 0));
    }
    // 010 and 02x are two digits after the zero, every other area is three.
    let number = national.strip_prefix('0').or_else(|| abroad.then_some(national))?;
    if number.starts_with("400") || number.starts_with("800") {
        return None;
    }
    let area = match number.as_bytes() {
        [b'1', b'0', ..] | [b'2', b'0'..=b'9', ..] => 2,
        [b'3'..=b'9', ..] => 3,
        [..] => return None,
    };
    let subscriber = number.get(area..)?;
    let long_enough = if area == 2 { subscriber.len() == 8 } else { matches!(subscriber.len(), 7 | 8) };
    (long_enough && !subscriber.starts_with(['0', '1'])).then_some((PhoneKind::Landline, area))
}

#[cfg(test)]
#[path = "phone_tests.rs"]
mod tests;
