//! Templates: written, approved, replaced.

use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::template_service_client::TemplateServiceClient;
use tonic::Code;
use tonic::transport::Channel;

use crate::world::{World, bad_fields, refused, request_id};

pub(crate) fn text(language: &str, body: &str) -> pb::TemplateText {
    pb::TemplateText {
        language: language.to_owned(),
        channel: pb::Channel::Inbox.into(),
        title: "T {{ name }}".to_owned(),
        body: body.to_owned(),
    }
}

pub(crate) fn template(key: &str, class: pb::MessageClass) -> pb::CreateTemplateVersionRequest {
    pb::CreateTemplateVersionRequest {
        request_id: request_id(),
        key: key.to_owned(),
        message_class: class.into(),
        texts: vec![text("zh-CN", "你好 {{ name }}"), text("en", "Hello {{ name }}")],
        variables: vec![pb::TemplateVariable { name: "name".to_owned(), kind: pb::TemplateVariableKind::Text.into(), is_required: true }],
    }
}

fn client(world: &World) -> TemplateServiceClient<Channel> {
    TemplateServiceClient::new(world.channel())
}

pub(crate) async fn create(world: &World, request: pb::CreateTemplateVersionRequest) -> pb::TemplateVersion {
    let answer = client(world).create_template_version(world.operations().asks(request)).await.unwrap();
    answer.into_inner().template_version.unwrap()
}

pub(crate) async fn activate(world: &World, version: &pb::TemplateVersion) -> pb::TemplateVersion {
    let request = pb::ActivateTemplateVersionRequest {
        request_id: request_id(),
        template_version_id: version.id.clone(),
        etag: version.etag.clone(),
    };
    let answer = client(world).activate_template_version(world.operations().asks(request)).await.unwrap();
    answer.into_inner().template_version.unwrap()
}

pub(crate) fn send(world: &World, key: &str) -> pb::SendMessageRequest {
    pb::SendMessageRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        recipient: Some(pb::Recipient { target: Some(pb::recipient::Target::CustomerId(world.customer.to_string())) }),
        template_key: key.to_owned(),
        variables: [("name".to_owned(), "世界".to_owned())].into(),
        ..Default::default()
    }
}

/// NT-23: a draft does not send; an approved version does, and the next one takes its place.
#[tokio::test]
async fn only_an_approved_version_sends() {
    let world = World::new().await;
    let draft = create(&world, template("greeting", pb::MessageClass::Service)).await;
    assert_eq!((draft.version, draft.state()), (1, pb::TemplateState::Draft));
    let mut messages = world.messages();
    let refusal = refused(messages.send_message(world.manager().asks(send(&world, "greeting"))).await);
    assert_eq!(refusal, (Code::FailedPrecondition, "TEMPLATE_NOT_ACTIVE".to_owned()));

    let active = activate(&world, &draft).await;
    assert_eq!((active.state(), active.approver.unwrap().subject), (pb::TemplateState::Active, "ops-1".to_owned()));
    let sent = messages.send_message(world.manager().asks(send(&world, "greeting"))).await.unwrap().into_inner().message.unwrap();
    assert_eq!((sent.body.as_str(), sent.template_version, sent.state()), ("你好 世界", 1, pb::MessageState::Delivered));

    let second = create(
        &world,
        pb::CreateTemplateVersionRequest {
            texts: vec![text("zh-CN", "早 {{ name }}"), text("en", "Morning {{ name }}")],
            ..template("greeting", pb::MessageClass::Service)
        },
    )
    .await;
    activate(&world, &second).await;
    let get = pb::GetTemplateVersionRequest { template_version_id: draft.id.clone() };
    let first = client(&world).get_template_version(world.operations().asks(get)).await.unwrap().into_inner().template_version.unwrap();
    assert_eq!(first.state(), pb::TemplateState::Retired);
    let sent = messages.send_message(world.manager().asks(send(&world, "greeting"))).await.unwrap().into_inner().message.unwrap();
    assert_eq!((sent.body.as_str(), sent.template_version), ("早 世界", 2));
    let again = pb::ActivateTemplateVersionRequest { request_id: request_id(), template_version_id: second.id, etag: second.etag };
    assert_eq!(refused(client(&world).activate_template_version(world.operations().asks(again)).await).0, Code::Aborted);
}

/// NT-23, NT-42: everything that is wrong with a template is told at once.
#[tokio::test]
async fn a_faulty_template_is_refused_with_every_fault() {
    let world = World::new().await;
    let mut request = template("faulty", pb::MessageClass::Service);
    request.texts =
        vec![text("zh-CN", "{{ name }} {{ phone }}"), pb::TemplateText { channel: pb::Channel::Email.into(), ..text("en", "{% if %}") }];
    let mut faults = bad_fields(client(&world).create_template_version(world.operations().asks(request)).await);
    faults.sort();
    let expected = [("texts", "LANGUAGE_MISSING"), ("texts[0].body", "VARIABLE_UNDECLARED"), ("texts[1].body", "TEMPLATE_SYNTAX")];
    assert_eq!(faults, expected.map(|(field, reason)| (field.to_owned(), reason.to_owned())));

    let version = create(&world, template("strict", pb::MessageClass::Service)).await;
    activate(&world, &version).await;
    let mut request = send(&world, "strict");
    request.variables = [("phone".to_owned(), "x".to_owned())].into();
    let faults = bad_fields(world.messages().send_message(world.manager().asks(request)).await);
    let expected = [("variables[name]", "VARIABLE_MISSING"), ("variables[phone]", "VARIABLE_UNDECLARED")];
    assert_eq!(faults, expected.map(|(field, reason)| (field.to_owned(), reason.to_owned())));
}
