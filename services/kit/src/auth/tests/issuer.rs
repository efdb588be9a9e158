//! An issuer of tokens: ES256 keys, and a JWKS on a local port.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::auth::{Issuer, JwksSource};

pub(crate) const NAME: &str = "https://id.test";

pub(crate) struct TestIssuer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    keys: Vec<(String, EncodingKey, Value)>,
    fetches: usize,
    not_modified: usize,
    down: bool,
}

impl TestIssuer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State::default()));
        let served = state.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let state = served.clone();
                let answer = hyper::service::service_fn(move |request| std::future::ready(Ok::<_, Infallible>(answer(&request, &state))));
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), answer));
            }
        });
        let issuer = Self { address, state };
        issuer.rotate_to("first");
        issuer
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/jwks", self.address)
    }

    pub(crate) fn trusted(&self) -> Vec<Issuer> {
        vec![Issuer { name: NAME.into(), keys: JwksSource::Url(self.url()) }]
    }

    /// Replaces every key by a new one.
    pub(crate) fn rotate_to(&self, kid: &str) {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).expect("a pair");
        // An uncompressed point: 4, x, y.
        let point = pair.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        let jwk = json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": kid, "x": x, "y": y});
        let key = EncodingKey::from_ec_der(pkcs8.as_ref());
        self.state.lock().expect("not poisoned").keys = vec![(kid.to_owned(), key, jwk)];
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.state.lock().expect("not poisoned").down = down;
    }

    /// How often the keys were asked for, and how often the answer was "not modified".
    pub(crate) fn fetches(&self) -> (usize, usize) {
        let state = self.state.lock().expect("not poisoned");
        (state.fetches, state.not_modified)
    }

    pub(crate) fn jwks(&self) -> String {
        jwks(&self.state.lock().expect("not poisoned"))
    }

    /// A token that holds until 2030, with `changes` over the usual claims.
    pub(crate) fn token(&self, changes: Value) -> String {
        let mut claims = json!({
            "iss": NAME, "aud": "steward", "sub": "staff-1", "kind": "staff", "roles": ["steward"],
            "estates": [], "iat": 1_700_000_000, "exp": 1_900_000_000,
        });
        for (name, value) in changes.as_object().expect("an object") {
            if value.is_null() {
                claims.as_object_mut().expect("an object").remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        let state = self.state.lock().expect("not poisoned");
        let (kid, key, _) = &state.keys[0];
        let header = Header { kid: Some(kid.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, &claims, key).expect("signs")
    }
}

fn jwks(state: &State) -> String {
    json!({"keys": state.keys.iter().map(|(_, _, jwk)| jwk).collect::<Vec<_>>()}).to_string()
}

fn answer(request: &Request<Incoming>, state: &Mutex<State>) -> Response<Full<Bytes>> {
    let mut state = state.lock().expect("not poisoned");
    state.fetches += 1;
    let etag = format!("\"{}\"", state.keys[0].0);
    let answer = Response::builder().header(header::CACHE_CONTROL, "public, max-age=60").header(header::ETAG, &etag);
    if state.down {
        return answer.status(StatusCode::SERVICE_UNAVAILABLE).body(Full::default()).expect("an answer");
    }
    if request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known == etag.as_str()) {
        state.not_modified += 1;
        return answer.status(StatusCode::NOT_MODIFIED).body(Full::default()).expect("an answer");
    }
    answer.body(Full::from(jwks(&state))).expect("an answer")
}
