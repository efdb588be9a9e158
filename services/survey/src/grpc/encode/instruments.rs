//! Questionnaires, their versions, and programmes.

use prost::Message;
use steward_kit::Result;
use steward_kit::error::Error;
use steward_kit::proto::{to_span, to_timestamp};
use steward_proto::survey::v1 as pb;

use super::text;
use crate::contract::Code;
use crate::domain::{Programme, Questionnaire, QuestionnaireVersion};

fn content(bytes: &[u8]) -> Result<pb::QuestionnaireContent> {
    pb::QuestionnaireContent::decode(bytes).map_err(Error::internal)
}

pub(in crate::grpc) fn questionnaire(questionnaire: &Questionnaire) -> pb::Questionnaire {
    pb::Questionnaire {
        id: questionnaire.id.to_string(),
        code: questionnaire.code.clone(),
        // It was encoded by this service.
        draft: content(&questionnaire.draft).ok(),
        version_count: questionnaire.version_count,
        latest_version_id: text(questionnaire.latest_version_id),
        etag: questionnaire.row_version.to_string(),
        create_time: Some(to_timestamp(questionnaire.create_time)),
        update_time: Some(to_timestamp(questionnaire.update_time)),
    }
}

pub(in crate::grpc) fn version(version: &QuestionnaireVersion) -> pb::QuestionnaireVersion {
    let comparison = |comparison: &crate::domain::Comparison| pb::QuestionComparison {
        question_code: comparison.question.clone(),
        earlier_version_id: comparison.earlier_version_id.to_string(),
        earlier_question_code: comparison.earlier_question.clone(),
    };
    pb::QuestionnaireVersion {
        id: version.id.to_string(),
        questionnaire_id: version.questionnaire_id.to_string(),
        questionnaire_code: version.code.clone(),
        version: version.version,
        content: content(&version.content).ok(),
        content_sha256: hex::encode(version.sha256),
        comparisons: version.comparisons.iter().map(comparison).collect(),
        publisher: Some(version.publisher.wire()),
        publish_time: Some(to_timestamp(version.publish_time)),
    }
}

pub(in crate::grpc) fn programme(programme: &Programme) -> pb::Programme {
    pb::Programme {
        id: programme.id.to_string(),
        code: programme.code.clone(),
        estate_id: text(programme.estate_id),
        name_zh: programme.name_zh.clone(),
        name_en: programme.name_en.clone(),
        kind: programme.kind.number(),
        cadence: programme.cadence.as_ref().map(to_span),
        questionnaire_id: programme.questionnaire_id.to_string(),
        requires_improvement_plan: programme.requires_improvement_plan,
        etag: programme.row_version.to_string(),
        create_time: Some(to_timestamp(programme.create_time)),
        update_time: Some(to_timestamp(programme.update_time)),
    }
}
