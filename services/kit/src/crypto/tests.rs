use std::sync::Arc;

use super::*;

const ONE: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222222222222222222222222222";
const INDEX: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn cipher(text: &str) -> FieldCipher {
    FieldCipher::new(Arc::new(Keyring::parse(text).expect("parses")))
}

fn old() -> FieldCipher {
    cipher(&format!("1={ONE} current=1 index={INDEX}"))
}

fn rotated() -> FieldCipher {
    cipher(&format!("1={ONE}\n2={TWO}\ncurrent=2\nindex={INDEX}\n"))
}

/// XC-45
#[test]
fn a_sealed_field_opens_only_where_it_was_sealed() {
    let cipher = old();
    let sealed = cipher.seal("customers/1/phone", "13812345678");
    assert_eq!(cipher.open("customers/1/phone", &sealed).expect("opens").as_slice(), b"13812345678");
    assert_eq!(cipher.open("customers/2/phone", &sealed), Err(CryptoError::Sealed));
    assert!(!sealed.windows(4).any(|window| window == b"1381"));
    assert_ne!(sealed, cipher.seal("customers/1/phone", "13812345678"), "equal texts look different");
}

#[test]
fn no_byte_can_be_altered() {
    let cipher = old();
    let sealed = cipher.seal("a", "text");
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        assert!(cipher.open("a", &altered).is_err(), "byte {at}");
        assert!(cipher.open("a", &sealed[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn after_a_rotation_the_old_key_opens_and_the_new_one_seals() {
    let sealed = old().seal("a", "text");
    let cipher = rotated();
    assert_eq!(cipher.open("a", &sealed).expect("opens").as_slice(), b"text");
    assert_eq!(FieldCipher::key_id(&cipher.seal("a", "text")), Ok(2));

    let resealed = cipher.reseal("a", &sealed).expect("reseals").expect("was old");
    assert_eq!(FieldCipher::key_id(&resealed), Ok(2));
    assert_eq!(cipher.reseal("a", &resealed), Ok(None));
    assert_eq!(old().open("a", &resealed), Err(CryptoError::UnknownKey(2)));
}

#[test]
fn a_person_is_erased_with_their_key() {
    let cipher = old();
    let key = DataKey::generate();
    let wrapped = cipher.wrap("person-1", &key);
    let sealed = key.seal("customers/1/name", "张三");

    let unwrapped = cipher.unwrap("person-1", &wrapped).expect("unwraps");
    assert_eq!(unwrapped.open_text("customers/1/name", &sealed).expect("opens").expose(), "张三");
    assert!(cipher.unwrap("person-2", &wrapped).is_err(), "a key belongs to one person");
    assert!(DataKey::generate().open("customers/1/name", &sealed).is_err(), "no other key opens it");
    assert!(cipher.open("customers/1/name", &sealed).is_err(), "nor does the keyring");
}

#[test]
fn rotating_the_keyring_rewraps_keys_and_leaves_fields_alone() {
    let key = DataKey::generate();
    let sealed = key.seal("name", "张三");
    let wrapped = old().wrap("person-1", &key);
    let rewrapped = rotated().rewrap("person-1", &wrapped).expect("opens").expect("was old");
    let without_old = cipher(&format!("2={TWO} current=2 index={INDEX}"));
    assert!(without_old.unwrap("person-1", &wrapped).is_err());
    let key = without_old.unwrap("person-1", &rewrapped).expect("unwraps");
    assert_eq!(key.open_text("name", &sealed).expect("opens").expose(), "张三");
}

#[test]
fn a_fingerprint_says_that_two_values_of_one_person_are_equal_and_dies_with_the_key() {
    let (key, other) = (DataKey::generate(), DataKey::generate());
    assert_eq!(key.fingerprint("phone", "1"), key.fingerprint("phone", "1"));
    assert_ne!(key.fingerprint("phone", "1"), key.fingerprint("phone", "2"));
    assert_ne!(key.fingerprint("phone", "1"), key.fingerprint("email", "1"));
    assert_ne!(key.fingerprint("phone", "1"), other.fingerprint("phone", "1"));
}

#[test]
fn a_blind_index_is_stable_keyed_and_separates_kinds() {
    let index = |text: &str| BlindIndex::new(&Keyring::parse(text).expect("parses"));
    let first = index(&format!("1={ONE} current=1 index={INDEX}"));
    let rotated = index(&format!("1={ONE},2={TWO},current=2,index={INDEX}"));
    let other = index(&format!("1={ONE} current=1 index={TWO}"));
    assert_eq!(first.of("phone", "+8613812345678"), rotated.of("phone", "+8613812345678"), "rotation keeps indexes");
    assert_ne!(first.of("phone", "+8613812345678"), other.of("phone", "+8613812345678"));
    assert_ne!(first.of("phone", "1"), first.of("email", "1"));
    assert_ne!(first.of("ab", "c"), first.of("a", "bc"));
}

#[test]
fn a_faulty_keyring_says_which_entry_without_showing_it() {
    let cases = [
        (format!("1={ONE} index={INDEX}"), KeyringError::NoCurrent),
        (format!("1={ONE} current=2 index={INDEX}"), KeyringError::NoCurrent),
        (format!("1={ONE} current=1"), KeyringError::NoIndex),
        (format!("1={ONE} 1={TWO} current=1 index={INDEX}"), KeyringError::Repeated(2)),
        ("1=abcd".into(), KeyringError::Hex(1)),
        ("secret".into(), KeyringError::Entry(1)),
        (format!("main={ONE}"), KeyringError::Entry(1)),
    ];
    for (text, error) in cases {
        assert_eq!(Keyring::parse(&text).expect_err("is refused"), error);
        assert!(!error.to_string().contains("1111"));
    }
    let keyring = Keyring::parse(&Keyring::generate_text()).expect("a generated keyring parses");
    assert!(!format!("{keyring:?}").contains(&hex::encode(*keyring.index)));
}
