//! Messages and enums as JSON schemas, by the proto3 JSON mapping.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use serde_json::{Map, Value, json};

/// Comments of the contract, by place in their file.
#[derive(Debug)]
pub(super) struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    pub(super) fn of(pool: &DescriptorPool) -> Self {
        let mut out = HashMap::new();
        for file in pool.files() {
            let proto = file.file_descriptor_proto();
            let places = proto.source_code_info.iter().flat_map(|info| &info.location);
            for place in places.filter(|place| place.leading_comments.is_some()) {
                let text = place.leading_comments().lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
                let text = text.collect::<Vec<_>>().join("\n").trim().to_owned();
                out.insert((file.name().to_owned(), place.path.clone()), text);
            }
        }
        Self(out)
    }

    fn at(&self, file: &str, path: &[i32]) -> String {
        self.0.get(&(file.to_owned(), path.to_vec())).cloned().unwrap_or_default()
    }

    pub(super) fn of_method(&self, method: &MethodDescriptor) -> String {
        self.at(method.parent_service().parent_file().name(), method.path())
    }

    fn of_message(&self, message: &MessageDescriptor) -> String {
        self.at(message.parent_file().name(), message.path())
    }

    fn of_field(&self, field: &FieldDescriptor) -> String {
        self.at(field.parent_message().parent_file().name(), field.path())
    }

    fn of_enum(&self, descriptor: &EnumDescriptor) -> String {
        let mut text = self.at(descriptor.parent_file().name(), descriptor.path());
        for value in descriptor.values() {
            let comment = self.at(descriptor.parent_file().name(), value.path()).replace('\n', " ");
            text.push_str(&format!("\n- `{}`: {comment}", value.name()));
        }
        text
    }
}

/// The schemas that the operations refer to, and those that they refer to.
#[derive(Debug)]
pub(super) struct Schemas<'a> {
    comments: &'a Comments,
    messages: BTreeMap<String, MessageDescriptor>,
    enums: BTreeMap<String, EnumDescriptor>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(comments: &'a Comments) -> Self {
        Self { comments, messages: BTreeMap::new(), enums: BTreeMap::new() }
    }

    pub(super) fn comment_of(&self, field: &FieldDescriptor) -> String {
        self.comments.of_field(field)
    }

    /// A reference to a message; it is defined at the end.
    pub(super) fn of_message(&mut self, message: &MessageDescriptor) -> Value {
        match message.full_name() {
            "google.protobuf.Timestamp" => json!({"type": "string", "format": "date-time"}),
            "google.protobuf.Duration" => json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,9})?s$", "examples": ["90s"]}),
            "google.protobuf.FieldMask" => json!({"type": "string", "examples": ["name,preferredLanguage"]}),
            "google.protobuf.Any" => json!({"type": "object", "additionalProperties": true, "properties": {"@type": {"type": "string"}}}),
            "google.protobuf.Struct" => json!({"type": "object", "additionalProperties": true}),
            name => {
                self.messages.insert(name.to_owned(), message.clone());
                json!({"$ref": format!("#/components/schemas/{name}")})
            }
        }
    }

    /// A message written out here without the fields named.
    pub(super) fn inline(&mut self, message: &MessageDescriptor, without: &[&str]) -> Value {
        let mut properties = Map::new();
        for field in message.fields().filter(|field| !without.contains(&field.name())) {
            let mut schema = self.of_field(&field);
            let comment = self.comments.of_field(&field);
            if !comment.is_empty() {
                schema["description"] = json!(comment);
            }
            properties.insert(field.json_name().to_owned(), schema);
        }
        let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
        let comment = self.comments.of_message(message);
        if !comment.is_empty() {
            schema["description"] = json!(comment);
        }
        schema
    }

    pub(super) fn of_field(&mut self, field: &FieldDescriptor) -> Value {
        if field.is_map() {
            let entry = field.kind().as_message().map(MessageDescriptor::map_entry_value_field);
            let value = entry.map_or_else(|| json!({}), |value| self.of_kind(&value.kind()));
            return json!({"type": "object", "additionalProperties": value});
        }
        let one = self.of_kind(&field.kind());
        if field.is_list() { json!({"type": "array", "items": one}) } else { one }
    }

    fn of_kind(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Double | Kind::Float => json!({"type": "number"}),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({"type": "integer", "format": "int32"}),
            Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "minimum": 0}),
            // JSON numbers lose digits past 2^53, so the mapping writes 64-bit integers as text.
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => json!({"type": "string", "format": "int64"}),
            Kind::Bool => json!({"type": "boolean"}),
            Kind::String => json!({"type": "string"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Message(message) => self.of_message(message),
            Kind::Enum(descriptor) => {
                self.enums.insert(descriptor.full_name().to_owned(), descriptor.clone());
                json!({"$ref": format!("#/components/schemas/{}", descriptor.full_name())})
            }
        }
    }

    /// Every schema referred to, however deep.
    pub(super) fn finish(mut self) -> Value {
        let mut out = Map::new();
        let mut written = BTreeSet::new();
        while let Some(message) = self.messages.iter().find(|(name, _)| !written.contains(*name)).map(|(_, m)| m.clone()) {
            written.insert(message.full_name().to_owned());
            let schema = self.inline(&message, &[]);
            out.insert(message.full_name().to_owned(), schema);
        }
        for (name, descriptor) in &self.enums {
            let values: Vec<String> = descriptor.values().map(|value| value.name().to_owned()).collect();
            out.insert(name.clone(), json!({"type": "string", "enum": values, "description": self.comments.of_enum(descriptor)}));
        }
        Value::Object(out)
    }
}
