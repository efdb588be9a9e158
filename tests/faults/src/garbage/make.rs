//! Requests that nobody in their right mind sends, made from the descriptors alone.

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use uuid::Uuid;

use crate::chance::Chance;

/// Names of things that are there, so that some requests get further than the first look: `("estate_id", "0198…")`.
pub(super) type Known = Vec<(&'static str, String)>;

/// How deep messages go, at most, when they may go deep; below what a decoder refuses (100) and above.
const DEEP: usize = 120;

/// Texts that programs stumble over.
const TEXTS: [&str; 26] = [
    "",
    " ",
    "\u{0}",
    "a\u{0}b",
    "\r\n",
    "'; DROP TABLE customer.customers; --",
    "%s%n{}{{}}",
    "../../etc/passwd",
    "\u{feff}",
    "\u{202e}abc",
    "👩‍👩‍👧‍👦",
    "e\u{301}",
    "ＡＢＣ",
    "锦绣花园",
    "-1",
    "NaN",
    "1e400",
    "99999999999999999999",
    "0x10",
    "true",
    "null",
    "[]",
    "{\"a\":1}",
    "2026-02-30",
    "9999-12-31",
    "0000-00-00",
];

/// Numbers at the edges.
const NUMBERS: [i64; 14] =
    [0, 1, -1, 2, 127, 255, 256, 65_536, i32::MAX as i64, i32::MIN as i64, u32::MAX as i64, i64::MAX, i64::MIN, 1_000_000_007];

/// One request for a method: bytes that are a message more or less.
pub(super) fn request(descriptor: &MessageDescriptor, chance: &mut Chance, known: &Known) -> Bytes {
    match chance.below(12) {
        0 => Bytes::new(),
        1 => random_bytes(chance, 64),
        2 => {
            let mut bytes = message(descriptor, chance, known, 0, false).encode_to_vec();
            bytes.truncate(chance.below(bytes.len().max(1)));
            bytes.into()
        }
        3 => {
            let mut bytes = message(descriptor, chance, known, 0, false).encode_to_vec();
            for _ in 0..=chance.below(4) {
                let at = chance.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = chance.roll().to_le_bytes()[0];
                }
            }
            bytes.into()
        }
        4 => message(descriptor, chance, known, 0, true).encode_to_vec().into(),
        _ => message(descriptor, chance, known, 0, false).encode_to_vec().into(),
    }
}

fn random_bytes(chance: &mut Chance, most: usize) -> Bytes {
    (0..chance.below(most)).map(|_| chance.roll().to_le_bytes()[0]).collect()
}

fn message(descriptor: &MessageDescriptor, chance: &mut Chance, known: &Known, depth: usize, is_deep: bool) -> DynamicMessage {
    let mut made = DynamicMessage::new(descriptor.clone());
    match descriptor.full_name() {
        "google.protobuf.Timestamp" | "google.protobuf.Duration" => {
            if chance.one_in(3) {
                set(&mut made, "seconds", Value::I64(*chance.pick(&NUMBERS)));
                set(&mut made, "nanos", Value::I32(i32::try_from(*chance.pick(&NUMBERS)).unwrap_or(-7)));
            } else {
                // About the time of the house, or a span of some weeks.
                let base = if descriptor.name() == "Timestamp" { 1_784_000_000 } else { 0 };
                set(&mut made, "seconds", Value::I64(base + i64::try_from(chance.below(4_000_000)).unwrap_or_default()));
            }
            return made;
        }
        _others => {}
    }
    // In a tree of conditions one branch goes down; the others would make the message as large as the forest.
    let mut may_descend = is_deep || depth < 4;
    for field in descriptor.fields() {
        let is_message = matches!(field.kind(), Kind::Message(_));
        let is_id = field.name() == "request_id";
        if is_message && (!may_descend || depth >= DEEP) || !is_id && chance.one_in(4) {
            continue;
        }
        if field.containing_oneof().is_some() && made.fields().any(|(set, _)| set.containing_oneof() == field.containing_oneof()) {
            continue;
        }
        if field.is_map() {
            map(&mut made, &field, chance, known, depth);
        } else if field.is_list() {
            let most = if is_message && depth > 1 {
                1
            } else if chance.one_in(12) {
                300
            } else {
                3
            };
            let count = chance.below(most + 1);
            let items = (0..count).map(|_| value(&field, chance, known, depth, is_deep && depth < DEEP)).collect();
            made.set_field(&field, Value::List(items));
        } else {
            made.set_field(&field, value(&field, chance, known, depth, is_deep));
        }
        if is_message && is_deep {
            may_descend = depth < 2;
        }
    }
    made
}

fn set(made: &mut DynamicMessage, name: &str, value: Value) {
    made.set_field_by_name(name, value);
}

fn map(made: &mut DynamicMessage, field: &FieldDescriptor, chance: &mut Chance, known: &Known, depth: usize) {
    let Kind::Message(entry) = field.kind() else { return };
    let (key, of) = (entry.map_entry_key_field(), entry.map_entry_value_field());
    let pairs = (0..chance.below(4)).filter_map(|_| {
        let key = match value(&key, chance, known, depth, false) {
            Value::String(text) => MapKey::String(text),
            Value::I32(number) => MapKey::I32(number),
            Value::I64(number) => MapKey::I64(number),
            Value::U32(number) => MapKey::U32(number),
            Value::U64(number) => MapKey::U64(number),
            Value::Bool(is) => MapKey::Bool(is),
            Value::F32(_) | Value::F64(_) | Value::Bytes(_) | Value::EnumNumber(_) | Value::Message(_) | Value::List(_) | Value::Map(_) => {
                return None;
            }
        };
        Some((key, value(&of, chance, known, depth, false)))
    });
    made.set_field(field, Value::Map(pairs.collect()));
}

/// One value of a field; of a list, one item.
fn value(field: &FieldDescriptor, chance: &mut Chance, known: &Known, depth: usize, is_deep: bool) -> Value {
    let number = |chance: &mut Chance| match chance.below(3) {
        0 => *chance.pick(&NUMBERS),
        1 => i64::try_from(chance.below(100)).unwrap_or_default(),
        _ => i64::from_le_bytes(chance.roll().to_le_bytes()),
    };
    // What does not fit is cut: the field's own type is kept, whatever else is not.
    let low = |number: i64| -> i32 {
        i32::from_le_bytes([number.to_le_bytes()[0], number.to_le_bytes()[1], number.to_le_bytes()[2], number.to_le_bytes()[3]])
    };
    match field.kind() {
        Kind::Double => {
            Value::F64(*chance.pick(&[0.0, -0.0, 1.5, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE]))
        }
        Kind::Float => Value::F32(*chance.pick(&[0.0, 1.5, f32::NAN, f32::INFINITY, f32::MIN])),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(low(number(chance))),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number(chance)),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(u32::from_le_bytes(low(number(chance)).to_le_bytes())),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(u64::from_le_bytes(number(chance).to_le_bytes())),
        Kind::Bool => Value::Bool(chance.one_in(2)),
        Kind::String => Value::String(text(field.name(), chance, known)),
        Kind::Bytes => Value::Bytes(random_bytes(chance, 300)),
        Kind::Enum(kind) => {
            let numbers: Vec<i32> = kind.values().map(|value| value.number()).collect();
            Value::EnumNumber(if chance.one_in(5) { *chance.pick(&[-1, 99, i32::MAX, i32::MIN]) } else { *chance.pick(&numbers) })
        }
        Kind::Message(kind) => Value::Message(message(&kind, chance, known, depth + 1, is_deep)),
    }
}

/// A text for a field of this name.
fn text(name: &str, chance: &mut Chance, known: &Known) -> String {
    if name == "request_id" && !chance.one_in(10) {
        return Uuid::now_v7().to_string();
    }
    let fitting: Vec<&String> = known.iter().filter(|(of, _)| *of == name || name.starts_with(of)).map(|(_, text)| text).collect();
    if !fitting.is_empty() && !chance.one_in(4) {
        return (*chance.pick(&fitting)).clone();
    }
    match chance.below(9) {
        0 => "x".repeat(chance.below(5_000)),
        1 => "界".repeat(chance.below(300)),
        2 => Uuid::now_v7().to_string(),
        3 => Uuid::nil().to_string(),
        4 if name.ends_with("_date") => format!("2026-{:02}-{:02}", chance.below(14), chance.below(33)),
        4 => format!("{}.{}", chance.below(10), name),
        5 => name.replace('_', "."),
        6 => {
            let length = chance.below(40);
            (0..length).filter_map(|_| char::from_u32(u32::try_from(chance.below(0x3_0000)).unwrap_or_default())).collect()
        }
        _ => (*chance.pick(&TEXTS)).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_requests() {
        let method = steward_harness::wire::method("steward.customer.v1.SegmentService/PreviewSegment").unwrap();
        let make = |seed| {
            let mut chance = Chance::new(seed);
            let known = vec![("estate_id", "e".to_owned())];
            let all: Vec<DynamicMessage> = (0..20).map(|_| message(&method.input(), &mut chance, &known, 0, false)).collect();
            all.iter().map(|made| made.to_string().len()).collect::<Vec<_>>()
        };
        assert_eq!(make(7), make(7));
        assert_ne!(make(7), make(8));
    }

    #[test]
    fn deep_requests_are_deep_and_not_endless() {
        let method = steward_harness::wire::method("steward.customer.v1.SegmentService/PreviewSegment").unwrap();
        let mut chance = Chance::new(3);
        for _ in 0..50 {
            let made = message(&method.input(), &mut chance, &Vec::new(), 0, true);
            assert!(made.encoded_len() < 4 << 20, "{} bytes", made.encoded_len());
        }
    }
}
