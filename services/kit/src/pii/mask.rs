//! What an answer shows of personal data: enough to recognise what one knows, too little to learn it.
//!
//! Lengths are hidden where they would tell something. A value too short to hide in is hidden whole.

/// `138****5678`, `021-****5678`, `400****567`: the beginning that says what kind of number it is, and the end that
/// people compare. Four digits at least stay hidden, so a short number is hidden whole. Takes any spelling.
pub fn mask_phone(phone: &str) -> String {
    let (prefix, number) = match super::Phone::parse(phone) {
        Ok(phone) => (phone.public_prefix(), phone.subscriber().to_owned()),
        Err(_) => (String::new(), phone.chars().filter(char::is_ascii_digit).collect()),
    };
    match number.len() {
        0..7 => "****".to_owned(),
        7 => format!("{prefix}****{}", &number[4..]),
        digits => format!("{prefix}****{}", &number[digits - 4..]),
    }
}

/// `张**`: the family name's first character. A name of one character is hidden whole.
pub fn mask_name(name: &str) -> String {
    let mut characters = name.trim().chars();
    match (characters.next(), characters.next()) {
        (Some(first), Some(_)) => format!("{first}**"),
        (Some(_), None) => "**".to_owned(),
        (None, _) => String::new(),
    }
}

/// `w***@example.cn`: the domain says where, the first letter which.
pub fn mask_email(email: &str) -> String {
    match email.trim().rsplit_once('@') {
        Some((local, domain)) => {
            let first: String = local.chars().take(usize::from(local.chars().count() > 1)).collect();
            format!("{first}***@{domain}")
        }
        None if email.trim().is_empty() => String::new(),
        None => "***".to_owned(),
    }
}

/// `1****************X`: first and last; what lies between holds the place and day of birth.
pub fn mask_id_number(number: &str) -> String {
    let characters: Vec<char> = number.trim().chars().collect();
    match characters.as_slice() {
        [] => String::new(),
        [first, hidden @ .., last] if hidden.len() >= 4 => format!("{first}{}{last}", "*".repeat(hidden.len())),
        [..] => "*".repeat(characters.len()),
    }
}

/// `上海市浦东新区****`: the first six characters, which are the city and district; never more than half of it.
pub fn mask_address(address: &str) -> String {
    let address = address.trim();
    if address.is_empty() {
        return String::new();
    }
    let shown = 6.min(address.chars().count() / 2);
    format!("{}****", address.chars().take(shown).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// CP-03
    #[test]
    fn masks_show_what_people_compare_and_hide_the_rest() {
        let phones = [
            ("13812345678", "138****5678"),
            ("+86 138 1234 5678", "138****5678"),
            ("021-62345678", "021-****5678"),
            ("0571-8234567", "0571-****567"),
            ("400-123-4567", "400****567"),
            ("+1 650 253 0000", "****0000"),
            ("95588", "****"),
            ("8001", "****"),
            ("", "****"),
        ];
        for (phone, masked) in phones {
            assert_eq!(mask_phone(phone), masked, "{phone}");
        }
        for (name, masked) in [("张三", "张**"), ("欧阳娜娜", "欧**"), ("李", "**"), ("", ""), ("John Smith", "J**")] {
            assert_eq!(mask_name(name), masked);
        }
        for (email, masked) in [("wang@example.cn", "w***@example.cn"), ("w@example.cn", "***@example.cn"), ("odd", "***"), ("", "")] {
            assert_eq!(mask_email(email), masked);
        }
        assert_eq!(mask_id_number("11010519491231002X"), "1****************X");
        assert_eq!(mask_id_number("E1234"), "*****");
        assert_eq!(mask_address("上海市浦东新区世纪大道100号"), "上海市浦东新****");
        assert_eq!(mask_address("3栋2单元"), "3栋****");
    }

    proptest! {
        #[test]
        fn at_least_four_digits_of_any_phone_are_hidden(phone in "[0-9+ -]{0,20}") {
            let digits = phone.chars().filter(char::is_ascii_digit).count();
            let shown = mask_phone(&phone).chars().filter(char::is_ascii_digit).count();
            prop_assert!(shown == 0 || digits - shown >= 4, "{} shows {} of {}", phone, shown, digits);
        }

        #[test]
        fn masking_any_text_never_fails(text in "\\PC{0,40}") {
            let _ = (mask_phone(&text), mask_name(&text), mask_email(&text), mask_id_number(&text), mask_address(&text));
        }
    }
}
