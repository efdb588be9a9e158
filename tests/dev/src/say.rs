//! Everything the launcher prints. Colour only on a terminal; progress on stderr's neighbour stdout, line by line, so that a CI log reads
//! like a terminal.
#![expect(clippy::print_stdout, reason = "a command-line tool talks on stdout; this module is the only place that does")]

use std::{cell::RefCell, io::IsTerminal, sync::OnceLock, time::Duration};

thread_local! {
    /// What this thread says, when it is kept for later.
    static KEPT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps what `work` says on this thread, so that two who work at once do not talk into each other.
pub fn kept<T>(work: impl FnOnce() -> T) -> (T, String) {
    KEPT.set(Some(String::new()));
    let outcome = work();
    (outcome, KEPT.take().unwrap_or_default())
}

fn put(text: &str) {
    let is_kept = KEPT.with_borrow_mut(|kept| kept.as_mut().map(|kept| kept.extend([text, "\n"])).is_some());
    if !is_kept {
        println!("{text}");
    }
}

/// An ANSI colour of a printed word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Good news.
    Green,
    /// Bad news.
    Red,
    /// Something to look at.
    Yellow,
    /// Names and headings.
    Cyan,
    /// Names, second hue.
    Magenta,
    /// Names, third hue.
    Blue,
    /// Less important.
    Grey,
    /// Titles.
    Bold,
}

/// Whether stdout is a terminal that wants colour.
pub fn is_colourful() -> bool {
    static COLOURFUL: OnceLock<bool> = OnceLock::new();
    *COLOURFUL.get_or_init(|| std::io::stdout().is_terminal() && crate::workspace::variable("NO_COLOR").is_none())
}

/// The text in a colour, or plain when nobody would see it.
pub fn paint(colour: Colour, text: &str) -> String {
    if !is_colourful() {
        return text.to_owned();
    }
    let code = match colour {
        Colour::Green => "32",
        Colour::Red => "31",
        Colour::Yellow => "33",
        Colour::Cyan => "36",
        Colour::Magenta => "35",
        Colour::Blue => "34",
        Colour::Grey => "90",
        Colour::Bold => "1",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// A plain line.
pub fn line(text: impl AsRef<str>) {
    put(text.as_ref());
}

/// The heading of a step.
pub fn step(text: impl AsRef<str>) {
    put(&format!("{} {}", paint(Colour::Cyan, "==>"), paint(Colour::Bold, text.as_ref())));
}

/// A detail under a step.
pub fn detail(text: impl AsRef<str>) {
    put(&format!("    {}", text.as_ref()));
}

/// Something done, with its time.
pub fn done(text: impl AsRef<str>, took: Duration) {
    put(&format!("    {} {} {}", paint(Colour::Green, "ok"), text.as_ref(), paint(Colour::Grey, &format!("({})", seconds(took)))));
}

/// Something to look at that is not fatal.
pub fn warning(text: impl AsRef<str>) {
    put(&format!("{} {}", paint(Colour::Yellow, "note:"), text.as_ref()));
}

/// Something that failed.
pub fn failure(text: impl AsRef<str>) {
    put(&format!("{} {}", paint(Colour::Red, "failed:"), text.as_ref()));
}

/// `0.4 s`, `38 s`, `3 min 05 s`.
pub fn seconds(took: Duration) -> String {
    let whole = took.as_secs();
    match whole {
        0..10 => format!("{:.1} s", took.as_secs_f64()),
        10..60 => format!("{whole} s"),
        _ => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_printed_for_people() {
        assert_eq!(seconds(Duration::from_millis(440)), "0.4 s");
        assert_eq!(seconds(Duration::from_secs(38)), "38 s");
        assert_eq!(seconds(Duration::from_secs(185)), "3 min 05 s");
    }

    #[test]
    fn what_is_kept_is_this_threads_alone() {
        let ((), kept) = self::kept(|| {
            line("mine");
            std::thread::scope(|scope| scope.spawn(|| assert_eq!(self::kept(|| line("theirs")).1, "theirs\n")).join().unwrap());
            detail("too");
        });
        assert_eq!(kept, "mine\n    too\n");
    }
}
