//! Tags. A create is one trip, a change two.

use prost::Message;
use steward_kit::predicate::Compiled;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::{App, Call, Target};
use crate::domain::ids::TagId;
use crate::domain::segment::{Tag, TagChange, TagState, must_not_ask_tags};
use crate::store::tag_rows::{find_tag, insert_tag, list_tags, update_tag};

/// A tag to create.
#[derive(Debug, Clone)]
pub(crate) struct NewTag {
    pub(crate) code: String,
    pub(crate) change: TagChange,
    pub(crate) rule: Compiled,
}

impl App {
    pub(crate) async fn create_tag<R: Message + Default>(&self, call: &Call<'_, Tag, R>, new: NewTag) -> Result<R> {
        must_not_ask_tags(&new.rule)?;
        self.transact(call, "tag", None, || async {
            let now = self.clock.now();
            let NewTag { code, change, rule: _ } = new.clone();
            let tag = Tag {
                id: TagId::new(),
                code,
                name_zh: change.name_zh,
                name_en: change.name_en,
                state: TagState::Active,
                version: 1,
                predicate: change.predicate,
                row_version: 1,
                create_time: now,
                update_time: now,
            };
            let answer = (call.answer)(&tag);
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            let written = insert_tag(self.db.pool(), &tag, &call.access.principal.subject, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }

    /// New names and rule, or with `None` retirement.
    pub(crate) async fn change_tag<R: Message + Default>(
        &self,
        call: &Call<'_, Tag, R>,
        target: Target<TagId>,
        change: Option<(TagChange, Compiled)>,
    ) -> Result<R> {
        if let Some((_, rule)) = &change {
            must_not_ask_tags(rule)?;
        }
        self.transact(call, "tag", target.etag, || async {
            let now = self.clock.now();
            let before = self.get_tag(target.id).await?;
            target.check("tag", before.row_version)?;
            let after = match &change {
                Some((change, _)) => before.changed(change.clone(), now)?,
                None => before.retired(now)?,
            };
            let answer = (call.answer)(&after);
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            let written = update_tag(self.db.pool(), &after, &call.access.principal.subject, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }

    pub(crate) async fn get_tag(&self, id: TagId) -> Result<Tag> {
        find_tag(self.db.pool(), id).await?.ok_or_else(|| Error::not_found("tag", id))
    }

    pub(crate) async fn list_tags(&self, state: Option<TagState>, after: Option<&str>, limit: i64) -> Result<Vec<Tag>> {
        list_tags(self.db.pool(), state, after, limit).await
    }
}
