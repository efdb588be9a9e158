use super::*;
use proptest::prelude::*;

#[test]
fn every_usual_spelling_comes_to_one() {
    let cases = [
        ("13812345678", "+8613812345678"),
        (" 138 1234 5678 ", "+8613812345678"),
        ("138-1234-5678", "+8613812345678"),
        ("+86 138-1234-5678", "+8613812345678"),
        ("+8613812345678", "+8613812345678"),
        ("0086 13812345678", "+8613812345678"),
        ("8613812345678", "+8613812345678"),
        ("(+86)13812345678", "+8613812345678"),
        ("+86 013812345678", "+8613812345678"),
        ("013812345678", "+8613812345678"),
        ("１３８１２３４５６７８", "+8613812345678"),
        ("＋８６　１３８１２３４５６７８", "+8613812345678"),
        ("19912345678", "+8619912345678"),
        ("021-62345678", "+862162345678"),
        ("(021) 6234 5678", "+862162345678"),
        ("（０２１）６２３４－５６７８", "+862162345678"),
        ("+86 21 6234 5678", "+862162345678"),
        ("+86-021-62345678", "+862162345678"),
        ("0086-21-62345678", "+862162345678"),
        ("010—82345678", "+861082345678"),
        ("0571-8234567", "+865718234567"),
        ("0571 87654321", "+8657187654321"),
        ("021-62345678 转 801", "+862162345678;ext=801"),
        ("021-62345678转801", "+862162345678;ext=801"),
        ("021-62345678 ext. 801", "+862162345678;ext=801"),
        ("021-62345678-分机801", "+862162345678;ext=801"),
        ("400-123-4567", "4001234567"),
        ("400 1234 567", "4001234567"),
        ("８００－８１０－８８８８", "8008108888"),
        ("95588", "95588"),
        ("+8695588", "95588"),
    ];
    for (text, normalised) in cases {
        let phone = Phone::parse(text).unwrap_or_else(|_| panic!("{text} is a phone number"));
        assert_eq!(phone.as_str(), normalised, "{text}");
    }
}

#[test]
fn what_is_no_mainland_number_is_refused() {
    let cases = [
        "",
        "1",
        "12812345678",
        "1381234567",
        "138123456789",
        "62345678",
        "021-6234567",
        "021-02345678",
        "5552345678",
        "0400-2345678",
        "+1 650 253 0000",
        "+852 2345 6789",
        "张三",
        "138x1234y5678",
        "13812345678 转 801",
        "021-62345678 转",
        "021-62345678 转 8013333",
        "13812345678/13912345678",
        "++8613812345678",
        "138+12345678",
    ];
    for text in cases {
        assert_eq!(Phone::parse(text), Err(InvalidPhone), "{text}");
    }
}

#[test]
fn the_kind_says_whether_it_takes_sms() {
    assert_eq!(Phone::parse("13812345678").map(|phone| phone.kind()), Ok(PhoneKind::Mobile));
    assert_eq!(Phone::parse("021-62345678").map(|phone| phone.kind()), Ok(PhoneKind::Landline));
    assert_eq!(Phone::parse("4001234567").map(|phone| phone.kind()), Ok(PhoneKind::Service));
}

#[test]
fn a_number_is_dialled_as_people_do_and_never_printed() {
    let dialled = |text: &str| Phone::parse(text).expect("a phone").dialled();
    assert_eq!(dialled("+8613812345678"), "13812345678");
    assert_eq!(dialled("+86 21 62345678"), "021-62345678");
    assert_eq!(dialled("+86 571 87654321"), "0571-87654321");
    assert_eq!(format!("{:?}", Phone::parse("13812345678")), "Ok(Phone(Mobile, ***))");
}

proptest! {
    #[test]
    fn normalising_twice_changes_nothing(text in "(1[3-9][0-9]{9})|(0(10|2[0-9])-[2-9][0-9]{7})|(0[35679][0-9]{2}-[2-9][0-9]{6,7})|(400[0-9]{7})") {
        let once = Phone::parse(&text).expect("a phone");
        prop_assert_eq!(Phone::parse(once.as_str()).expect("its own spelling"), once);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,30}") {
        let _ = Phone::parse(&text);
    }
}
