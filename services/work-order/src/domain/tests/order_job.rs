//! One order of a job.

use super::super::*;
use super::plans::uplift;
use super::story::{CLERK, Story, local, report, staff};

/// Lesson 8: an order that somebody gave to somebody else before its turn came stays with them; so does one that is nobody's.
#[test]
fn an_order_that_moved_on_is_not_taken_back() {
    let story = Story::begin(uplift(), "2026-03-02 09:00", &report(Kind::Repair, "厨房水管爆漏"));
    let (ctx, now) = (&story.world.ctx(), local("2026-03-02 09:05"));
    let task = Task::Reassign { from: "leaver".to_owned(), to: "successor".to_owned() };
    let given = |assignee: &str| {
        let given = Assign { actor: staff(CLERK), assignee: assignee.to_owned(), over_limit_reason: String::new(), roles: Vec::new() };
        let made = assign(&story.order, &given, ctx, now);
        made.expect("is assigned").order
    };
    let outcome = |order: &WorkOrder| do_task(order, &task, &staff(CLERK), ctx, now).map(|made| made.order.assignee);
    assert_eq!(outcome(&given("leaver")), Ok(Some("successor".to_owned())));
    assert_eq!(outcome(&given("another")), Err(MOVED_ON));
    assert_eq!(outcome(&story.order), Err(MOVED_ON));
}
