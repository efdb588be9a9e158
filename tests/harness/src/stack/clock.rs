//! The stack's clock: one file that every process reads, so that all of them move at the same instant.

use anyhow::{Context, Result, bail};
use jiff::SignedDuration;
use steward_kit::clock::SharedClock;

use super::files::Files;

/// Moves the clock of every process forward (or back, which only helps to mend a mistake) and returns the whole offset.
pub fn advance(files: &Files, by: SignedDuration) -> Result<SignedDuration> {
    SharedClock::create(files.clock())?.advance(by).context("moving the clock")
}

/// How far the stack's clock is ahead of the machine's.
pub fn offset(files: &Files) -> Result<SignedDuration> {
    SharedClock::create(files.clock())?.offset().context("reading the clock")
}

/// `+15min`, `90s`, `2h`, `-3d`: a number and a unit of fixed length.
pub fn parse_span(text: &str) -> Result<SignedDuration> {
    let trimmed = text.strip_prefix('+').unwrap_or(text);
    let digits =
        trimmed.strip_prefix('-').unwrap_or(trimmed).bytes().take_while(u8::is_ascii_digit).count() + usize::from(trimmed.starts_with('-'));
    let (number, unit) = trimmed.split_at(digits);
    let number: i64 = number.parse().with_context(|| format!("`{text}` does not begin with a number"))?;
    let seconds = match unit.trim() {
        "s" | "sec" => 1,
        "min" | "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        unknown => bail!("`{unknown}` of `{text}` is not one of s, min, h, d, w"),
    };
    let all = number.checked_mul(seconds).with_context(|| format!("`{text}` is too long"))?;
    Ok(SignedDuration::from_secs(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_with_their_unit() {
        assert_eq!(parse_span("+15min").unwrap(), SignedDuration::from_mins(15));
        assert_eq!(parse_span("3d").unwrap(), SignedDuration::from_hours(72));
        assert_eq!(parse_span("-90s").unwrap(), SignedDuration::from_secs(-90));
        assert!(parse_span("15").is_err());
        assert!(parse_span("min").is_err());
        assert!(parse_span("99999999999999w").is_err());
    }
}
