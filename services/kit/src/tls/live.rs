//! What was made of files, and is made anew when they change.

use std::fmt;
use std::sync::{Arc, LazyLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use super::files::Contents;
use super::{Certificate, Files, Material};
use crate::telemetry::{self, Counter, Gauge};

static EXPIRES: LazyLock<Gauge> = LazyLock::new(|| {
    telemetry::gauge("steward_certificate_expiry_timestamp_seconds", "when the certificate in use ends, in seconds since 1970")
});
static RELOADS: LazyLock<Counter> =
    LazyLock::new(|| telemetry::counter("steward_certificate_reloads", "looks at the certificate's files that found something new"));

/// How long a change must have been still before it is believed: a cert and a key are two files.
const SETTLES_WITHIN: Duration = Duration::from_millis(100);

/// Which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// What callers see.
    Serving,
    /// What peers see.
    Calling,
}

impl Side {
    fn as_str(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Calling => "calling",
        }
    }
}

/// The `T` of the files as they are now.
pub(crate) struct Live<T> {
    side: Side,
    files: Files,
    make: fn(&Material) -> anyhow::Result<T>,
    current: RwLock<Arc<T>>,
}

impl<T: Send + Sync + 'static> Live<T> {
    /// Makes a `T` now, and again whenever the files change, for as long as somebody holds it.
    ///
    /// # Errors
    /// The files do not hold what they should.
    pub(super) fn start(side: Side, files: Files, every: Duration, make: fn(&Material) -> anyhow::Result<T>) -> anyhow::Result<Arc<Self>> {
        let contents = files.read()?;
        let material = contents.parse()?;
        let live = Arc::new(Self { side, files, make, current: RwLock::new(Arc::new(make(&material)?)) });
        if let Some(own) = &material.own {
            live.note_expiry(&own.certificate);
        }
        #[expect(clippy::disallowed_methods, reason = "ends when the last holder lets go; there is nothing to drain")]
        tokio::spawn(watch(Arc::downgrade(&live), Ok(contents), every));
        Ok(live)
    }

    /// What holds now. A connection takes it once, when it begins.
    pub(crate) fn current(&self) -> Arc<T> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, contents: &Contents) -> anyhow::Result<()> {
        let material = contents.parse()?;
        let made = Arc::new((self.make)(&material)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = made;
        let own = material.own.as_ref().map(|own| &own.certificate);
        let (expires, names) = own.map(|own| (own.expires.to_string(), own.names.join(" "))).unwrap_or_default();
        tracing::info!(side = self.side.as_str(), expires, names, "the certificate in use was replaced");
        if let Some(own) = own {
            self.note_expiry(own);
        }
        Ok(())
    }

    fn note_expiry(&self, certificate: &Certificate) {
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact in a double")]
        EXPIRES.set(certificate.expires.as_second() as f64, &[("side", self.side.as_str())]);
    }

    fn note(&self, outcome: &'static str) {
        RELOADS.add(1, &[("side", self.side.as_str()), ("outcome", outcome)]);
    }
}

/// Contents, or why they could not be had.
type Look = Result<Contents, String>;

async fn look(files: Files) -> Look {
    let read = tokio::task::spawn_blocking(move || files.read().map_err(|error| format!("{error:#}")));
    read.await.unwrap_or_else(|_| Err("the files could not be looked at".into()))
}

async fn watch<T: Send + Sync + 'static>(live: Weak<Live<T>>, mut seen: Look, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(files) = live.upgrade().map(|live| live.files.clone()) else { return };
        let new = look(files.clone()).await;
        if new == seen {
            continue;
        }
        // Two looks that agree: not between the swap of the one file and of the other.
        tokio::time::sleep(every.min(SETTLES_WITHIN)).await;
        if look(files).await != new {
            continue;
        }
        let Some(live) = live.upgrade() else { return };
        let outcome = match &new {
            Ok(contents) => live.replace(contents).map_err(|error| format!("{error:#}")),
            Err(cause) => Err(cause.clone()),
        };
        match outcome {
            Ok(()) => live.note("replaced"),
            Err(cause) => {
                tracing::error!(side = live.side.as_str(), cause, "the new certificate cannot be used, the one in use stays");
                live.note("refused");
            }
        }
        seen = new;
    }
}

impl<T> fmt::Debug for Live<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Live").field("side", &self.side).field("files", &self.files).finish_non_exhaustive()
    }
}
