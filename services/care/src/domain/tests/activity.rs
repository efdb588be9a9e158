//! What an activity allows.

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn activity(state: State) -> Activity {
    let plan = Plan {
        family: ActivityFamily::Young,
        type_code: "run".to_owned(),
        title: "Night run".to_owned(),
        details: String::new(),
        place: "Park gate".to_owned(),
        start_time: at("2026-03-10T10:00:00Z"),
        end_time: at("2026-03-10T12:00:00Z"),
        from_time: at("2026-03-01T00:00:00Z"),
        to_time: at("2026-03-09T00:00:00Z"),
        capacity: 30,
        max_party_size: 2,
        audience: None,
        is_members_only: false,
        is_outdoor: true,
        risks: Vec::new(),
        budget_cents: 0,
        plan_item_id: None,
    };
    let draft = Activity::draft(Uuid::nil(), EstateId::from(Uuid::nil()), plan, "a", at("2026-03-01T00:00:00Z"));
    Activity { state, ..draft }
}

/// CA-87: what is outdoors is not approved without a risk sheet; what is not needs none.
#[test]
fn an_outdoor_activity_needs_its_risks() {
    let mut one = activity(State::Draft);
    assert!(one.approve("b").is_err());
    one.document.plan.risks = vec![Risk { risk: "rain".to_owned(), action: "hall".to_owned(), owner: "steward".to_owned() }];
    assert_eq!(one.approve("b").expect("has risks").state, State::Approved);
    one.document.plan.risks.clear();
    one.document.plan.is_outdoor = false;
    assert!(one.approve("b").is_ok());
}

/// Every verb in every state: the table of the life of an activity.
#[test]
fn a_state_allows_what_the_table_says() {
    let now = at("2026-03-10T11:00:00Z");
    let ahead = at("2026-03-02T00:00:00Z");
    let later = (at("2026-04-01T10:00:00Z"), at("2026-04-01T12:00:00Z"));
    for (state, expected) in [
        (State::Draft, [true, false, false, true, false, false]),
        (State::Approved, [false, true, true, true, false, false]),
        (State::Published, [false, false, true, true, true, true]),
        (State::Closed, [false; 6]),
        (State::Cancelled, [false; 6]),
    ] {
        let mut one = activity(state);
        one.document.plan.is_outdoor = false;
        let found = [
            one.approve("b").is_ok(),
            one.publish(ahead).is_ok(),
            one.reschedule(later.0, later.1, None, "weather", ahead).is_ok(),
            one.cancel("weather").is_ok(),
            one.close(now).is_ok(),
            one.takes(1, ahead).is_ok(),
        ];
        assert_eq!(found, expected, "{state}");
    }
}

#[test]
fn the_window_of_registration_is_half_open_and_a_party_has_its_limit() {
    let one = activity(State::Published);
    for (time, party, holds) in [
        ("2026-02-28T23:59:59Z", 1, false),
        ("2026-03-01T00:00:00Z", 2, true),
        ("2026-03-08T23:59:59Z", 1, true),
        ("2026-03-09T00:00:00Z", 1, false),
        ("2026-03-02T00:00:00Z", 3, false),
    ] {
        assert_eq!(one.takes(party, at(time)).is_ok(), holds, "{time} {party}");
    }
}
