//! Programmes: surveys that are repeated.

use prost::Message;
use steward_kit::calendar::Span;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::constraint;

use super::App;
use super::transact::{Call, Follows, TRIES, Target, or_repeated};
use crate::domain::Programme;
use crate::domain::codes::ProgrammeKind;
use crate::domain::ids::{ProgrammeId, QuestionnaireId};
use crate::store::programmes::{CODE_TAKEN, insert_programme, load_programme, save_programme};
use crate::store::questionnaires::load_questionnaire;

/// A programme to start.
#[derive(Debug)]
pub(crate) struct NewProgramme {
    pub(crate) code: String,
    pub(crate) estate: Option<EstateId>,
    pub(crate) name_zh: String,
    pub(crate) name_en: String,
    pub(crate) kind: ProgrammeKind,
    pub(crate) cadence: Option<Span>,
    pub(crate) questionnaire: QuestionnaireId,
    pub(crate) requires_improvement_plan: bool,
}

/// What to change of a programme; `None` stays.
#[derive(Debug, Default)]
pub(crate) struct ProgrammeEdit {
    pub(crate) name_zh: Option<String>,
    pub(crate) name_en: Option<String>,
    pub(crate) questionnaire: Option<QuestionnaireId>,
    pub(crate) requires_improvement_plan: Option<bool>,
}

impl App {
    /// Starts a programme. Two trips.
    pub(crate) async fn create_programme<A: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewProgramme,
        answer: impl Fn(&Programme) -> A,
    ) -> Result<A> {
        match new.estate {
            Some(estate) => drop(self.rules.estates.get(call.access.scope.estate(estate)?.id()).await?),
            // A programme of every estate is for those who have them all.
            None if call.access.scope.estates().is_some() => {
                return Err(Error::invalid("estate_id", "ESTATE_NOT_FOUND", "must be given, unless the caller has every estate"));
            }
            None => {}
        }
        or_repeated!(self, call, load_questionnaire(self.db.pool(), new.questionnaire).await);
        let now = self.clock.now();
        let programme = Programme {
            id: ProgrammeId::new(),
            code: new.code,
            estate_id: new.estate,
            name_zh: new.name_zh,
            name_en: new.name_en,
            kind: new.kind,
            cadence: new.cadence,
            questionnaire_id: new.questionnaire,
            requires_improvement_plan: new.requires_improvement_plan,
            create_time: now,
            update_time: now,
            row_version: 1,
        };
        let response = answer(&programme);
        let effects = self.effects(call, &response, Follows::nothing());
        match insert_programme(self.db.pool(), &programme, &effects, now).await {
            Ok(()) => Ok(response),
            Err(error) if constraint(&error) == Some(CODE_TAKEN) => {
                let refusal = Error::already_exists("programme", "PROGRAMME_CODE_TAKEN", "another programme has this code");
                self.unless_repeated(call, refusal).await
            }
            Err(error) => self.failed(call, error).await,
        }
    }

    /// Changes a programme. Two trips, three with another questionnaire.
    pub(crate) async fn update_programme<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        edit: ProgrammeEdit,
        answer: impl Fn(&Programme) -> A,
    ) -> Result<A> {
        if let Some(questionnaire) = edit.questionnaire {
            or_repeated!(self, call, load_questionnaire(self.db.pool(), questionnaire).await);
        }
        for _ in 0..TRIES {
            let before = or_repeated!(self, call, load_programme(self.db.pool(), &call.access.scope, target.id.into()).await);
            // One of every estate is changed by those who have them all.
            if before.estate_id.is_none() && call.access.scope.estates().is_some() {
                return Err(Error::not_found("programme", target.id));
            }
            if target.etag.is_some_and(|seen| seen != before.row_version) {
                break;
            }
            let now = self.clock.now();
            let after = Programme {
                name_zh: edit.name_zh.clone().unwrap_or_else(|| before.name_zh.clone()),
                name_en: edit.name_en.clone().unwrap_or_else(|| before.name_en.clone()),
                questionnaire_id: edit.questionnaire.unwrap_or(before.questionnaire_id),
                requires_improvement_plan: edit.requires_improvement_plan.unwrap_or(before.requires_improvement_plan),
                update_time: now,
                row_version: before.row_version + 1,
                ..before.clone()
            };
            let response = answer(&after);
            let effects = self.effects(call, &response, Follows::nothing());
            match save_programme(self.db.pool(), &call.access.scope, &after, before.row_version, &effects, now).await {
                Ok(true) => return Ok(response),
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "programme" }).await
    }
}
