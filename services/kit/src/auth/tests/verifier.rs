use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;
use crate::Error;
use crate::clock::{Clock, ManualClock};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};

async fn setup() -> (TestIssuer, TokenVerifier, ManualClock) {
    let issuer = TestIssuer::start().await;
    let (clock, hand) = Clock::manual(Timestamp::from_second(1_800_000_000).expect("in range"));
    let verifier = TokenVerifier::new(issuer.trusted(), "steward", clock).expect("a verifier");
    (issuer, verifier, hand)
}

fn detail(result: Result<Principal, Error>) -> &'static str {
    match result {
        Err(Error::Unauthenticated { detail }) => detail,
        other => panic!("a refusal was expected, not {other:?}"),
    }
}

#[tokio::test]
async fn a_token_becomes_a_principal() {
    let (issuer, verifier, _) = setup().await;
    let (estate, customer) = (EstateId::new(), CustomerId::new());
    let token = issuer.token(json!({
        "sub": "resident-7", "kind": "customer", "roles": ["resident"], "estates": [estate], "customer_id": customer,
    }));
    let expected = principal(PrincipalKind::Customer, &["resident"], some(estate), Some(customer));
    assert_eq!(verifier.verify(&token).await.expect("holds"), Principal { subject: "resident-7".into(), ..expected });
    let everywhere = verifier.verify(&issuer.token(json!({"estates": "*"}))).await.expect("holds");
    assert_eq!(everywhere.estates, EstateSet::All);
    let nowhere = verifier.verify(&issuer.token(json!({"estates": null}))).await.expect("holds");
    assert_eq!(nowhere.estates, EstateSet::Some(vec![]), "a missing claim is no estate, not every one");
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_refused_for_its_reason() {
    let (issuer, verifier, hand) = setup().await;
    let cases = [
        (json!({"iss": "https://other.test"}), "token's issuer is not trusted"),
        (json!({"aud": "elsewhere"}), "token is for another audience"),
        (json!({"aud": null}), "token lacks a required claim"),
        (json!({"exp": 1_799_999_969}), "token has expired"),
        (json!({"nbf": 1_800_000_031}), "token is not valid yet"),
        (json!({"kind": "robot"}), "token's claims are malformed"),
        (json!({"estates": "some"}), "token's estates are neither ids nor *"),
        (json!({"sub": ""}), "token has no subject"),
    ];
    for (changes, reason) in cases {
        assert_eq!(detail(verifier.verify(&issuer.token(changes.clone())).await), reason, "{changes}");
    }
    assert_eq!(detail(verifier.verify("rubbish").await), "token is not a JWT");

    let token = issuer.token(json!({}));
    verifier.verify(&token).await.expect("holds until 2030");
    hand.advance(SignedDuration::from_hours(24 * 365 * 5));
    assert_eq!(detail(verifier.verify(&token).await), "token has expired", "by the suite's clock");
}

#[tokio::test]
async fn the_algorithm_is_the_keys_and_not_the_tokens() {
    let (issuer, verifier, _) = setup().await;
    verifier.verify(&issuer.token(json!({}))).await.expect("holds");
    // Signed with what everybody knows, the public key, as if it were a shared secret.
    let header = Header { kid: Some("first".into()), ..Header::new(Algorithm::HS256) };
    let claims = json!({"iss": super::issuer::NAME, "aud": "steward", "sub": "x", "kind": "staff", "exp": 1_900_000_000});
    let forged = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(issuer.jwks().as_bytes())).expect("signs");
    assert_eq!(detail(verifier.verify(&forged).await), "token's algorithm is not its key's");

    let mut tampered = issuer.token(json!({}));
    let last = if tampered.ends_with('A') { 'B' } else { 'A' };
    let middle = tampered.rfind('.').expect("has a signature") + 5;
    tampered.replace_range(middle..=middle, &last.to_string());
    assert_eq!(detail(verifier.verify(&tampered).await), "token's signature does not hold");
}

/// Everything that a token says of how it is to be checked is passed over: the key's owner said it.
#[tokio::test]
async fn a_token_cannot_choose_how_it_is_checked() {
    let (issuer, verifier, _) = setup().await;
    let good = issuer.token(json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let header = |header: serde_json::Value| URL_SAFE_NO_PAD.encode(header.to_string());
    let unsigned = [
        format!("{}.{}.", header(json!({"alg": "none", "typ": "JWT", "kid": "first"})), parts[1]),
        format!("{}.{}.{}", header(json!({"alg": "none", "kid": "first"})), parts[1], parts[2]),
        format!("{}.{}.{}", header(json!({"alg": "NONE", "kid": "first"})), parts[1], parts[2]),
    ];
    for token in unsigned {
        assert_eq!(detail(verifier.verify(&token).await), "token is not a JWT", "{token}");
    }
    for alg in ["HS256", "HS384", "HS512", "RS256", "PS256", "ES384", "EdDSA"] {
        let token = format!("{}.{}.{}", header(json!({"alg": alg, "kid": "first"})), parts[1], parts[2]);
        assert_eq!(detail(verifier.verify(&token).await), "token's algorithm is not its key's", "{alg}");
    }
    let nameless = format!("{}.{}.{}", header(json!({"alg": "ES256"})), parts[1], parts[2]);
    assert_eq!(detail(verifier.verify(&nameless).await), "token names no key");

    // Signed by somebody, with their own key in the header and the place where it may be fetched.
    let stranger = TestIssuer::start().await;
    let jwks: serde_json::Value = serde_json::from_str(&stranger.jwks()).expect("JSON");
    let brought = json!({"alg": "ES256", "kid": "first", "jwk": jwks["keys"][0], "jku": stranger.url()});
    let theirs = stranger.token(json!({}));
    let claims = theirs.split('.').nth(1).expect("has claims");
    for token in [theirs.clone(), format!("{}.{claims}.{}", header(brought), theirs.rsplit('.').next().expect("is signed"))] {
        assert_eq!(detail(verifier.verify(&token).await), "token's signature does not hold");
    }
    assert_eq!(stranger.fetches().0, 0, "nobody asked there");
}

/// A set may hold a shared secret, by mistake or for somebody else; nothing is checked by it.
#[tokio::test]
async fn a_shared_secret_in_the_set_checks_nothing() {
    let issuer = TestIssuer::start().await;
    let secret = b"a secret that is thirty-two bytes";
    let mut set: serde_json::Value = serde_json::from_str(&issuer.jwks()).expect("JSON");
    let shared = json!({"kty": "oct", "kid": "shared", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(secret)});
    set["keys"].as_array_mut().expect("a list").push(shared);
    let file = std::env::temp_dir().join(format!("steward-kit-jwks-{}", uuid::Uuid::now_v7()));
    std::fs::write(&file, set.to_string()).expect("writes");
    let trusted = vec![Issuer { name: super::issuer::NAME.into(), keys: JwksSource::File(file.clone()) }];
    let verifier = TokenVerifier::new(trusted, "steward", Clock::system()).expect("a verifier");
    let header = Header { kid: Some("shared".into()), ..Header::new(Algorithm::HS256) };
    let claims = json!({"iss": super::issuer::NAME, "aud": "steward", "sub": "x", "kind": "staff", "exp": 1_900_000_000});
    let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(secret)).expect("signs");
    assert_eq!(detail(verifier.verify(&token).await), "token's key is unknown");
    std::fs::remove_file(file).expect("cleans up");
}

#[tokio::test]
async fn keys_are_fetched_once_for_many_requests() {
    let (issuer, verifier, _) = setup().await;
    let token = issuer.token(json!({}));
    let requests = (0..50).map(|_| verifier.verify(&token));
    assert!(futures::future::join_all(requests).await.iter().all(Result::is_ok));
    assert_eq!(issuer.fetches().0, 1);
}

#[tokio::test]
async fn a_rotation_is_followed_and_invented_keys_cost_nothing() {
    let (issuer, verifier, hand) = setup().await;
    let old = issuer.token(json!({}));
    verifier.verify(&old).await.expect("holds");
    issuer.rotate_to("second");
    let new = issuer.token(json!({}));
    assert_eq!(detail(verifier.verify(&new).await), "token's key is unknown", "asked a moment ago");
    assert_eq!(issuer.fetches().0, 1);

    hand.advance(SignedDuration::from_secs(11));
    verifier.verify(&new).await.expect("the new key was fetched");
    assert_eq!(issuer.fetches().0, 2);
    for _ in 0..20 {
        assert_eq!(detail(verifier.verify(&old).await), "token's key is unknown");
    }
    assert_eq!(issuer.fetches().0, 2, "an unknown key does not make us ask again at once");
}

#[tokio::test]
async fn a_set_grows_stale_and_is_confirmed_by_its_etag() {
    let (issuer, verifier, hand) = setup().await;
    let token = issuer.token(json!({}));
    verifier.verify(&token).await.expect("holds");
    hand.advance(SignedDuration::from_secs(61));
    verifier.verify(&token).await.expect("holds");
    assert_eq!(issuer.fetches(), (2, 1));
}

#[tokio::test]
async fn the_last_good_set_outlives_its_issuer() {
    let (issuer, verifier, hand) = setup().await;
    let token = issuer.token(json!({}));
    issuer.set_down(true);
    assert!(matches!(verifier.verify(&token).await, Err(Error::Unavailable { .. })), "no set was ever seen");
    issuer.set_down(false);
    verifier.verify(&token).await.expect("holds");
    issuer.set_down(true);
    hand.advance(SignedDuration::from_secs(3600));
    verifier.verify(&token).await.expect("still holds");
    assert_eq!(issuer.fetches().0, 3);
}

#[tokio::test]
async fn keys_may_come_from_a_file() {
    let issuer = TestIssuer::start().await;
    let file = std::env::temp_dir().join(format!("steward-kit-jwks-{}", uuid::Uuid::now_v7()));
    std::fs::write(&file, issuer.jwks()).expect("writes");
    let trusted = vec![Issuer { name: super::issuer::NAME.into(), keys: JwksSource::File(file.clone()) }];
    let verifier = TokenVerifier::new(trusted, "steward", Clock::system()).expect("a verifier");
    verifier.verify(&issuer.token(json!({}))).await.expect("holds");
    assert_eq!(issuer.fetches().0, 0);
    std::fs::remove_file(file).expect("cleans up");
}
