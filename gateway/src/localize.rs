//! Gives every refusal a sentence in the caller's language, from its reason.
//!
//! Services answer in English with a stable reason; what people read in an app is decided here, once, from
//! `data/reasons.yaml`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use tonic_types::StatusExt as _;

const SHIPPED: &str = include_str!("../data/reasons.yaml");

/// Language of a caller who names none.
const DEFAULT_LOCALE: Locale = Locale::ZhCn;

/// A language that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locale {
    /// Simplified Chinese.
    ZhCn,
    /// English.
    En,
}

impl Locale {
    /// The first language of an `accept-language` header that we speak.
    pub fn of(headers: &HeaderMap) -> Self {
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        wanted
            .split(',')
            .filter_map(|part| {
                let tag = part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                if tag.starts_with("zh") {
                    Some(Self::ZhCn)
                } else if tag.starts_with("en") {
                    Some(Self::En)
                } else {
                    None
                }
            })
            .next()
            .unwrap_or(DEFAULT_LOCALE)
    }

    fn tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::En => "en",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    zh: String,
    en: String,
}

/// Sentences by reason.
#[derive(Debug, Clone)]
pub struct Sentences(Arc<BTreeMap<String, Texts>>);

impl Sentences {
    /// The sentences of this release.
    ///
    /// # Errors
    /// The shipped file is not as it should be.
    pub fn shipped() -> Result<Self, serde_yaml_ng::Error> {
        serde_yaml_ng::from_str(SHIPPED).map(|texts| Self(Arc::new(texts)))
    }

    fn of(&self, reason: &str, locale: Locale) -> Option<&str> {
        // A resource of which nothing more can be said than that it is not there.
        let general = || reason.ends_with("_NOT_FOUND").then(|| self.0.get("NOT_FOUND")).flatten();
        let texts = self.0.get(reason).or_else(general)?;
        Some(match locale {
            Locale::ZhCn => &texts.zh,
            Locale::En => &texts.en,
        })
    }
}

/// Adds the sentence to refusals on their way out, in headers or in trailers.
pub async fn localize(State(sentences): State<Sentences>, request: Request, next: Next) -> Response {
    let locale = Locale::of(request.headers());
    let (mut head, body) = next.run(request).await.into_parts();
    add(&sentences, locale, &mut head.headers);
    let body = body.map_frame(move |frame| match frame.into_trailers() {
        Ok(mut trailers) => {
            add(&sentences, locale, &mut trailers);
            http_body::Frame::trailers(trailers)
        }
        Err(frame) => frame,
    });
    Response::from_parts(head, Body::new(body))
}

fn add(sentences: &Sentences, locale: Locale, headers: &mut HeaderMap) {
    let Some(status) = tonic::Status::from_header_map(headers) else { return };
    let mut details = status.get_error_details();
    let Some(text) = details.error_info().and_then(|info| sentences.of(&info.reason, locale)).map(str::to_owned) else {
        return;
    };
    details.set_localized_message(locale.tag(), text);
    // The same refusal again with a sentence added; nothing is decided here.
    let localized = tonic::Status::with_error_details(status.code(), status.message(), details);
    // A status that cannot be written stays as it came.
    let _unchanged_on_error = localized.add_header(headers);
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};
    use steward_kit::error::reason;

    use super::{Locale, SHIPPED, Sentences};

    #[test]
    fn every_reason_of_the_contract_has_a_sentence_in_both_languages() {
        let sentences = Sentences::shipped().expect("the file is valid");
        let declared = steward_proto::descriptor_pool()
            .all_enums()
            .filter(|e| e.name() == "ErrorReason")
            .flat_map(|e| e.values().map(|v| v.name().trim_start_matches("ERROR_REASON_").to_owned()).collect::<Vec<_>>())
            .filter(|name| name != "UNSPECIFIED");
        let general = [
            reason::INVALID_FIELDS,
            reason::NOT_FOUND,
            reason::STALE_ETAG,
            reason::PERMISSION_DENIED,
            reason::UNAUTHENTICATED,
            reason::QUOTA_EXHAUSTED,
            reason::DEPENDENCY_UNAVAILABLE,
            reason::INTERNAL,
            "UNKNOWN_METHOD",
        ];
        let missing: Vec<String> = declared
            .chain(general.map(str::to_owned))
            .filter(|name| [Locale::ZhCn, Locale::En].iter().any(|l| sentences.of(name, *l).is_none_or(str::is_empty)))
            .collect();
        assert_eq!(missing, Vec::<String>::new(), "add them to data/reasons.yaml");
        assert!(SHIPPED.starts_with('#'), "the file says what it is for");
    }

    #[test]
    fn the_first_language_we_speak_is_used() {
        let of = |text| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(text));
            Locale::of(&headers)
        };
        assert_eq!(of("fr, en-GB;q=0.8, zh;q=0.5"), Locale::En);
        assert_eq!(of("zh-TW,en"), Locale::ZhCn);
        assert_eq!(of("fr"), Locale::ZhCn);
        assert_eq!(Locale::of(&HeaderMap::new()), Locale::ZhCn);
    }
}
