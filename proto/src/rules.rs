//! What the generated request rules are made of.

/// A message that can check the rules declared in its `.proto`.
pub trait Validate {
    /// Adds every violation below `at` to `out`. A valid message allocates nothing.
    fn validate(&self, at: &FieldPath<'_>, out: &mut Vec<RuleViolation>);
}

/// Recursive messages are boxed.
impl<T: Validate> Validate for Box<T> {
    fn validate(&self, at: &FieldPath<'_>, out: &mut Vec<RuleViolation>) {
        (**self).validate(at, out);
    }
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleViolation {
    /// Path of the field from the request's root, such as `tenures[2].unit_id`.
    pub field: String,
    /// The rule's id in `buf.validate`, such as `string.max_len`.
    pub rule: &'static str,
    /// What would be allowed.
    pub description: &'static str,
}

/// Where in a request a check stands; rendered only when a rule is broken.
#[derive(Debug, Clone, Copy)]
pub struct FieldPath<'a> {
    parent: Option<&'a FieldPath<'a>>,
    name: &'static str,
    index: Option<usize>,
}

impl FieldPath<'_> {
    /// The request itself.
    pub const ROOT: FieldPath<'static> = FieldPath { parent: None, name: "", index: None };

    /// A message field below this place.
    pub fn field(&self, name: &'static str) -> FieldPath<'_> {
        FieldPath { parent: Some(self), name, index: None }
    }

    /// An item of a list below this place.
    pub fn item(&self, name: &'static str, index: usize) -> FieldPath<'_> {
        FieldPath { parent: Some(self), name, index: Some(index) }
    }

    /// A violation of the field `name` of the message at this place.
    pub fn violation(&self, name: &'static str, rule: &'static str, description: &'static str) -> RuleViolation {
        RuleViolation { field: self.field(name).render(), rule, description }
    }

    fn render(&self) -> String {
        let own = match self.index {
            Some(i) => format!("{}[{i}]", self.name),
            None => self.name.to_owned(),
        };
        match self.parent.map(FieldPath::render) {
            Some(parent) if !parent.is_empty() => format!("{parent}.{own}"),
            _ => own,
        }
    }
}

/// `8-4-4-4-12` hexadecimal digits.
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// One `@` with something printable on both sides and a dot in the domain. Delivery is the only real proof.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    !local.is_empty()
        && !domain.contains('@')
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::{FieldPath, is_email, is_uuid};

    #[test]
    fn a_path_names_every_step_from_the_root() {
        let root = FieldPath::ROOT;
        let item = root.item("tenures", 2);
        assert_eq!(item.violation("unit_id", "string.uuid", "").field, "tenures[2].unit_id");
    }

    #[test]
    fn uuids_and_addresses_are_told_from_other_text() {
        assert!(is_uuid("01890f5e-7b6a-7c3e-9b1a-3c5d7e9f1a2b"));
        assert!(!is_uuid("01890f5e7b6a7c3e9b1a3c5d7e9f1a2b"));
        assert!(!is_uuid("01890f5e-7b6a-7c3e-9b1a-3c5d7e9f1a2g"));
        assert!(is_email("wang@example.cn"));
        for bad in ["wang", "wang@", "@example.cn", "a@b@c.cn", "wang@examplecn", "wa ng@example.cn"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
