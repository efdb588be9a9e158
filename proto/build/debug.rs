//! `Debug` for messages with fields marked `debug_redact`: a personal datum prints as `***`, wherever it is logged.

use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor, Value};

use crate::validate::{rust_field, rust_type};

/// Messages of ours with at least one redacted field.
pub(crate) fn redacted_messages(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    pool.all_messages().filter(|m| m.package_name().starts_with("steward.") && m.fields().any(|f| is_redacted(&f))).collect()
}

pub(crate) fn generate(messages: &[MessageDescriptor]) -> String {
    let mut out = String::new();
    for message in messages {
        out.push_str(&format!(
            "impl ::core::fmt::Debug for {ty} {{\n    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{\n        f.debug_struct(\"{name}\")",
            ty = rust_type(message),
            name = message.name(),
        ));
        for field in message.fields().filter(|f| f.containing_oneof().is_none_or(|o| is_synthetic(&o))) {
            let name = rust_field(field.name());
            if is_redacted(&field) {
                out.push_str(&format!("\n            .field(\"{name}\", &\"***\")"));
            } else {
                out.push_str(&format!("\n            .field(\"{name}\", &self.{name})"));
            }
        }
        out.push_str("\n            .finish_non_exhaustive()\n    }\n}\n");
    }
    out
}

fn is_redacted(field: &FieldDescriptor) -> bool {
    field.options().get_field_by_name("debug_redact").is_some_and(|value| *value == Value::Bool(true))
}

fn is_synthetic(oneof: &prost_reflect::OneofDescriptor) -> bool {
    oneof.name().starts_with('_')
}
