//! Instruments: drafted, checked, published as versions (SV-04, SV-43, SV-47).

use std::collections::BTreeSet;

use prost::Message;
use steward_kit::error::Violations;
use steward_kit::{Error, Result};
use steward_kit_store::constraint;
use steward_proto::survey::v1 as pb;

use super::App;
use super::transact::{Call, Follows, TRIES, Target, or_repeated};
use crate::contract::instrument;
use crate::domain::codes::Actor;
use crate::domain::ids::{QuestionnaireId, QuestionnaireVersionId};
use crate::domain::{Comparison, Questionnaire, QuestionnaireVersion, content_address, faults};
use crate::store::programmes::list_programmes_asking;
use crate::store::questionnaires::{
    CODE_TAKEN, find_version, insert_questionnaire, insert_version, load_questionnaire, load_version, save_draft,
};

impl App {
    /// Starts a questionnaire. One trip.
    pub(crate) async fn create_questionnaire<A: Message + Default>(
        &self,
        call: &Call<'_>,
        code: String,
        draft: &pb::QuestionnaireContent,
        answer: impl Fn(&Questionnaire) -> A,
    ) -> Result<A> {
        call.for_every_estate()?;
        let now = self.clock.now();
        let questionnaire = Questionnaire {
            id: QuestionnaireId::new(),
            code,
            draft: draft.encode_to_vec(),
            version_count: 0,
            latest_version_id: None,
            create_time: now,
            update_time: now,
            row_version: 1,
        };
        let response = answer(&questionnaire);
        let effects = self.effects(call, &response, Follows::nothing());
        match insert_questionnaire(self.db.pool(), &questionnaire, &effects, now).await {
            Ok(()) => Ok(response),
            Err(error) if constraint(&error) == Some(CODE_TAKEN) => {
                let refusal = Error::already_exists("questionnaire", "QUESTIONNAIRE_CODE_TAKEN", "another questionnaire has this code");
                self.unless_repeated(call, refusal).await
            }
            Err(error) => self.failed(call, error).await,
        }
    }

    /// Replaces a draft. Two trips.
    pub(crate) async fn update_questionnaire<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        draft: &pb::QuestionnaireContent,
        answer: impl Fn(&Questionnaire) -> A,
    ) -> Result<A> {
        call.for_every_estate()?;
        for _ in 0..TRIES {
            let before = or_repeated!(self, call, load_questionnaire(self.db.pool(), target.id.into()).await);
            if target.etag.is_some_and(|seen| seen != before.row_version) {
                break;
            }
            let now = self.clock.now();
            let after =
                Questionnaire { draft: draft.encode_to_vec(), update_time: now, row_version: before.row_version + 1, ..before.clone() };
            let response = answer(&after);
            let effects = self.effects(call, &response, Follows::nothing());
            match save_draft(self.db.pool(), &after, before.row_version, &effects, now).await {
                Ok(true) => return Ok(response),
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "questionnaire" }).await
    }

    /// Freezes a draft as the next version. Four trips: the draft, its content's version if there is one, the programmes whose
    /// policies it must suit, the row.
    pub(crate) async fn publish_questionnaire<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        comparisons: Vec<Comparison>,
        answer: impl Fn(&QuestionnaireVersion) -> A,
    ) -> Result<A> {
        call.for_every_estate()?;
        for _ in 0..TRIES {
            let before = or_repeated!(self, call, load_questionnaire(self.db.pool(), target.id.into()).await);
            if target.etag.is_some_and(|seen| seen != before.row_version) {
                break;
            }
            let content = pb::QuestionnaireContent::decode(before.draft.as_slice()).map_err(Error::internal)?;
            let sha256 = content_address(&before.draft);
            let now = self.clock.now();
            if let Some(known) = find_version(self.db.pool(), before.id, &sha256).await? {
                let response = answer(&known);
                let effects = self.effects(call, &response, Follows::nothing());
                let mut db = self.connection().await?;
                return match effects.try_write(&self.db, &mut db, now).await {
                    Ok(()) => Ok(response),
                    Err(error) => self.failed(call, error).await,
                };
            }
            let mut bad = Violations::new();
            let rules = instrument(&mut bad, "draft", &content);
            for fault in faults(&rules, self.dimensions_demanded(before.id).await?) {
                bad.add(format!("draft.{}", fault.place), "QUESTIONNAIRE_INVALID", fault.description);
            }
            self.check_comparisons(&mut bad, &before, &rules, &comparisons).await?;
            or_repeated!(self, call, bad.finish());
            let version = QuestionnaireVersion {
                id: QuestionnaireVersionId::new(),
                questionnaire_id: before.id,
                code: before.code.clone(),
                version: before.version_count + 1,
                content: before.draft.clone(),
                sha256,
                comparisons: comparisons.clone(),
                publisher: Actor::of(&call.access.principal),
                publish_time: now,
            };
            let response = answer(&version);
            let effects = self.effects(call, &response, Follows::nothing());
            match insert_version(self.db.pool(), &version, before.row_version, &effects, now).await? {
                Ok(true) => return Ok(response),
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "questionnaire" }).await
    }

    /// The most dimensions that a policy demands of a programme which asks this questionnaire (SV-04).
    async fn dimensions_demanded(&self, questionnaire: QuestionnaireId) -> Result<u32> {
        let now = self.clock.now();
        let mut demanded = 0;
        for programme in list_programmes_asking(self.db.pool(), questionnaire).await? {
            let estates = match programme.estate_id {
                Some(estate) => vec![estate],
                None => self.rules.estates.all().await?.iter().map(|estate| estate.id).collect(),
            };
            for estate in estates {
                match self.rules.of(estate, now).await {
                    Ok(rules) => demanded = demanded.max(rules.terms(&programme.code).min_dimensions),
                    // An estate that this service has not heard of holds no waves yet.
                    Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(demanded)
    }

    async fn check_comparisons(
        &self,
        bad: &mut Violations,
        of: &Questionnaire,
        rules: &crate::domain::Instrument,
        comparisons: &[Comparison],
    ) -> Result<()> {
        let ids: BTreeSet<QuestionnaireVersionId> = comparisons.iter().map(|comparison| comparison.earlier_version_id).collect();
        let mut earlier = std::collections::BTreeMap::new();
        for id in ids {
            match load_version(self.db.pool(), id).await {
                Ok(version) if version.questionnaire_id == of.id => drop(earlier.insert(id, self.frozen(id).await?)),
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        for (at, comparison) in comparisons.iter().enumerate() {
            if rules.question(&comparison.question).is_none() {
                bad.add(format!("comparisons[{at}].question_code"), "COMPARISON_UNKNOWN", "the draft has no such question");
            }
            match earlier.get(&comparison.earlier_version_id) {
                None => {
                    bad.add(format!("comparisons[{at}].earlier_version_id"), "COMPARISON_UNKNOWN", "is no version of this questionnaire");
                }
                Some(version) if version.rules.question(&comparison.earlier_question).is_none() => {
                    let description = "the earlier version has no such question";
                    bad.add(format!("comparisons[{at}].earlier_question_code"), "COMPARISON_UNKNOWN", description);
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// What would refuse a content. No trip.
    pub(crate) fn check_questionnaire(content: &pb::QuestionnaireContent, min_dimensions: u32) -> Result<Vec<crate::domain::Fault>> {
        let mut bad = Violations::new();
        let rules = instrument(&mut bad, "content", content);
        bad.finish()?;
        Ok(faults(&rules, min_dimensions))
    }
}
