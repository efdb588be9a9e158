//! The logs of all processes as one stream, each line under its process's name.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
    time::Duration,
};

use anyhow::Result;
use steward_dev::say::{self, Colour};
use tokio_util::sync::CancellationToken;

use super::files::Files;

/// Hues that tell neighbours apart.
const HUES: [Colour; 5] = [Colour::Cyan, Colour::Magenta, Colour::Blue, Colour::Green, Colour::Yellow];

/// How soon a new line is shown.
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// Prints what is written to the logs from now on, until `stop`.
pub async fn follow(files: &Files, names: &[&str], stop: CancellationToken) -> Result<()> {
    let mut tails: Vec<_> =
        names.iter().zip(HUES.into_iter().cycle()).map(|(name, hue)| Tail::at_end(name, hue, files.log(name))).collect();
    while !stop.is_cancelled() {
        for tail in &mut tails {
            tail.print_news();
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    Ok(())
}

/// The last lines of a log, for a process that did not start.
pub(super) fn last_lines(files: &Files, name: &str, count: usize) -> String {
    let text = std::fs::read_to_string(files.log(name)).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

struct Tail {
    label: String,
    file: PathBuf,
    position: u64,
    /// What of a line is there so far.
    rest: String,
}

impl Tail {
    fn at_end(name: &str, hue: Colour, file: PathBuf) -> Self {
        let position = std::fs::metadata(&file).map_or(0, |meta| meta.len());
        Self { label: say::paint(hue, &format!("{name:<13}")), file, position, rest: String::new() }
    }

    fn print_news(&mut self) {
        // A log that is not there yet, or cannot be read now, has no news.
        let Ok(bytes) = self.read() else { return };
        self.rest.push_str(&String::from_utf8_lossy(&bytes));
        while let Some((line, rest)) = self.rest.split_once('\n') {
            say::line(format!("{} {line}", self.label));
            self.rest = rest.to_owned();
        }
    }

    fn read(&mut self) -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(self.position))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        self.position += bytes.len() as u64;
        Ok(bytes)
    }
}
