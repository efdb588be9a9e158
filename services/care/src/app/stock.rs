//! Gifts and materials (CA-45, CA-83). How many are left is decided by the statement that moves, so a claim holds the movement's id alone:
//! the movement stands in the ledger and never changes.

use prost::Message;
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::is_replay;
use steward_kit_store::{Effects, NewEvent, constraint, store_error};
use steward_proto::care::v1 as pb;
use uuid::Uuid;

use super::App;
use super::transact::{Call, TRIES};
use crate::domain::base::precondition;
use crate::domain::community_codes::{StockItemKind, StockMovementKind as Kind};
use crate::domain::ids::{StockItemId, StockMovementId};
use crate::domain::stock::{Item, Movement, Moving};
use crate::store::stock::{
    ISSUED, NewMovement, RETURNED, TOO_FEW, item_of_code, list_items, list_movements, load_item, load_movement, move_stock, put_item,
};

/// What the resource is called.
const ITEM: &str = "stock item";

/// How an item is called.
#[derive(Clone, Debug)]
pub(crate) struct NewItem {
    pub(crate) estate: EstateId,
    pub(crate) code: String,
    pub(crate) name_zh: String,
    pub(crate) name_en: String,
    pub(crate) kind: StockItemKind,
    pub(crate) unit_code: String,
    pub(crate) low_mark: i64,
    pub(crate) etag: Option<i64>,
}

/// How an answer is made of a movement, and the movement's id read out of one: what the claim holds.
pub(crate) struct StockAnswer<F, G> {
    pub(crate) of: F,
    pub(crate) movement_id: G,
}

impl App {
    /// Keeps an item, or changes how it is called. Two trips.
    pub(crate) async fn put_stock_item<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewItem,
        answer: impl Fn(&Item) -> R,
    ) -> Result<R> {
        let estate = call.access.scope.estate(new.estate)?;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let before = item_of_code(self.db.pool(), estate, &new.code).await?;
            if new.etag.is_some_and(|seen| before.as_ref().is_none_or(|before| before.row_version != seen)) {
                break;
            }
            let item = Item {
                id: before.as_ref().map_or_else(|| StockItemId::new().as_uuid(), |before| before.id),
                estate_id: new.estate,
                code: new.code.clone(),
                name_zh: new.name_zh.clone(),
                name_en: new.name_en.clone(),
                // What a thing is does not change: what was issued of it stands by it.
                kind: before.as_ref().map_or(new.kind, |before| before.kind),
                unit_code: new.unit_code.clone(),
                low_mark: new.low_mark,
                on_hand: before.as_ref().map_or(0, |before| before.on_hand),
                movement_count: before.as_ref().map_or(0, |before| before.movement_count),
                row_version: before.as_ref().map_or(1, |before| before.row_version + 1),
                create_time: before.as_ref().map_or(now, |before| before.create_time),
            };
            let response = answer(&item);
            let effects = Effects { claim: self.claim(call, &response), ..Effects::none() };
            match put_item(self.db.pool(), &item, &effects, now).await {
                Ok(true) => return Ok(response),
                Ok(false) if new.etag.is_some() => break,
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: ITEM }).await
    }

    /// Something comes or goes. Two trips.
    pub(crate) async fn move_stock<R: Message + Default>(
        &self,
        call: &Call<'_>,
        item: Uuid,
        moving: Moving,
        answer: StockAnswer<impl Fn(&Movement) -> R + Sync, impl Fn(&R) -> Option<Uuid> + Sync>,
    ) -> Result<R> {
        let item = match self.stock_item(call.access, item).await {
            Ok(item) => item,
            Err(refusal) => return self.moved_before(call, refusal, &answer).await,
        };
        if moving.kind == Kind::Issued
            && let Err(refusal) = moving.check_issue(item.kind)
        {
            return self.moved_before(call, refusal, &answer).await;
        }
        self.moved(call, &item, moving, &answer).await
    }

    /// What was issued comes back. Three trips.
    pub(crate) async fn return_stock<R: Message + Default>(
        &self,
        call: &Call<'_>,
        issue: Uuid,
        reason: &str,
        answer: StockAnswer<impl Fn(&Movement) -> R + Sync, impl Fn(&R) -> Option<Uuid> + Sync>,
    ) -> Result<R> {
        let found = load_movement(self.db.pool(), &call.access.scope, issue).await?;
        let Some(found) = found else { return self.moved_before(call, Error::not_found("stock movement", issue), &answer).await };
        match found.given_back(reason) {
            Ok(moving) => {
                let item = self.stock_item(call.access, found.item_id).await?;
                self.moved(call, &item, moving, &answer).await
            }
            Err(refusal) => self.moved_before(call, refusal, &answer).await,
        }
    }

    async fn moved<R: Message + Default>(
        &self,
        call: &Call<'_>,
        item: &Item,
        moving: Moving,
        answer: &StockAnswer<impl Fn(&Movement) -> R + Sync, impl Fn(&R) -> Option<Uuid> + Sync>,
    ) -> Result<R> {
        let now = self.clock.now();
        let blank = Movement {
            id: StockMovementId::new().as_uuid(),
            item_id: item.id,
            estate_id: item.estate_id,
            number: 0,
            change: 0,
            on_hand: 0,
            actor_subject: call.subject().to_owned(),
            move_time: now,
            moving,
        };
        let plain = Effects { claim: self.claim(call, &(answer.of)(&blank)), ..Effects::none() };
        let fact = pb::StockRanLow { item_id: item.id.to_string(), estate_id: item.estate_id.to_string(), code: item.code.clone() };
        let low = Effects { events: vec![NewEvent::new(item.id, item.estate_id, now, &fact)], ..plain.clone() };
        let new = NewMovement { id: blank.id, item, moving: &blank.moving, actor: call.subject() };
        let refusal = match move_stock(self.db.pool(), new, &plain, &low, now).await {
            Ok(Some(moved)) => {
                self.db.wake(&low);
                return Ok((answer.of)(&Movement { number: moved.number, change: moved.change, on_hand: moved.on_hand, ..blank }));
            }
            Ok(None) => Error::not_found(ITEM, item.id),
            Err(error) if is_replay(&error) => store_error(error),
            Err(error) => match constraint(&error) {
                Some(TOO_FEW) => {
                    let on_hand = self.stock_item(call.access, item.id).await?.on_hand;
                    let detail = format!("there are {on_hand} {} of {}", item.unit_code, item.code);
                    precondition("STOCK_INSUFFICIENT", format!("{ITEM} {}", item.id), detail).unwrap_or_else(|refusal| refusal)
                }
                Some(ISSUED) => {
                    let detail = "the household was given this for the same occasion";
                    Error::already_exists("stock movement", "ALREADY_ISSUED", detail)
                }
                Some(RETURNED) => precondition("ALREADY_RETURNED", format!("{ITEM} {}", item.id), "the issue was given back already")
                    .unwrap_or_else(|refusal| refusal),
                Some(_) | None => store_error(error),
            },
        };
        self.moved_before(call, refusal, answer).await
    }

    /// The movement that the request made, if it came before; else the refusal. Two trips.
    async fn moved_before<R: Message + Default>(
        &self,
        call: &Call<'_>,
        refusal: Error,
        answer: &StockAnswer<impl Fn(&Movement) -> R + Sync, impl Fn(&R) -> Option<Uuid> + Sync>,
    ) -> Result<R> {
        let Some(id) = self.repeated::<R>(call).await?.and_then(|stored| (answer.movement_id)(&stored)) else { return Err(refusal) };
        let found = load_movement(self.db.pool(), &call.access.scope, id).await?;
        Ok((answer.of)(&found.ok_or(refusal)?))
    }

    /// One item. One trip.
    pub(crate) async fn stock_item(&self, access: &Access, id: Uuid) -> Result<Item> {
        load_item(self.db.pool(), &access.scope, id).await?.ok_or_else(|| Error::not_found(ITEM, id))
    }

    /// A page of an estate's items. One trip.
    pub(crate) async fn list_stock_items(
        &self,
        access: &Access,
        estate: EstateId,
        low_only: bool,
        page: &PageRequest<String>,
    ) -> Result<Vec<Item>> {
        list_items(self.db.pool(), access.scope.estate(estate)?, low_only, page).await
    }

    /// A page of an item's movements. Two trips.
    pub(crate) async fn list_stock_movements(&self, access: &Access, item: Uuid, page: &PageRequest<i64>) -> Result<Vec<Movement>> {
        let item = self.stock_item(access, item).await?;
        list_movements(self.db.pool(), &item, page).await
    }
}
