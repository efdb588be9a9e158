//! The stream of an import: now, and at each change. It looks once a second, so that it sees what any replica does and asks
//! no more of Postgres than that.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use steward_kit::auth::Access;
use steward_proto::customer::v1 as pb;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::encode;
use crate::app::App;
use crate::domain::estate_import::{EstateImport, ImportState};

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the stream does next.
enum Next {
    Show(EstateImport),
    LookAfter(EstateImport),
    End,
}

/// The import from now on, until it ends or waits for a person.
pub(super) fn import(
    app: Arc<App>,
    access: Access,
    first: EstateImport,
    shutdown: CancellationToken,
) -> BoxStream<'static, Result<pb::WatchEstateImportResponse, Status>> {
    stream::unfold(Next::Show(first), move |mut next| {
        let (app, access, shutdown) = (Arc::clone(&app), access.clone(), shutdown.clone());
        async move {
            loop {
                next = match next {
                    Next::End => return None,
                    Next::Show(import) => {
                        let shown = pb::WatchEstateImportResponse { import: Some(encode::estate_import(&import)) };
                        let then = if moves(import.state) { Next::LookAfter(import) } else { Next::End };
                        return Some((Ok(shown), then));
                    }
                    Next::LookAfter(seen) => {
                        // When the process ends, so does the stream; the caller watches again, at another replica.
                        shutdown.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await?;
                        match app.get_estate_import(&access, seen.id).await {
                            Ok(now) if now.row_version == seen.row_version => Next::LookAfter(seen),
                            Ok(now) => Next::Show(now),
                            Err(error) => return Some((Err(error.into()), Next::End)),
                        }
                    }
                }
            }
        }
    })
    .boxed()
}

/// Whether more is to come without a person deciding something.
fn moves(state: ImportState) -> bool {
    match state {
        ImportState::Receiving | ImportState::Planning | ImportState::Applying => true,
        ImportState::Planned
        | ImportState::Paused
        | ImportState::Applied
        | ImportState::Failed
        | ImportState::Cancelled
        | ImportState::Expired => false,
    }
}
