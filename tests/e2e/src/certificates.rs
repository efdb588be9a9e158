//! The certificates of a sealed house: one for each room, and who may call whom.

use std::{ffi::OsString, path::Path};

use anyhow::Result;
use steward_harness::certificates::{Authority, Mount};

use crate::Room;

/// Who may call a room, as in `services/kit/docs/tls.md`.
fn callers(room: Room) -> &'static [Room] {
    match room {
        Room::Customer => &[Room::Gateway, Room::WorkOrder, Room::Notification, Room::Survey, Room::Care],
        Room::Notification => &[Room::Gateway, Room::Survey, Room::Care],
        Room::WorkOrder | Room::Survey | Room::Care => &[Room::Gateway],
        Room::Gateway => &[],
    }
}

/// The name in a room's certificate.
fn name(room: Room) -> String {
    format!("spiffe://steward/{}", room.name())
}

/// What a room is told: where its certificate is, whom to believe, and, unless it is the gateway, whom to let in.
pub(crate) fn settings(room: Room, authority: &Authority, dir: &Path) -> Result<Vec<(String, OsString)>> {
    let mut mount = Mount::new(dir.join(format!("{}.tls", room.name())))?;
    mount.swap(&authority.issue(&["localhost", name(room).as_str()])?, authority.pem())?;
    let calling = [("CALL_CERT_FILE", "tls.crt"), ("CALL_KEY_FILE", "tls.key"), ("CALL_CA_FILE", "ca.crt")];
    let serving = [("TLS_CERT_FILE", "tls.crt"), ("TLS_KEY_FILE", "tls.key"), ("TLS_CALLER_CA_FILE", "ca.crt")];
    let serving = serving.into_iter().filter(|_| room != Room::Gateway);
    let files = calling.into_iter().chain(serving).map(|(setting, file)| (setting.to_owned(), mount.file(file).into_os_string()));
    let callers: Vec<String> = callers(room).iter().copied().map(name).collect();
    let callers = (!callers.is_empty()).then(|| ("TLS_CALLERS".to_owned(), callers.join(",").into()));
    Ok(files.chain(callers).collect())
}
