//! The movable clock of a development stack: one file, eight bytes, read at every `now()`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::{LONGEST_SLEEP, machine_now, remaining, whole_microseconds};

/// How often the watcher looks at the file for sleepers to wake. `now()` itself never waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(4);

/// The launcher's side of [`super::Clock::shared`]: makes the file and moves it. The file holds the offset from the
/// machine's clock in milliseconds, as a little-endian `i64`.
#[derive(Debug)]
pub struct SharedClock {
    file: File,
}

impl SharedClock {
    /// Opens the file at `path`, or makes it with offset 0. An offset that is already there is kept, so that a stack
    /// that is started again does not fall back in time.
    ///
    /// # Errors
    /// The file cannot be made or written.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if file.metadata()?.len() < 8 {
            file.write_all_at(&0i64.to_le_bytes(), 0)?;
        }
        Ok(Self { file })
    }

    /// The present offset from the machine's clock.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn offset(&self) -> io::Result<SignedDuration> {
        read_offset(&self.file).map(SignedDuration::from_millis)
    }

    /// Moves every process of the stack by `span` (whole milliseconds) and returns the new offset.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn advance(&self, span: SignedDuration) -> io::Result<SignedDuration> {
        let millis = i64::try_from(span.as_millis()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let offset = read_offset(&self.file)?.saturating_add(millis);
        // One write of eight aligned bytes: a reader sees the old offset or the new one.
        self.file.write_all_at(&offset.to_le_bytes(), 0)?;
        Ok(SignedDuration::from_millis(offset))
    }

    /// Sets the offset.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn set_offset(&self, offset: SignedDuration) -> io::Result<()> {
        self.advance(offset - self.offset()?).map(drop)
    }
}

fn read_offset(file: &File) -> io::Result<i64> {
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(i64::from_le_bytes(bytes))
}

/// The reading side: the file, and the channel that tells sleepers of a move.
#[derive(Debug)]
pub(super) struct Watched {
    file: File,
    moved: watch::Sender<i64>,
}

impl Watched {
    pub(super) fn open(path: &Path) -> io::Result<Arc<Self>> {
        let file = File::open(path)?;
        let offset = read_offset(&file)?;
        let clock = Arc::new(Self { file, moved: watch::Sender::new(offset) });
        let watched = Arc::downgrade(&clock);
        // A thread and not a task: the clock may be made before there is a runtime, and outlive one.
        std::thread::Builder::new().name("clock-watch".into()).spawn(move || watch_file(&watched))?;
        Ok(clock)
    }

    pub(super) fn now(&self) -> Timestamp {
        // An unreadable file leaves the last offset seen: a clock that jumps back to real time would fire nothing
        // wrong, but would confuse whoever is looking.
        let offset = read_offset(&self.file).unwrap_or(*self.moved.borrow());
        let now = machine_now();
        now.checked_add(SignedDuration::from_millis(offset)).map_or(now, whole_microseconds)
    }

    pub(super) async fn sleep_until(&self, instant: Timestamp) {
        // Subscribed before the first look, so that a move between the look and the sleep is not missed.
        let mut moved = self.moved.subscribe();
        while let Some(remaining) = remaining(self.now(), instant) {
            tokio::select! {
                () = tokio::time::sleep(remaining.min(LONGEST_SLEEP)) => {}
                _ = moved.changed() => {}
            }
        }
    }
}

/// Tells sleepers of a moved offset; ends when the last clone of the clock is gone.
fn watch_file(clock: &Weak<Watched>) {
    while let Some(clock) = clock.upgrade() {
        if let Ok(offset) = read_offset(&clock.file) {
            clock.moved.send_if_modified(|seen| std::mem::replace(seen, offset) != offset);
        }
        drop(clock);
        std::thread::sleep(LOOK_EVERY);
    }
}
