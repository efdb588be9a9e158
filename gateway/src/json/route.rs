//! Paths of the JSON API, read from the `google.api.http` options.

use std::collections::BTreeSet;

use http::Method;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};

/// One path of the API and the RPC that it calls.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The RPC.
    pub method: MethodDescriptor,
    /// HTTP method.
    pub verb: Method,
    /// The template as declared: `/v1/work-orders/{work_order_id}:assign`.
    pub template: String,
    /// Which part of the request is the body.
    pub body: Body,
    segments: Vec<Segment>,
    custom_verb: Option<String>,
}

/// Which part of the request is the HTTP body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// There is none; what is not in the path is in the query.
    None,
    /// All of it but what is in the path.
    Whole,
    /// One field.
    Field(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Variable(String),
}

/// Values of a path's variables, by field path.
pub(super) type Variables = Vec<(String, String)>;

/// Why no binding was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Miss {
    /// No binding has this path.
    NoPath,
    /// The path exists with these methods.
    OtherMethods(Vec<Method>),
}

/// A path option that cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("{method}: `{template}`: {why}")]
pub struct BadTemplate {
    method: String,
    template: String,
    why: &'static str,
}

/// Every path of the contract.
#[derive(Debug, Default)]
pub struct Routes {
    bindings: Vec<Binding>,
}

impl Routes {
    /// Reads the options of every RPC that `public` lets through.
    ///
    /// # Errors
    /// A template that names a field which the request does not have, or one this module does not understand.
    pub fn of(pool: &DescriptorPool, public: impl Fn(&MethodDescriptor) -> bool) -> Result<Self, BadTemplate> {
        let mut bindings = Vec::new();
        let Some(http) = pool.get_extension_by_name("google.api.http") else { return Ok(Self::default()) };
        for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).filter(|m| public(m)) {
            let options = method.options();
            if !options.has_extension(&http) {
                continue;
            }
            if let Some(rule) = options.get_extension(&http).as_message() {
                bindings.push(Binding::of(&method, rule)?);
                if let Some(more) = rule.get_field_by_name("additional_bindings").as_deref().and_then(Value::as_list) {
                    for rule in more.iter().filter_map(Value::as_message) {
                        bindings.push(Binding::of(&method, rule)?);
                    }
                }
            }
        }
        Ok(Self { bindings })
    }

    /// All bindings, in the order of the contract.
    pub fn iter(&self) -> impl Iterator<Item = &Binding> {
        self.bindings.iter()
    }

    /// The binding of a call and the values in its path.
    pub fn find(&self, verb: &Method, path: &str) -> Result<(&Binding, Variables), Miss> {
        let mut others = BTreeSet::new();
        for binding in &self.bindings {
            if let Some(variables) = binding.matches(path) {
                if binding.verb == *verb {
                    return Ok((binding, variables));
                }
                others.insert(binding.verb.as_str().to_owned());
            }
        }
        if others.is_empty() {
            return Err(Miss::NoPath);
        }
        Err(Miss::OtherMethods(others.iter().filter_map(|name| name.parse().ok()).collect()))
    }
}

impl Binding {
    fn of(method: &MethodDescriptor, rule: &DynamicMessage) -> Result<Self, BadTemplate> {
        let text = |name: &str| rule.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
        let (verb, template) =
            [(Method::GET, "get"), (Method::POST, "post"), (Method::PATCH, "patch"), (Method::PUT, "put"), (Method::DELETE, "delete")]
                .into_iter()
                .map(|(verb, field)| (verb, text(field)))
                .find(|(_, template)| !template.is_empty())
                .unwrap_or((Method::POST, String::new()));
        let bad = |why| BadTemplate { method: method.full_name().to_owned(), template: template.clone(), why };
        let path = template.strip_prefix('/').ok_or_else(|| bad("must begin with a slash"))?;
        let (path, custom_verb) = split_verb(path);
        let mut segments = Vec::new();
        for part in path.split('/') {
            segments.push(match part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(field) if field.contains(['=', '*']) => return Err(bad("only plain variables are served")),
                Some(field) if method.input().get_field_by_name(field.split('.').next().unwrap_or(field)).is_none() => {
                    return Err(bad("the request has no such field"));
                }
                Some(field) => Segment::Variable(field.to_owned()),
                None if part.is_empty() => return Err(bad("has an empty segment")),
                None => Segment::Literal(part.to_owned()),
            });
        }
        let body = match text("body").as_str() {
            "" => Body::None,
            "*" => Body::Whole,
            field => Body::Field(field.to_owned()),
        };
        let custom_verb = custom_verb.map(str::to_owned);
        Ok(Self { method: method.clone(), verb, body, segments, custom_verb, template })
    }

    /// The names of the path's variables.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Variable(name) => Some(name.as_str()),
            Segment::Literal(_) => None,
        })
    }

    fn matches(&self, path: &str) -> Option<Variables> {
        let (path, verb) = split_verb(path.strip_prefix('/')?);
        if verb != self.custom_verb.as_deref() {
            return None;
        }
        let parts: Vec<&str> = path.split('/').collect();
        if parts.len() != self.segments.len() {
            return None;
        }
        let mut variables = Vec::new();
        for (segment, part) in self.segments.iter().zip(parts) {
            match segment {
                Segment::Literal(literal) if literal == part => {}
                Segment::Variable(name) if !part.is_empty() => variables.push((name.clone(), percent_decode(part)?)),
                Segment::Literal(_) | Segment::Variable(_) => return None,
            }
        }
        Some(variables)
    }
}

/// `a/b:verb` into path and verb. A colon counts only in the last segment and outside braces.
fn split_verb(path: &str) -> (&str, Option<&str>) {
    let last = path.rfind('/').map_or(0, |at| at + 1);
    let after_braces = path[last..].rfind('}').map_or(last, |at| last + at);
    match path[after_braces..].find(':') {
        Some(at) => (&path[..after_braces + at], Some(&path[after_braces + at + 1..])),
        None => (path, None),
    }
}

/// `%E4%B8%AD` into text; `None` when it is not UTF-8 or not complete.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::{Miss, Routes, percent_decode, split_verb};

    fn routes() -> Routes {
        Routes::of(steward_proto::descriptor_pool(), |_| true).expect("every template of the contract is served")
    }

    #[test]
    fn a_verb_is_told_from_an_id() {
        assert_eq!(split_verb("v1/work-orders/{work_order_id}:assign"), ("v1/work-orders/{work_order_id}", Some("assign")));
        assert_eq!(split_verb("v1/work-orders:search"), ("v1/work-orders", Some("search")));
        assert_eq!(split_verb("v1/work-orders/x"), ("v1/work-orders/x", None));
    }

    #[test]
    fn a_path_finds_its_rpc_and_its_variables() {
        let routes = routes();
        let (binding, variables) = routes.find(&Method::POST, "/v1/work-orders/42:assign").expect("a route");
        assert_eq!(binding.method.name(), "AssignWorkOrder");
        assert_eq!(variables, [("work_order_id".to_owned(), "42".to_owned())]);
        let (binding, variables) = routes.find(&Method::GET, "/v1/work-orders/42/clocks/arrive:explain").expect("a route");
        assert_eq!(binding.method.name(), "ExplainClock");
        assert_eq!(variables.len(), 2);
    }

    #[test]
    fn a_wrong_method_is_told_from_a_wrong_path() {
        let routes = routes();
        assert_eq!(routes.find(&Method::DELETE, "/v1/work-orders/42:assign").map(|_| ()), Err(Miss::OtherMethods(vec![Method::POST])));
        assert_eq!(routes.find(&Method::GET, "/v1/nothing").map(|_| ()), Err(Miss::NoPath));
    }

    #[test]
    fn no_two_rpcs_share_a_path() {
        let routes = routes();
        let mut seen = std::collections::BTreeMap::new();
        for binding in routes.iter() {
            let shape: String = binding
                .template
                .split('/')
                .map(|part| if part.starts_with('{') { part.rsplit('}').next().unwrap_or("") } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let other = seen.insert((binding.verb.to_string(), shape), binding.method.full_name().to_owned());
            assert_eq!(other, None, "{} and {:?}", binding.method.full_name(), other);
        }
    }

    #[test]
    fn escapes_are_decoded_or_refused() {
        assert_eq!(percent_decode("%E4%B8%AD").as_deref(), Some("中"));
        assert_eq!(percent_decode("%E4%B"), None);
        assert_eq!(percent_decode("%ff"), None);
    }
}
