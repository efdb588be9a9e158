//! Figures that were counted before are those that counting now would give, whatever was written meanwhile, and by whom
//! (`kit-store/docs/rollups.md`).

use sqlx::PgPool;
use steward_harness::Asked;
use steward_harness::rollups::{KeptCounts, without_time};
use steward_kit::ids::EstateId;
use steward_kit::metric::{Owner, metrics};
use steward_proto::metric::v1 as pb;
use steward_proto::notification::v1 as notification;

use crate::consent::{advert, send_advert};
use crate::metrics::{created, definition, march, metrics as service};
use crate::world::{World, eventually, request_id};

/// The board of March, of the estate and another one, held against the rows.
struct Board<'a> {
    world: &'a World,
    db: PgPool,
    other: EstateId,
    seen: Vec<pb::MetricValue>,
}

impl<'a> Board<'a> {
    async fn of(world: &'a World) -> Self {
        let other = EstateId::new();
        world.register_estate(other).await;
        let db = world.database.superuser().await.unwrap();
        let mut board = Self { world, db, other, seen: Vec::new() };
        board.seen = board.shown().await;
        board
    }

    fn kept(&self) -> KeptCounts<'_> {
        KeptCounts { db: &self.db, schema: "notification" }
    }

    async fn shown(&self) -> Vec<pb::MetricValue> {
        let own = metrics().iter().filter(|one| one.owner == Owner::Notification);
        let request = pb::ComputeMetricsRequest {
            estate_ids: [self.world.estate, self.other].iter().map(ToString::to_string).collect(),
            period: march(),
            plan_code: "test".to_owned(),
            definitions: own.map(|one| definition(one.id)).collect(),
            ..Default::default()
        };
        without_time(service(self.world).compute_metrics(self.world.operations().asks(request)).await.unwrap().into_inner().values)
    }

    /// What is shown after a change is what counting from the rows gives, and is another than before; the next change finds spoilt counts.
    async fn follows(&mut self, what: &str) {
        let settled = || async { self.kept().is_settled(self.world.now()).await.then_some(()) };
        eventually("timers are fired", settled).await;
        let shown = self.shown().await;
        assert_ne!(shown, self.seen, "{what} changes something");
        self.kept().forget().await;
        assert_eq!(shown, self.shown().await, "{what}");
        self.seen = shown;
        self.kept().spoil(self.world.estate.as_uuid()).await;
    }

    async fn by_hand(&self, sql: &'static str) {
        let written = sqlx::query(sql).bind(self.world.estate.as_uuid()).execute(&self.db).await.unwrap();
        assert!(written.rows_affected() > 0, "{sql}");
    }
}

/// M8: after every kind of write the board is what the rows say, though each time what was kept before had been spoilt.
#[tokio::test]
async fn a_board_follows_every_write() {
    let world = World::new().await;
    let mut board = Board::of(&world).await;
    board.kept().spoil(world.estate.as_uuid()).await;
    let unchanged = board.shown().await;
    assert_ne!(unchanged, board.seen, "what nobody changed is not counted again");

    world.publish("work_order", [10, 340].map(|ago| created(&world, ago)).into()).await;
    let items = world.items(&world.resident(), 2).await;
    for item in &items {
        world.until_state(&item.message_id, notification::MessageState::Delivered).await;
    }
    board.follows("two messages").await;
    let read = notification::MarkInboxItemsReadRequest { request_id: request_id(), message_ids: vec![items[0].message_id.clone()] };
    world.inbox().mark_inbox_items_read(world.resident().asks(read)).await.unwrap();
    world.until_state(&items[0].message_id, notification::MessageState::Read).await;
    board.follows("one was read").await;
    advert(&world).await;
    assert_eq!(send_advert(&world).await.suppress_reason(), notification::SuppressReason::NoConsent);
    board.follows("one was held back").await;

    board.by_hand("UPDATE notification.messages SET suppress_reason = 'cap' WHERE estate_id = $1 AND state = 'suppressed'").await;
    board.follows("for another reason").await;
    board.by_hand("UPDATE notification.messages SET hand_over_time = hand_over_time + interval '1 hour' WHERE estate_id = $1").await;
    board.follows("later").await;
    board.by_hand("UPDATE notification.messages SET message_class = 'emergency' WHERE estate_id = $1 AND state = 'read'").await;
    board.follows("of another class").await;
    board.by_hand("DELETE FROM notification.messages WHERE estate_id = $1 AND state = 'read'").await;
    board.follows("one is gone").await;
    board.by_hand("UPDATE notification.messages SET create_time = create_time + interval '40 days' WHERE estate_id = $1").await;
    board.follows("of another month").await;
}

/// M8: a board that was counted before is one trip, whatever the number of figures.
#[tokio::test]
async fn what_was_counted_before_is_one_trip() {
    let asked = Asked::default();
    let world = World::noted(&asked).await;
    world.publish("work_order", vec![created(&world, 10)]).await;
    let items = world.items(&world.resident(), 1).await;
    world.until_state(&items[0].message_id, notification::MessageState::Delivered).await;
    let board = Board::of(&world).await;
    board.shown().await;
    asked.take();
    board.shown().await;
    let sent = asked.take();
    let counted = sent.iter().filter(|sql| sql.contains("figure_tallies") || sql.contains("notification.messages"));
    assert_eq!(counted.count(), 1, "{sent:#?}");
}
