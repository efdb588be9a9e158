//! Fuzz targets: whatever stands in the bytes, a parser answers, and what it says holds its laws.
//!
//! Built for the stable toolchain: inputs come from a corpus by mutation, from a seed, for as long as one likes. No coverage guides
//! them, so every corpus holds a word of each construct that the parser knows, and mutations splice words of the corpus into each other.

mod targets;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use crate::chance::Chance;

pub use targets::all;

/// Tries one input: an error is a broken law, in words.
pub type Trial = Box<dyn Fn(&[u8]) -> Result<(), String>>;

/// A parser under test.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Inputs to begin with.
    pub corpus: Vec<Vec<u8>>,
    /// Parses, and looks whether what came out may come out. An error is a broken law; a refusal by the parser is none.
    pub run: Trial,
}

/// What a run came to.
#[derive(Debug)]
pub struct Fuzzed {
    /// Inputs tried.
    pub inputs: u64,
    /// The first input that broke something, made as short as it could be made, and what broke.
    pub broken: Option<(Vec<u8>, String)>,
}

/// Longest input that is made.
const LONGEST: usize = 4 << 10;

/// Feeds a target for so long, or until it breaks.
pub fn fuzz(target: &Target, seed: u64, lasting: Duration) -> Fuzzed {
    let (begun, mut chance, mut inputs) = (Instant::now(), Chance::new(seed), 0);
    for input in &target.corpus {
        inputs += 1;
        if let Err(why) = attempt(target, input) {
            return Fuzzed { inputs, broken: Some((input.clone(), why)) };
        }
    }
    while begun.elapsed() < lasting {
        let input = mutated(target, &mut chance);
        inputs += 1;
        if attempt(target, &input).is_err() {
            let shortest = shortened(target, input);
            let why = attempt(target, &shortest).err().unwrap_or_default();
            return Fuzzed { inputs, broken: Some((shortest, why)) };
        }
    }
    Fuzzed { inputs, broken: None }
}

fn attempt(target: &Target, input: &[u8]) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panicked: {}", said.unwrap_or_default()))
    })
}

fn mutated(target: &Target, chance: &mut Chance) -> Vec<u8> {
    let mut input = chance.pick(&target.corpus).clone();
    for _ in 0..=chance.below(5) {
        let (from, to) = (chance.below(input.len() + 1), chance.below(input.len() + 1));
        let (from, to) = (from.min(to), from.max(to));
        match chance.below(8) {
            0 => {
                if let Some(byte) = input.get_mut(from) {
                    *byte = chance.roll().to_le_bytes()[0];
                }
            }
            1 => {
                if let Some(byte) = input.get_mut(from) {
                    *byte ^= 1 << chance.below(8);
                }
            }
            2 => drop(input.drain(from..to.min(from + 16))),
            3 => drop(input.splice(from..from, chance.roll().to_le_bytes().into_iter().take(1 + chance.below(8)))),
            4 => {
                let other = chance.pick(&target.corpus);
                let piece = other.get(chance.below(other.len() + 1)..).unwrap_or_default();
                let piece: Vec<u8> = piece.iter().copied().take(1 + chance.below(24)).collect();
                drop(input.splice(from..to, piece));
            }
            5 => {
                let piece = input.get(from..to).unwrap_or_default().to_vec();
                drop(input.splice(to..to, piece));
            }
            6 => {
                const WORDS: [&[u8]; 12] =
                    [b"\0", b"\"", b"\"\"", b"\r\n", b",", b"99999999999999999999", b"-1", b".", b"\xff\xfe", "界".as_bytes(), b"@", b"0"];
                drop(input.splice(from..from, chance.pick(&WORDS).iter().copied()));
            }
            _ => input.truncate(to),
        }
    }
    input.truncate(LONGEST);
    input
}

/// Takes away what is not needed to break it.
fn shortened(target: &Target, mut input: Vec<u8>) -> Vec<u8> {
    let mut piece = input.len() / 2;
    while piece > 0 {
        let mut at = 0;
        while at < input.len() {
            let mut shorter = input.clone();
            shorter.drain(at..(at + piece).min(shorter.len()));
            match attempt(target, &shorter) {
                Err(_) => input = shorter,
                Ok(()) => at += piece,
            }
        }
        piece /= 2;
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_a_parser_is_found_and_made_short() {
        let target = Target {
            name: "a parser that knows no seven",
            corpus: vec![b"a long line of 1, 2, 3, 4, 5, 6 and 8".to_vec(), b"7".to_vec()[..0].to_vec()],
            run: Box::new(|input| if input.contains(&b'7') { Err("seven".to_owned()) } else { Ok(()) }),
        };
        let fuzzed = fuzz(&target, 1, Duration::from_secs(5));
        assert_eq!(fuzzed.broken, Some((b"7".to_vec(), "seven".to_owned())));
    }
}
