//! Every RPC of the suite, one rule at a time.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MethodDescriptor, Value};

/// Beginnings of names that change nothing; everything else is a mutation and needs a request id. A verb that writes elsewhere,
/// as `CheckIn` and `CountStock` do, is named with what it is about.
const READING: [&str; 20] = [
    "DraftProgramme",
    "Get",
    "List",
    "Search",
    "Watch",
    "Explain",
    "Compute",
    "Resolve",
    "Lookup",
    "Preview",
    "CheckAudience",
    "CheckContacts",
    "CheckQuestionnaire",
    "Compare",
    "Rank",
    "Summarise",
    "PlanSample",
    "CountCases",
    "Find",
    "Forecast",
];

/// Mutations without a request id, by full name, and why they are safe to repeat all the same. The list only shrinks.
const WITHOUT: [(&str, &str); 4] = [
    ("steward.customer.v1.EstateImportService.UploadEstateImport", "parts carry their offset; a repeated part is dropped"),
    ("steward.customer.v1.CustomerService.RevealCustomer", "its answer must never be stored; each call is audited"),
    (
        "steward.survey.v1.ResponseService.TakeBlindToken",
        "the client's nonce makes it safe; a claim would keep the token, which nothing may",
    ),
    (
        "steward.survey.v1.ResponseService.SubmitBlindResponse",
        "the client's response id makes it safe; a claim would name the caller beside the answer",
    ),
];

fn methods() -> Vec<MethodDescriptor> {
    let pool = steward_proto::descriptor_pool();
    let ours = pool.services().filter(|service| service.full_name().starts_with("steward."));
    let methods: Vec<_> = ours.flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    assert!(methods.len() > 50, "the walk found only {} RPCs", methods.len());
    methods
}

fn option(method: &MethodDescriptor, name: &str) -> Option<DynamicMessage> {
    let extension = steward_proto::descriptor_pool().get_extension_by_name(name)?;
    let options = method.options();
    options.has_extension(&extension).then(|| options.get_extension(&extension).as_message().cloned()).flatten()
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn is_internal(method: &MethodDescriptor) -> bool {
    let access = option(method, "steward.authz.v1.access");
    access.and_then(|rule| rule.get_field_by_name("exposure").as_deref().and_then(Value::as_enum_number)) == Some(1)
}

fn is_mutation(method: &MethodDescriptor) -> bool {
    !READING.iter().any(|verb| method.name().starts_with(verb))
}

fn rule(field: &FieldDescriptor, path: [&str; 2]) -> Option<Value> {
    let rules = steward_proto::descriptor_pool().get_extension_by_name("buf.validate.field")?;
    let options = field.options();
    let declared = options.get_extension(&rules);
    let typed = declared.as_message()?.get_field_by_name(path[0])?.into_owned();
    typed.as_message()?.get_field_by_name(path[1]).map(std::borrow::Cow::into_owned)
}

fn offenders(breaks: impl Fn(&MethodDescriptor) -> Option<String>) -> Vec<String> {
    methods().iter().filter_map(|method| breaks(method).map(|why| format!("{}: {why}", method.full_name()))).collect()
}

/// XC-31
#[test]
fn every_rpc_names_its_permission() {
    let missing = offenders(|method| {
        let permission = option(method, "steward.authz.v1.access").map(|rule| text(&rule, "permission")).unwrap_or_default();
        let well_formed = permission.split_once('.').is_some_and(|(noun, verb)| {
            [noun, verb]
                .iter()
                .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))
        });
        (!well_formed).then(|| format!("permission is `{permission}`"))
    });
    assert_eq!(missing, Vec::<String>::new());
}

/// WO-77
#[test]
fn every_mutation_carries_a_request_id() {
    let missing = offenders(|method| {
        if !is_mutation(method) {
            return method.input().get_field_by_name("request_id").map(|_| "reads, by its name, and carries a request_id".into());
        }
        if WITHOUT.iter().any(|(name, _)| *name == method.full_name()) {
            return None;
        }
        let Some(field) = method.input().get_field_by_name("request_id") else { return Some("no request_id".into()) };
        (rule(&field, ["string", "uuid"]) != Some(Value::Bool(true))).then(|| "request_id has no uuid rule".into())
    });
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_list_is_paged() {
    let missing = offenders(|method| {
        if !["List", "Search"].iter().any(|verb| method.name().starts_with(verb)) {
            return None;
        }
        let Some(size) = method.input().get_field_by_name("page_size") else { return Some("no page_size".into()) };
        // Between services whole estates are read.
        let most = if is_internal(method) { 1000 } else { 200 };
        if !matches!(rule(&size, ["int32", "lte"]), Some(Value::I32(limit)) if limit == 200 || limit == most) {
            return Some("page_size is not limited to 200".into());
        }
        if method.input().get_field_by_name("page_token").is_none() {
            return Some("no page_token".into());
        }
        method.output().get_field_by_name("next_page_token").is_none().then(|| "no next_page_token".into())
    });
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_public_rpc_has_a_json_path_and_no_internal_one_has() {
    let wrong = offenders(|method| {
        let has_path = option(method, "google.api.http").is_some();
        // A stream of requests has no shape in JSON over HTTP.
        let wants_path = !is_internal(method) && !method.is_client_streaming();
        (has_path != wants_path).then(|| format!("has a path: {has_path}, should have one: {wants_path}"))
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_id_in_a_request_is_checked_to_be_one() {
    let wrong = offenders(|method| {
        let input = method.input();
        let unchecked: Vec<String> = input
            .fields()
            .filter(|field| field.name().ends_with("_id") && field.name() != "metric_id" && !field.is_list())
            .filter(|field| rule(field, ["string", "uuid"]) != Some(Value::Bool(true)))
            .map(|field| field.name().to_owned())
            .collect();
        (!unchecked.is_empty()).then(|| unchecked.join(", "))
    });
    assert_eq!(wrong, Vec::<String>::new());
}

/// XC-51
#[test]
fn fields_that_hold_personal_data_never_print() {
    const PERSONAL: [&str; 13] = [
        "phone",
        "phones",
        "email",
        "id_number",
        "address",
        "description",
        "location",
        "improvement",
        "note",
        "summary",
        "full_name",
        "contact_name",
        "caller_phone",
    ];
    /// Texts of operators about things, by contract without personal data.
    const ABOUT_THINGS: [&str; 3] = [
        "steward.customer.v1.EstateImportProblem.description",
        "steward.notification.v1.WebhookEndpoint.description",
        "steward.notification.v1.CreateWebhookEndpointRequest.description",
    ];
    let pool = steward_proto::descriptor_pool();
    let printing: Vec<String> = pool
        .all_messages()
        .filter(|message| message.package_name().starts_with("steward."))
        .flat_map(|message| message.fields().collect::<Vec<_>>())
        // A switch that demands such a text is not one.
        .filter(|field| PERSONAL.contains(&field.name()) && field.kind() != Kind::Bool)
        .filter(|field| field.options().get_field_by_name("debug_redact").as_deref() != Some(&Value::Bool(true)))
        .map(|field| field.full_name().to_owned())
        .filter(|name| !ABOUT_THINGS.contains(&name.as_str()))
        .collect();
    assert_eq!(printing, Vec::<String>::new(), "mark them debug_redact");
}

#[test]
fn a_redacted_field_prints_as_stars() {
    let request =
        steward_proto::work_order::v1::CreateWorkOrderRequest { description: "王女士 13800000000".to_owned(), ..Default::default() };
    let printed = format!("{request:?}");
    assert!(printed.contains("***") && !printed.contains("13800000000"), "{printed}");
    assert_eq!(request.description, "王女士 13800000000");
}
