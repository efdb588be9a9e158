//! What a rule may ask of an event: the fields of its payload, with the types that the contract gives them.
//!
//! | in the payload | in a predicate |
//! |---|---|
//! | string | code; a local date where the name says so (`due_date`) |
//! | enum | code, one of the enum's names |
//! | bool; whole numbers; float, double | boolean; integer; decimal |
//! | timestamp | the local date in the estate |
//! | strings and enums that repeat, or stand in something that repeats | list of codes |
//!
//! Maps, bytes and anything else that repeats cannot be asked.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, Value};
use prost_types::{DescriptorProto, EnumDescriptorProto};
use steward_kit::predicate::{Catalogue, FactType, Field};

/// What fields of the event begin with; the rest of the name is the path in the payload.
pub(crate) const EVENT: &str = "event.";

const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// The fields that rules for an event may ask: the event's own, and those of customer's households. Made once for each type.
pub(crate) fn catalogue(event: &MessageDescriptor) -> Arc<Catalogue> {
    static MADE: LazyLock<Mutex<HashMap<String, Arc<Catalogue>>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(catalogue) = made.get(event.full_name()) {
        return catalogue.clone();
    }
    let mut fields = Vec::new();
    collect(event, EVENT, false, &mut Vec::new(), &mut fields);
    let catalogue = Arc::new(Catalogue::household().clone().with_fields(fields));
    made.insert(event.full_name().to_owned(), catalogue.clone());
    catalogue
}

/// The type of a field in predicates; `None` for what cannot be asked. `repeats`: it, or something that it stands in, does.
pub(crate) fn fact_type(field: &FieldDescriptor, repeats: bool) -> Option<FactType> {
    if field.is_map() {
        return None;
    }
    let name = field.name();
    let single = match field.kind() {
        Kind::String if name == "date" || name.ends_with("_date") => FactType::Date,
        Kind::String | Kind::Enum(_) => FactType::Code,
        Kind::Bool => FactType::Boolean,
        Kind::Float | Kind::Double => FactType::Decimal,
        Kind::Int32
        | Kind::Int64
        | Kind::Uint32
        | Kind::Uint64
        | Kind::Sint32
        | Kind::Sint64
        | Kind::Fixed32
        | Kind::Fixed64
        | Kind::Sfixed32
        | Kind::Sfixed64 => FactType::Integer,
        Kind::Message(message) if message.full_name() == TIMESTAMP => FactType::Date,
        Kind::Message(_) | Kind::Bytes => return None,
    };
    if !repeats {
        return Some(single);
    }
    matches!(field.kind(), Kind::String | Kind::Enum(_)).then_some(FactType::Codes)
}

/// Adds the fields of a message below `prefix`. `above` are the messages it stands in: none is entered twice.
fn collect(message: &MessageDescriptor, prefix: &str, repeats: bool, above: &mut Vec<String>, fields: &mut Vec<Field>) {
    above.push(message.full_name().to_owned());
    for field in message.fields() {
        let (name, repeats) = (format!("{prefix}{}", field.name()), repeats || field.is_list());
        if let Some(fact_type) = fact_type(&field, repeats) {
            fields.push(described(name, fact_type, &field));
        } else if let Kind::Message(inner) = field.kind()
            && !field.is_map()
            && inner.full_name().starts_with("steward.")
            && !above.iter().any(|known| known == inner.full_name())
        {
            collect(&inner, &format!("{name}."), repeats, above, fields);
        }
    }
    above.pop();
}

fn described(name: String, fact_type: FactType, field: &FieldDescriptor) -> Field {
    let kind = field.kind();
    let codes = kind.as_enum().and_then(|of| CODES.get(of.full_name()));
    Field {
        zh: name.clone().into(),
        en: name.clone().into(),
        is_personal: field.options().get_field_by_name("debug_redact").is_some_and(|value| *value == Value::Bool(true)),
        name: name.into(),
        fact_type,
        codes: codes.map_or(Cow::Borrowed(&[]), |codes| Cow::Owned(codes.clone())),
    }
}

/// The names of every enum of the contract by its own name, without the first one, which says that nothing was said.
static CODES: LazyLock<HashMap<String, Vec<&'static str>>> = LazyLock::new(|| {
    let mut codes = HashMap::new();
    for file in steward_proto::descriptor_pool().file_descriptor_protos() {
        note_enums(file.package(), &file.enum_type, &mut codes);
        for message in &file.message_type {
            note_message(file.package(), message, &mut codes);
        }
    }
    codes
});

fn note_message(scope: &str, message: &'static DescriptorProto, codes: &mut HashMap<String, Vec<&'static str>>) {
    let scope = format!("{scope}.{}", message.name());
    note_enums(&scope, &message.enum_type, codes);
    for inner in &message.nested_type {
        note_message(&scope, inner, codes);
    }
}

fn note_enums(scope: &str, enums: &'static [EnumDescriptorProto], codes: &mut HashMap<String, Vec<&'static str>>) {
    for one in enums {
        let names = one.value.iter().filter(|value| value.number() != 0).map(|value| value.name()).collect();
        codes.insert(format!("{scope}.{}", one.name()), names);
    }
}
