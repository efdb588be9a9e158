//! Turns the `buf.validate` rules in use into Rust. A rule that is not known here fails the build, so that none is
//! declared to clients and then not enforced.

use std::{error::Error, fmt::Write as _};

use prost_reflect::{Cardinality, DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor, Value};

pub(crate) fn generate(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let rules = pool.get_extension_by_name("buf.validate.field").ok_or("buf.validate.field is not in the set")?;
    let oneof_rules = pool.get_extension_by_name("buf.validate.oneof").ok_or("buf.validate.oneof is not in the set")?;
    let mut out = String::new();
    for message in pool.all_messages() {
        if !message.package_name().starts_with("steward.") || message.is_map_entry() {
            continue;
        }
        let mut body = String::new();
        for field in message.fields() {
            let declared = field.options().get_extension(&rules).as_message().cloned();
            field_checks(&mut body, &field, declared)?;
        }
        for oneof in message.oneofs() {
            let options = oneof.options();
            if let Some(rule) = options.get_extension(&oneof_rules).as_message()
                && rule.get_field_by_name("required").is_some_and(|v| *v == Value::Bool(true))
            {
                let name = rust_field(oneof.name());
                writeln!(
                    body,
                    "        if self.{name}.is_none() {{ out.push(at.violation(\"{name}\", \"required\", \"give one of {}\")); }}",
                    choices(&oneof)
                )?;
            }
        }
        let (at, sink) = if body.is_empty() { ("_at", "_out") } else { ("at", "out") };
        writeln!(
            out,
            "impl crate::Validate for {ty} {{\n    fn validate(&self, {at}: &crate::FieldPath<'_>, {sink}: &mut Vec<crate::RuleViolation>) {{\n{body}    }}\n}}",
            ty = rust_type(&message),
        )?;
    }
    Ok(out)
}

fn choices(oneof: &OneofDescriptor) -> String {
    oneof.fields().map(|f| f.name().to_owned()).collect::<Vec<_>>().join(", ")
}

fn field_checks(out: &mut String, field: &FieldDescriptor, declared: Option<DynamicMessage>) -> Result<(), Box<dyn Error>> {
    let proto_name = field.name();
    let place = format!("{}.{}", field.parent_message().full_name(), proto_name);
    let in_oneof = field.containing_oneof().filter(|o| !o.name().starts_with('_'));
    // `value` is a reference to the field's present value in the checks below.
    let mut checks = String::new();
    let mut required = false;
    let mut skip_zero = false;
    if let Some(rules) = &declared {
        for (rule, value) in rules.fields() {
            match (rule.name(), value) {
                ("required", Value::Bool(on)) => required = *on,
                ("ignore", Value::EnumNumber(n)) => skip_zero = *n == 1,
                (
                    kind @ ("string" | "bytes" | "repeated" | "enum" | "int32" | "int64" | "uint32" | "uint64" | "double"),
                    Value::Message(m),
                ) => {
                    typed_checks(&mut checks, field, kind, m, &place)?;
                }
                (other, _) => return Err(format!("{place}: the rule `{other}` is not known to proto/build/validate.rs").into()),
            }
        }
    }
    if let Kind::Message(inner) = field.kind()
        && inner.package_name().starts_with("steward.")
        && !field.is_map()
    {
        if field.is_list() {
            writeln!(
                checks,
                "for (i, item) in value.iter().enumerate() {{ crate::Validate::validate(item, &at.item(\"{proto_name}\", i), out); }}"
            )?;
        } else {
            writeln!(checks, "crate::Validate::validate(value, &at.field(\"{proto_name}\"), out);")?;
        }
    }
    if checks.is_empty() && !required {
        return Ok(());
    }
    let name = rust_field(proto_name);
    let missing = format!("out.push(at.violation(\"{proto_name}\", \"required\", \"must be given\"));");
    if let Some(oneof) = in_oneof {
        if required {
            return Err(format!("{place}: put `required` on the oneof").into());
        }
        let variant = upper_camel(proto_name);
        let path = format!("{}::{}", oneof_module(field.parent_message()), upper_camel(oneof.name()));
        writeln!(out, "        if let Some({path}::{variant}(value)) = &self.{} {{ {} }}", rust_field(oneof.name()), checks)?;
        return Ok(());
    }
    let presence = field.supports_presence();
    if presence {
        let none = if required { format!(" else {{ {missing} }}") } else { String::new() };
        let bind = if checks.is_empty() { "_value" } else { "value" };
        writeln!(out, "        if let Some({bind}) = &self.{name} {{ {checks} }}{none}")?;
        return Ok(());
    }
    let empty = match field.kind() {
        Kind::String | Kind::Bytes => format!("self.{name}.is_empty()"),
        _ if field.cardinality() == Cardinality::Repeated => format!("self.{name}.is_empty()"),
        Kind::Bool => format!("!self.{name}"),
        _ => format!("self.{name} == Default::default()"),
    };
    if required {
        writeln!(out, "        if {empty} {{ {missing} }} else {{ let value = &self.{name}; let _ = value; {checks} }}")?;
    } else if skip_zero {
        writeln!(out, "        if !({empty}) {{ let value = &self.{name}; {checks} }}")?;
    } else {
        writeln!(out, "        {{ let value = &self.{name}; {checks} }}")?;
    }
    Ok(())
}

fn typed_checks(out: &mut String, field: &FieldDescriptor, kind: &str, rules: &DynamicMessage, place: &str) -> Result<(), Box<dyn Error>> {
    let name = field.name();
    for (rule, value) in rules.fields() {
        let rule_name = rule.name();
        let id = format!("{kind}.{rule_name}");
        let mut fail = |condition: String, text: String| {
            out.push_str(&format!("if {condition} {{ out.push(at.violation(\"{name}\", \"{id}\", \"{text}\")); }}\n"));
        };
        match (kind, rule_name, value) {
            ("string", "min_len", Value::U64(1)) => fail("value.is_empty()".into(), "must not be empty".into()),
            ("string", "min_len", Value::U64(n)) => {
                fail(format!("value.chars().count() < {n}"), format!("must have at least {n} characters"))
            }
            ("string", "max_len", Value::U64(n)) => {
                fail(format!("value.chars().count() > {n}"), format!("must have at most {n} characters"))
            }
            ("string", "len", Value::U64(n)) => fail(format!("value.chars().count() != {n}"), format!("must have exactly {n} characters")),
            ("string", "uuid", Value::Bool(true)) => {
                fail("!crate::is_uuid(value)".into(), "must be a UUID such as 01890f5e-7b6a-7c3e-9b1a-3c5d7e9f1a2b".into())
            }
            ("string", "email", Value::Bool(true)) => fail("!crate::is_email(value)".into(), "must be an e-mail address".into()),
            ("bytes", "max_len", Value::U64(n)) => fail(format!("value.len() > {n}"), format!("must have at most {n} bytes")),
            ("bytes", "min_len", Value::U64(n)) => fail(format!("value.len() < {n}"), format!("must have at least {n} bytes")),
            ("repeated", "min_items", Value::U64(n)) => fail(format!("value.len() < {n}"), format!("must have at least {n} items")),
            ("repeated", "max_items", Value::U64(n)) => fail(format!("value.len() > {n}"), format!("must have at most {n} items")),
            ("enum", "defined_only", Value::Bool(true)) => {
                let Kind::Enum(e) = field.kind() else { return Err(format!("{place}: enum rule on another kind").into()) };
                let numbers: Vec<String> = e.values().map(|v| v.number().to_string()).collect();
                fail(format!("!matches!(*value, {})", numbers.join(" | ")), "must be one of the named values".into());
            }
            ("enum", "not_in", Value::List(list)) => {
                let numbers: Vec<String> = list.iter().filter_map(Value::as_i32).map(|n| n.to_string()).collect();
                fail(format!("matches!(*value, {})", numbers.join(" | ")), "must be given".into());
            }
            ("int32" | "int64" | "uint32" | "uint64" | "double", "gte" | "lte" | "gt" | "lt", bound) => {
                let (number, suffix) = number(bound).ok_or_else(|| format!("{place}: {id} is not a number"))?;
                let (op, word) = match rule_name {
                    "gte" => ("<", "at least"),
                    "lte" => (">", "at most"),
                    "gt" => ("<=", "more than"),
                    _ => (">=", "less than"),
                };
                // In an unsigned type nothing is below zero; a declared bound of 0 needs no check.
                if !(rule_name == "gte" && number == "0" && kind.starts_with('u')) {
                    // What is not a number is neither below nor above a bound, and within none.
                    let or_no_number = if kind == "double" { "value.is_nan() || " } else { "" };
                    fail(format!("{or_no_number}*value {op} {number}{suffix}"), format!("must be {word} {number}"));
                }
            }
            ("double", "finite", Value::Bool(true)) => fail("!value.is_finite()".into(), "must be a finite number".into()),
            _ => return Err(format!("{place}: the rule `{id}` is not known to proto/build/validate.rs").into()),
        }
    }
    Ok(())
}

fn number(value: &Value) -> Option<(String, &'static str)> {
    match value {
        Value::I32(n) => Some((n.to_string(), "_i32")),
        Value::I64(n) => Some((n.to_string(), "_i64")),
        Value::U32(n) => Some((n.to_string(), "_u32")),
        Value::U64(n) => Some((n.to_string(), "_u64")),
        Value::F64(n) => Some((n.to_string(), "_f64")),
        _ => None,
    }
}

/// Path of the generated struct: nested messages live in a module named after their parent.
pub(crate) fn rust_type(message: &MessageDescriptor) -> String {
    let mut parents = Vec::new();
    let mut parent = message.parent_message();
    while let Some(p) = parent {
        parents.push(snake(p.name()));
        parent = p.parent_message();
    }
    parents.reverse();
    let package = message.package_name().trim_start_matches("steward.").replace('.', "::");
    let mut path = format!("crate::{package}");
    for p in parents {
        path.push_str("::");
        path.push_str(&p);
    }
    format!("{path}::{}", upper_camel(message.name()))
}

fn oneof_module(message: &MessageDescriptor) -> String {
    let ty = rust_type(message);
    let (module, _) = ty.rsplit_once("::").unwrap_or(("crate", ""));
    format!("{module}::{}", snake(message.name()))
}

pub(crate) fn rust_field(name: &str) -> String {
    match name {
        "type" | "match" | "ref" | "in" | "move" | "use" | "where" | "loop" => format!("r#{name}"),
        _ => name.to_owned(),
    }
}

fn upper_camel(name: &str) -> String {
    if !name.contains('_') {
        let mut chars = name.chars();
        return chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default();
    }
    name.split('_')
        .map(|part| {
            let mut chars = part.chars();
            chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
        })
        .collect()
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (i, c) in chars.iter().enumerate() {
        if c.is_ascii_uppercase() {
            let after_lower = i > 0 && (chars[i - 1].is_ascii_lowercase() || chars[i - 1].is_ascii_digit());
            let before_lower = i > 0 && chars.get(i + 1).is_some_and(char::is_ascii_lowercase);
            if after_lower || before_lower {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(*c);
        }
    }
    out
}
