//! From path, query and body to the request message.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

use super::{
    error::ApiError,
    route::{Binding, Body, Variables, percent_decode},
};

/// The request of a call.
pub(super) fn decode(route: &Binding, variables: &Variables, query: &str, body: &[u8]) -> Result<DynamicMessage, ApiError> {
    let descriptor = route.method.input();
    let mut root = match &route.body {
        Body::None => Map::new(),
        Body::Whole => {
            let Value::Object(fields) = parse(body)? else {
                return Err(ApiError::bad_field("", "the body must be a JSON object"));
            };
            fields
        }
        Body::Field(name) => Map::from_iter([(name.clone(), parse(body)?)]),
    };
    for (path, values) in query_pairs(query)? {
        if route.body == Body::Whole {
            return Err(ApiError::bad_field(&path, "this call takes its fields in the body, not in the query"));
        }
        set(&mut root, &descriptor, &path, &values)?;
    }
    for (path, value) in variables {
        set(&mut root, &descriptor, path, std::slice::from_ref(value))?;
    }
    DynamicMessage::deserialize(descriptor, Value::Object(root)).map_err(|error| ApiError::bad_field("", &error.to_string()))
}

/// An empty body is an empty object: verbs without fields need none.
fn parse(body: &[u8]) -> Result<Value, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(body).map_err(|error| ApiError::bad_field("", &format!("the body is not JSON: {error}")))
}

/// `a=1&b=2&b=3` by name, in order.
fn query_pairs(query: &str) -> Result<Vec<(String, Vec<String>)>, ApiError> {
    let mut pairs: Vec<(String, Vec<String>)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text: &str| percent_decode(&text.replace('+', " "));
        let (Some(name), Some(value)) = (decode(name), decode(value)) else {
            return Err(ApiError::bad_field("", "the query is not valid percent-encoded UTF-8"));
        };
        match pairs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => pairs.push((name, vec![value])),
        }
    }
    Ok(pairs)
}

/// Puts text values at a dotted field path, as JSON of the field's kind. What the body says there is replaced.
fn set(root: &mut Map<String, Value>, message: &MessageDescriptor, path: &str, values: &[String]) -> Result<(), ApiError> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let field = message
        .get_field_by_name(name)
        .or_else(|| message.get_field_by_json_name(name))
        .ok_or_else(|| ApiError::bad_field(path, "the request has no such field"))?;
    if field.json_name() != field.name() {
        root.remove(field.json_name());
    }
    match (rest, field.kind()) {
        (Some(rest), Kind::Message(inner)) => {
            let child = root.entry(field.name().to_owned()).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(fields) = child else {
                return Err(ApiError::bad_field(path, "is given twice, in different shapes"));
            };
            set(fields, &inner, rest, values)
        }
        (Some(_), _) => Err(ApiError::bad_field(path, "the field has no parts")),
        (None, _) => {
            let mut values = values.iter().map(|value| scalar(&field, path, value)).collect::<Result<Vec<_>, _>>()?;
            let value = if field.is_list() {
                Value::Array(values)
            } else {
                if values.len() > 1 {
                    return Err(ApiError::bad_field(path, "is given more than once"));
                }
                values.pop().unwrap_or(Value::Null)
            };
            root.insert(field.name().to_owned(), value);
            Ok(())
        }
    }
}

/// Proto3 JSON takes numbers and enums as text, but not booleans.
fn scalar(field: &FieldDescriptor, path: &str, value: &str) -> Result<Value, ApiError> {
    match (field.kind(), value) {
        (Kind::Bool, "true") => Ok(Value::Bool(true)),
        (Kind::Bool, "false") => Ok(Value::Bool(false)),
        (Kind::Bool, _) => Err(ApiError::bad_field(path, "must be true or false")),
        (_, value) => Ok(Value::String(value.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use prost_reflect::DynamicMessage;

    use super::decode;
    use crate::json::{error::ApiError, route::Routes};

    fn ask(verb: Method, path: &str, query: &str, body: &str) -> Result<DynamicMessage, ApiError> {
        let routes = Routes::of(steward_proto::descriptor_pool(), |_| true).expect("routes");
        let (route, variables) = routes.find(&verb, path).expect("a route");
        decode(route, &variables, query, body.as_bytes())
    }

    fn json(message: &DynamicMessage) -> String {
        serde_json::to_string(message).expect("JSON")
    }

    #[test]
    fn path_query_and_lists_become_one_message() {
        let message = ask(Method::GET, "/v1/work-orders", "estate_id=e&states=STATE_CLOSED&states=STATE_REOPENED&pageSize=10", "")
            .expect("a request");
        assert_eq!(json(&message), r#"{"estateId":"e","states":["STATE_CLOSED","STATE_REOPENED"],"pageSize":10}"#);
    }

    #[test]
    fn the_path_wins_over_the_body() {
        let message = ask(Method::POST, "/v1/work-orders/42:assign", "", r#"{"workOrderId":"7","assignee":"t1"}"#).expect("a request");
        assert_eq!(json(&message), r#"{"workOrderId":"42","assignee":"t1"}"#);
    }

    #[test]
    fn what_is_not_in_the_contract_is_refused_by_name() {
        for (verb, path, query, body, word) in [
            (Method::GET, "/v1/work-orders", "colour=red", "", "colour"),
            (Method::POST, "/v1/work-orders/42:assign", "", r#"{"colour":"red"}"#, "colour"),
            (Method::POST, "/v1/work-orders/42:assign", "", "[1]", "object"),
            (Method::POST, "/v1/work-orders/42:assign", "", "{", "not JSON"),
            (Method::GET, "/v1/work-orders", "pageSize=1&pageSize=2", "", "more than once"),
        ] {
            let error = ask(verb, path, query, body).expect_err(word);
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
