//! The role × RPC matrix, walked: every role calls every RPC, through the gateway and around it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use http_body_util::Full;
use steward_e2e::{House, Room, rooms_of};
use steward_harness::Claims;
use steward_kit::auth::{Exposure, PermissionTable, PrincipalKind, Roles};
use tonic::{Code, Status, body::Body, transport::Channel};
use tower::{Service as _, ServiceExt as _};

/// Calls that one principal makes.
const CALLS_OF_ONE: usize = 50;

fn claims(name: &str, role: &str, kind: PrincipalKind) -> Claims {
    let customer = uuid::Uuid::now_v7();
    let claims = match kind {
        PrincipalKind::Staff => Claims::staff(name),
        PrincipalKind::Customer => Claims::customer(name, customer),
        PrincipalKind::Service => Claims::service(name),
        PrincipalKind::Device => Claims::device(name),
    };
    claims.role(role).every_estate()
}

/// The status that a call with an empty message is refused with at once; OK when it is let in.
async fn knock(channel: &Channel, path: &str, token: &str) -> Result<Code> {
    let request = http::Request::post(format!("http://house{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::new(Full::new(bytes::Bytes::from_static(&[0; 5]))))?;
    let answer = channel.clone().ready().await?.call(request).await?;
    Ok(Status::from_header_map(answer.headers()).map_or(Code::Ok, |status| status.code()))
}

/// One of them.
pub(crate) fn room_of(path: &str) -> Option<Room> {
    rooms_of(path).first().copied()
}

/// XC-31, GR-24
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_is_let_in_exactly_where_the_matrix_says() -> Result<()> {
    let house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    let gateway = house.gateway().await?;
    let mut rooms = BTreeMap::new();
    for room in Room::ALL {
        rooms.insert(room, Channel::from_shared(house.url(room)?)?.connect().await?);
    }
    let table = PermissionTable::whole_suite()?;
    let roles = Roles::built_in();
    let (mut calls, mut wrong) = (0, Vec::new());
    for (name, role) in roles.iter() {
        let mut token = String::new();
        for (at, (path, rule)) in table.iter().enumerate() {
            // The gateway limits how fast one principal may call; so many call with few calls each.
            if at % CALLS_OF_ONE == 0 {
                token = house.token(claims(&format!("walker.{name}.{at}"), name, role.kind))?;
            }
            let allowed = role.permissions.contains(&rule.permission);
            for room in rooms_of(path) {
                let direct = knock(&rooms[room], path, &token).await.with_context(|| path.to_owned())?;
                if (direct == Code::PermissionDenied) == allowed || direct == Code::Unimplemented {
                    wrong.push(format!("{name} at {path} of {room:?} around the gateway: {direct:?}, allowed: {allowed}"));
                }
            }
            let through = knock(&gateway, path, &token).await.with_context(|| path.to_owned())?;
            let hidden = rule.exposure == Exposure::Internal;
            // Whoever lacks the permission is told so before anything else, whether or not the RPC is shown outside.
            let as_expected = match (allowed, hidden) {
                (false, _) => through == Code::PermissionDenied,
                (true, true) => matches!(through, Code::NotFound | Code::Unimplemented),
                (true, false) => !matches!(through, Code::PermissionDenied | Code::Unauthenticated | Code::Unimplemented),
            };
            if !as_expected {
                wrong.push(format!("{name} at {path} through the gateway: {through:?}, allowed: {allowed}, internal: {hidden}"));
            }
            calls += 1 + rooms_of(path).len();
        }
    }
    assert!(calls > 1000, "the walk made only {calls} calls");
    assert_eq!(wrong, Vec::<String>::new());
    house.close().await
}

/// GR-24
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_let_in_without_a_good_token() -> Result<()> {
    let house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    let now = house.hand.now();
    let staff = || Claims::staff("walker").role("group_operations").every_estate();
    let hour = jiff::SignedDuration::from_hours(1);
    let issuer = steward_harness::Issuer::of_tests();
    let tokens = [
        ("nonsense", "nonsense".to_owned()),
        ("expired", issuer.mint(&staff().valid(now - hour * 2, hour))?),
        ("not yet valid", issuer.mint(&staff().valid(now + hour, hour))?),
        ("of another issuer", issuer.mint(&staff().issued_by("https://elsewhere.example"))?),
        ("for another audience", issuer.mint(&staff().meant_for("elsewhere"))?),
        ("signed with another key", steward_harness::Issuer::generate()?.mint(&staff())?),
        ("unsigned", unsigned(&issuer.mint(&staff())?)?),
    ];
    for room in Room::ALL {
        let channel = Channel::from_shared(house.url(room)?)?.connect().await?;
        let path = a_call_of(room);
        for (what, token) in &tokens {
            let code = knock(&channel, path, token).await?;
            assert_eq!(code, Code::Unauthenticated, "{room:?}, a token {what}");
        }
    }
    house.close().await
}

/// An RPC of the room that group operations may call.
fn a_call_of(room: Room) -> &'static str {
    match room {
        Room::Customer => "/steward.customer.v1.EstateService/ListEstates",
        Room::WorkOrder => "/steward.work_order.v1.WorkOrderService/ListWorkOrders",
        Room::Notification => "/steward.notification.v1.InboxService/ListInboxItems",
        Room::Survey => "/steward.survey.v1.QuestionnaireService/ListQuestionnaires",
        Room::Care => "/steward.care.v1.ProgrammeService/ListProgrammes",
        Room::Gateway => "/steward.gateway.v1.Customer360Service/GetCustomer360",
    }
}

/// The same claims, under a header that says that nothing is signed.
fn unsigned(token: &str) -> Result<String> {
    let claims = token.split('.').nth(1).context("a token has claims")?;
    // {"alg":"none","typ":"JWT"}
    Ok(format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}."))
}

/// The issuer publishes a new key beside the old one, signs with it, and takes the old one away. Nobody restarts, and nobody is
/// refused who should not be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_rotated_while_everything_runs() -> Result<()> {
    let house = House::open("2026-07-14T01:00:00Z".parse()?).await?;
    let (old, new) = (steward_harness::Issuer::of_tests(), steward_harness::Issuer::generate()?);
    let mut doors = Vec::new();
    for room in Room::ALL {
        doors.push((room, Channel::from_shared(house.url(room)?)?.connect().await?, a_call_of(room)));
    }
    let claims = || Claims::staff("walker").role("group_operations").every_estate();
    let (by_old, by_new) = (old.mint(&claims())?, new.mint(&claims())?);
    let let_in = async |token: &str| {
        let mut rooms = Vec::new();
        for (room, channel, path) in &doors {
            if knock(channel, path, token).await? != Code::Unauthenticated {
                rooms.push(*room);
            }
        }
        anyhow::Ok(rooms)
    };
    // Files are read again when they are half a minute old; a key that nobody knows, at most every ten seconds.
    let later = jiff::SignedDuration::from_secs(31);
    assert_eq!((let_in(&by_old).await?, let_in(&by_new).await?), (Room::ALL.to_vec(), vec![]));

    let [mut both, added]: [serde_json::Value; 2] = [serde_json::from_str(old.jwks())?, serde_json::from_str(new.jwks())?];
    both["keys"].as_array_mut().context("a list")?.extend(added["keys"].as_array().context("a list")?.clone());
    house.publish_keys(&both.to_string())?;
    house.hand.advance(later);
    assert_eq!((let_in(&by_old).await?, let_in(&by_new).await?), (Room::ALL.to_vec(), Room::ALL.to_vec()));

    house.publish_keys(new.jwks())?;
    house.hand.advance(later);
    assert_eq!((let_in(&by_old).await?, let_in(&by_new).await?), (vec![], Room::ALL.to_vec()));
    house.close().await
}
