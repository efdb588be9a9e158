//! Texts from templates: strict about variables, bounded in work, without access to anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Environment, UndefinedBehavior};

use super::codes::{Channel, Language, VariableKind};
use super::message::Text;
use super::template::TemplateVersion;

/// Steps of the template engine that one text may take: some thousand times what an honest one needs.
const FUEL: u64 = 50_000;

/// Names of codes by language: data.
pub type CodeNames = BTreeMap<String, BTreeMap<Language, String>>;

/// What a text is written in.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// The reader's language.
    pub language: Language,
    /// The estate's zone.
    pub zone: TimeZone,
    /// When what the text tells of happened: what hours are counted from.
    pub occur_time: Timestamp,
    /// Names of codes.
    pub names: &'a CodeNames,
}

fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    engine
}

/// The variables that a text mentions.
///
/// # Errors
/// The text is no template; says the line.
pub fn compile(source: &str) -> Result<BTreeSet<String>, String> {
    let engine = engine();
    let template = engine.template_from_str(source).map_err(|fault| {
        let line = fault.line().unwrap_or(1);
        format!("line {line}: {}", fault.detail().unwrap_or("not a template"))
    })?;
    Ok(template.undeclared_variables(false).into_iter().collect())
}

/// Writes every text of a version in the reader's language, by channel.
///
/// # Errors
/// A value that does not fit its kind, or a template that fails; says which, without the values.
pub fn render(
    version: &TemplateVersion,
    given: &BTreeMap<String, String>,
    setting: &Setting<'_>,
) -> Result<BTreeMap<Channel, Text>, String> {
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    for variable in &version.variables {
        let value = match given.get(&variable.name) {
            Some(text) => {
                value_of(variable.kind, text, setting).ok_or_else(|| format!("variable {} is not a {}", variable.name, variable.kind))?
            }
            // Optional and not given: empty, so that a text can ask for it.
            None => Value::from(""),
        };
        values.insert(variable.name.clone(), value);
    }
    let values = Value::from(values);
    let engine = engine();
    let mut texts = BTreeMap::new();
    for text in version.texts.iter().filter(|text| text.language == setting.language) {
        let write = |source: &str, part: &str| {
            engine
                .render_str(source, values.clone())
                .map_err(|fault| format!("{part} of {} {} v{}: {:?}", text.channel, version.key, version.version, fault.kind()))
        };
        texts.insert(text.channel, Text { title: write(&text.title, "title")?, body: write(&text.body, "body")? });
    }
    Ok(texts)
}

fn value_of(kind: VariableKind, text: &str, setting: &Setting<'_>) -> Option<Value> {
    match kind {
        VariableKind::Text => Some(Value::from(text)),
        VariableKind::Time => {
            let instant: Timestamp = text.parse().ok()?;
            Some(Value::from_object(Instant::new(instant, setting)))
        }
        VariableKind::Date => {
            let date = steward_kit::proto::date(text)?;
            Some(Value::from(match setting.language {
                Language::Zh => date.strftime("%Y年%-m月%-d日").to_string(),
                Language::En => date.strftime("%-d %b %Y").to_string(),
            }))
        }
        VariableKind::Number => text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<f64>().map(Value::from)).ok(),
        VariableKind::Code => {
            let name = setting.names.get(text).and_then(|names| names.get(&setting.language));
            Some(Value::from(name.map_or(text, String::as_str)))
        }
    }
}

/// An instant in a text: prints as local time, and knows how many hours lie before it (`{{ promise_time.hours }}`).
#[derive(Debug)]
struct Instant {
    written: String,
    hours: String,
    minutes: i64,
}

impl Instant {
    fn new(instant: Timestamp, setting: &Setting<'_>) -> Self {
        let local = instant.to_zoned(setting.zone.clone());
        let written = match setting.language {
            Language::Zh => local.strftime("%-m月%-d日 %H:%M").to_string(),
            Language::En => local.strftime("%-d %b %H:%M").to_string(),
        };
        let minutes = instant.duration_since(setting.occur_time).as_secs().max(0).div_euclid(60);
        let tenths = (minutes * 10 + 30).div_euclid(60);
        let hours = if tenths % 10 == 0 { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) };
        Self { written, hours, minutes }
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.written)
    }
}

impl Object for Instant {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "hours" => Some(Value::from(self.hours.clone())),
            "minutes" => Some(Value::from(self.minutes)),
            _ => None,
        }
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.written)
    }
}
