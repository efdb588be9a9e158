//! The fields that predicates may ask.

use std::borrow::Cow;
use std::collections::BTreeMap;

use steward_proto::common::v1 as pb;

use super::fact::FactType;

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Name, such as `household.occupancy`.
    pub name: Cow<'static, str>,
    /// Type of its values.
    pub fact_type: FactType,
    /// The codes that it can have, in their order; empty when they are open.
    pub codes: Cow<'static, [&'static str]>,
    /// Name in Chinese.
    pub zh: Cow<'static, str>,
    /// Name in English.
    pub en: Cow<'static, str>,
    /// Its value never stands in reasons.
    pub is_personal: bool,
}

impl Field {
    /// A field with open values.
    pub fn new(name: &'static str, fact_type: FactType, zh: &'static str, en: &'static str) -> Self {
        Self { name: name.into(), fact_type, codes: Cow::Borrowed(&[]), zh: zh.into(), en: en.into(), is_personal: false }
    }

    /// A field with a closed set of codes.
    pub fn of_codes(name: &'static str, codes: &'static [&'static str], zh: &'static str, en: &'static str) -> Self {
        Self { codes: Cow::Borrowed(codes), ..Self::new(name, FactType::Code, zh, en) }
    }

    /// The same field, of which reasons say only that it was recorded.
    #[must_use]
    pub fn personal(self) -> Self {
        Self { is_personal: true, ..self }
    }

    /// As the contract says it.
    pub fn wire(&self) -> pb::PredicateField {
        pb::PredicateField {
            name: self.name.clone().into_owned(),
            r#type: self.fact_type.wire().into(),
            operators: self.fact_type.operators().iter().map(|operator| (*operator).into()).collect(),
            codes: self.codes.iter().map(|code| (*code).to_owned()).collect(),
            name_zh: self.zh.clone().into_owned(),
            name_en: self.en.clone().into_owned(),
            is_personal: self.is_personal,
        }
    }
}

/// Makes a field for a name that no field has, where a family of names is open.
type Family = fn(&str) -> Option<Field>;

/// Fields by name.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    fields: BTreeMap<Cow<'static, str>, Field>,
    family: Option<Family>,
}

impl Catalogue {
    /// A catalogue of these fields.
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Self {
        Self { fields: fields.into_iter().map(|field| (field.name.clone(), field)).collect(), family: None }
    }

    /// The same with an open family of names, such as `service.<code>_use_30d`.
    #[must_use]
    pub fn with_family(self, family: Family) -> Self {
        Self { family: Some(family), ..self }
    }

    /// The same with more fields.
    #[must_use]
    pub fn with_fields(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.fields.extend(fields.into_iter().map(|field| (field.name.clone(), field)));
        self
    }

    /// The field of a name.
    pub fn get(&self, name: &str) -> Option<Field> {
        self.fields.get(name).cloned().or_else(|| self.family.and_then(|family| family(name)))
    }

    /// Every field that has a fixed name, by name.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.values()
    }

    /// Names that a misspelt one may have meant: those of the same group.
    pub(super) fn near(&self, name: &str) -> Vec<&str> {
        let group = name.split('.').next().unwrap_or_default();
        self.fields.keys().filter(|known| known.split('.').next() == Some(group)).map(AsRef::as_ref).collect()
    }
}
