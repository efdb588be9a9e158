//! A mail as it arrived.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};

/// One accepted mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Header and body, exactly as sent, lines ended by LF.
    pub data: String,
}

impl Mail {
    /// The mails that a sink kept in a folder, oldest first. Their envelopes were not kept.
    pub fn kept_in(dir: &Path) -> Result<Vec<Self>> {
        let mut files: Vec<_> = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "eml"));
        files.sort();
        let read = |file: PathBuf| fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()));
        files.into_iter().map(|file| Ok(Self { from: String::new(), to: Vec::new(), data: read(file)? })).collect()
    }

    /// The value of a header field, unfolded, encoded words decoded.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.data.split("\n\n").next()?;
        let mut value: Option<String> = None;
        for line in head.lines() {
            if let Some(found) = &mut value {
                match line.strip_prefix([' ', '\t']) {
                    Some(more) => {
                        found.push(' ');
                        found.push_str(more.trim());
                        continue;
                    }
                    None => break,
                }
            }
            if let Some((field, rest)) = line.split_once(':')
                && field.eq_ignore_ascii_case(name)
            {
                value = Some(rest.trim().to_owned());
            }
        }
        value.map(|text| decode_words(&text))
    }

    /// The subject, readable.
    pub fn subject(&self) -> String {
        self.header("Subject").unwrap_or_default()
    }

    /// The whole text with its transfer encodings (base64, quoted-printable) taken off, so that a test can look for words in it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut encoding = String::new();
        let mut block = String::new();
        for line in self.data.lines() {
            let lower = line.to_ascii_lowercase();
            if let Some(name) = lower.strip_prefix("content-transfer-encoding:") {
                flush(&mut text, &mut block, &encoding);
                name.trim().clone_into(&mut encoding);
            } else if line.starts_with("--") {
                flush(&mut text, &mut block, &encoding);
                encoding.clear();
            } else {
                block.push_str(line);
                block.push('\n');
            }
        }
        flush(&mut text, &mut block, &encoding);
        text
    }
}

fn flush(text: &mut String, block: &mut String, encoding: &str) {
    let block = std::mem::take(block);
    match encoding {
        "base64" => {
            // Header lines of the same part stand before the empty line.
            let (head, body) = block.split_once("\n\n").unwrap_or(("", &block));
            let body: String = body.split_whitespace().collect();
            text.push_str(head);
            text.push('\n');
            text.push_str(&STANDARD.decode(&body).map_or(body, |bytes| String::from_utf8_lossy(&bytes).into_owned()));
        }
        "quoted-printable" => text.push_str(&quoted_printable(&block.replace("=\n", ""))),
        _plain => text.push_str(&block),
    }
    text.push('\n');
}

/// `=?utf-8?b?5LqL?=` and `=?utf-8?q?=E4?=` words in a header.
fn decode_words(text: &str) -> String {
    // White space between two encoded words is not part of the text.
    let words = text.replace("?= =?", "?==?");
    let mut out = String::new();
    let mut rest = words.as_str();
    while let Some((before, after)) = rest.split_once("=?") {
        out.push_str(before);
        let mut parts = after.splitn(3, '?');
        let (Some(_charset), Some(kind), Some(tail)) = (parts.next(), parts.next(), parts.next()) else { break };
        let Some((word, next)) = tail.split_once("?=") else { break };
        match kind {
            "b" | "B" => {
                out.push_str(&STANDARD.decode(word).map_or_else(|_| word.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned()))
            }
            _quoted => out.push_str(&quoted_printable(&word.replace('_', " "))),
        }
        rest = next;
    }
    out.push_str(rest);
    out
}

fn quoted_printable(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'=').then(|| after.get(..2)).flatten();
        let decoded = code.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(decoded.unwrap_or(first));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
