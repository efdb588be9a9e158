//! The OpenAPI 3.1 file of the JSON API, made from the contract and its comments.

mod schema;

use prost_reflect::{DescriptorPool, MethodDescriptor};
use serde_json::{Map, Value, json};

use self::schema::{Comments, Schemas};
use crate::json::{Binding, Body, Routes};

/// The file.
pub fn document(pool: &DescriptorPool, routes: &Routes) -> Value {
    let comments = Comments::of(pool);
    let mut schemas = Schemas::new(&comments);
    let mut paths: Map<String, Value> = Map::new();
    for binding in routes.iter().filter(|b| !b.method.is_client_streaming()) {
        let operation = operation(binding, &comments, &mut schemas);
        let path = paths.entry(binding.template.clone()).or_insert_with(|| json!({}));
        path[binding.verb.as_str().to_ascii_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "steward",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Customers, work orders and notifications of a property group. The same calls as by gRPC: a refusal \
                carries the same code, reason and details.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "responses": {"Refusal": refusal()},
            "schemas": schemas.finish(),
        },
    })
}

fn operation(binding: &Binding, comments: &Comments, schemas: &mut Schemas<'_>) -> Value {
    let method = &binding.method;
    let comment = comments.of_method(method);
    let (summary, description) = comment.split_once("\n\n").unwrap_or((comment.as_str(), ""));
    let in_path: Vec<&str> = binding.variables().collect();
    let mut operation = json!({
        "operationId": operation_id(method),
        "tags": [method.parent_service().name()],
        "summary": summary.replace('\n', " "),
        "parameters": parameters(binding, &in_path, schemas),
        "responses": {
            "200": {"description": "Done.", "content": answer_content(method, schemas)},
            "default": {"$ref": "#/components/responses/Refusal"},
        },
    });
    if !description.is_empty() {
        operation["description"] = json!(description);
    }
    match &binding.body {
        Body::None => {}
        Body::Whole => {
            let schema = schemas.inline(&method.input(), &in_path);
            operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
        }
        Body::Field(name) => {
            if let Some(field) = method.input().get_field_by_name(name) {
                let schema = schemas.of_field(&field);
                operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
            }
        }
    }
    operation
}

fn operation_id(method: &MethodDescriptor) -> String {
    format!("{}_{}", method.parent_service().name(), method.name())
}

fn answer_content(method: &MethodDescriptor, schemas: &mut Schemas<'_>) -> Value {
    let schema = schemas.of_message(&method.output());
    if method.is_server_streaming() {
        json!({"application/x-ndjson": {"schema": schema}, "text/event-stream": {"schema": schema}})
    } else {
        json!({"application/json": {"schema": schema}})
    }
}

fn parameters(binding: &Binding, in_path: &[&str], schemas: &mut Schemas<'_>) -> Vec<Value> {
    let input = binding.method.input();
    let mut out = Vec::new();
    for name in in_path {
        if let Some(field) = input.get_field_by_name(name) {
            out.push(json!({"name": name, "in": "path", "required": true, "description": schemas.comment_of(&field), "schema": schemas.of_field(&field)}));
        }
    }
    if binding.body == Body::None {
        for field in input.fields().filter(|field| !in_path.contains(&field.name())) {
            out.push(json!({"name": field.json_name(), "in": "query", "description": schemas.comment_of(&field), "schema": schemas.of_field(&field)}));
        }
    }
    out
}

fn refusal() -> Value {
    json!({
        "description": "Refused. `details` says which field or state, and what would be allowed.",
        "content": {"application/json": {"schema": {
            "type": "object",
            "properties": {"error": {
                "type": "object",
                "properties": {
                    "code": {"type": "integer", "description": "HTTP status."},
                    "status": {"type": "string", "description": "Name of the gRPC code, such as FAILED_PRECONDITION."},
                    "message": {"type": "string", "description": "For developers, in English."},
                    "details": {"type": "array", "items": {"type": "object", "additionalProperties": true, "properties": {"@type": {"type": "string"}}},
                        "description": "google.rpc details: ErrorInfo (reason), BadRequest, PreconditionFailure, QuotaFailure, RetryInfo, LocalizedMessage."},
                },
                "required": ["code", "status", "message", "details"],
            }},
            "required": ["error"],
        }}},
    })
}

#[cfg(test)]
mod tests {
    use prost_reflect::DescriptorPool;

    use super::document;
    use crate::{json::Routes, methods::is_public};

    #[test]
    fn every_public_path_is_described_and_every_reference_leads_somewhere() {
        let pool = DescriptorPool::decode(steward_proto::COMMENTED_DESCRIPTOR_SET).expect("our own set");
        let routes = Routes::of(&pool, is_public).expect("routes");
        let document = document(&pool, &routes);
        let paths = document["paths"].as_object().expect("paths");
        let described: usize = paths.values().map(|item| item.as_object().map_or(0, serde_json::Map::len)).sum();
        assert_eq!(described, routes.iter().filter(|b| !b.method.is_client_streaming()).count());
        assert!(described > 30, "{described} operations");

        let schemas = document["components"]["schemas"].as_object().expect("schemas");
        let text = document.to_string();
        for part in text.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap_or_default();
            assert!(schemas.contains_key(name), "{name} is referred to and not defined");
        }
        let assign = &paths["/v1/work-orders/{work_order_id}:assign"]["post"];
        assert!(assign["summary"].as_str().is_some_and(|s| !s.is_empty()));
        assert!(assign["requestBody"].to_string().contains("assignee"));
        assert!(!assign["requestBody"].to_string().contains("workOrderId"), "the path has it already");
    }
}
