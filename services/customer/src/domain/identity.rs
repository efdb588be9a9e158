//! Numbers that identify a person or an organisation.

use super::customer::CustomerKind;

/// The one spelling of an identity number, or `None` when it is none: 18 digits with the check digit of GB 11643 for a
/// resident, other documents (passport, permits) 5 to 18 letters and digits; GB 32100 for an organisation.
pub fn normalised_id_number(kind: CustomerKind, text: &str) -> Option<String> {
    let number: String = text
        .chars()
        .filter(|character| !character.is_whitespace() && *character != '-')
        .map(super::text::halfwidth_char)
        .map(|character| character.to_ascii_uppercase())
        .collect();
    let is_alphanumeric = number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let valid = match kind {
        CustomerKind::Person if number.len() == 18 && number[..17.min(number.len())].bytes().all(|byte| byte.is_ascii_digit()) => {
            is_resident_number(&number)
        }
        CustomerKind::Person => is_alphanumeric && (5..=18).contains(&number.len()),
        CustomerKind::Organisation => is_credit_code(&number),
    };
    valid.then_some(number)
}

/// GB 11643-1999: the last of 18 characters checks the 17 digits before it.
fn is_resident_number(number: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: &[u8; 11] = b"10X98765432";
    let bytes = number.as_bytes();
    if bytes.len() != 18 || !bytes[..17].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = bytes.iter().zip(WEIGHTS).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    bytes[17] == CHECKS[(sum % 11) as usize]
}

/// GB 32100-2015: 18 characters without I, O, S, V and Z; the last one checks the others.
fn is_credit_code(number: &str) -> bool {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    if number.len() != 18 {
        return false;
    }
    let mut sum = 0;
    let mut weight = 1;
    for character in number[..17].chars() {
        let Some(value) = ALPHABET.find(character) else { return false };
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    ALPHABET.find(&number[17..]) == Some((31 - sum % 31) % 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_tells_a_mistyped_number() {
        let person = |text| normalised_id_number(CustomerKind::Person, text);
        assert_eq!(person("11010519491231002x").as_deref(), Some("11010519491231002X"));
        assert_eq!(person("１1010519491231002X").as_deref(), Some("11010519491231002X"));
        assert_eq!(person("110105194912310021"), None);
        assert_eq!(person("E12345678").as_deref(), Some("E12345678"));
        assert_eq!(person("12"), None);
    }

    #[test]
    fn a_credit_code_is_checked_too() {
        let organisation = |text| normalised_id_number(CustomerKind::Organisation, text);
        assert_eq!(organisation("91350100M000100Y43").as_deref(), Some("91350100M000100Y43"));
        assert_eq!(organisation("91350100M000100Y44"), None);
        assert_eq!(organisation("1234"), None);
        assert_eq!(organisation("中文中文中文中"), None);
    }
}
