//! From bytes to records, by RFC 4180.

use std::borrow::Cow;

/// One record: a row of cells, or what keeps it from being one. Not to be printed: it holds personal data.
pub(super) struct Record {
    /// Its first line.
    pub(super) line: u32,
    pub(super) cells: Result<Vec<String>, Malformed>,
}

/// Why bytes are not a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// A quote is opened and not closed, or closed and not opened.
    Quote,
    /// Not UTF-8.
    Encoding,
}

impl Record {
    /// Only commas, as spreadsheets leave them below the last row.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.as_ref().is_ok_and(|cells| cells.iter().all(|cell| cell.trim().is_empty()))
    }
}

/// Walks over the records of a file. An open quote swallows lines until the next quote, or the rest of the file; so a
/// record over several lines that does not come out even is given up at its first line, and reading goes on with the next.
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    /// Bytes and lines before the place where `reader` began.
    base: (usize, u32),
    record: csv::ByteRecord,
    /// Cells of the header, once it was read.
    width: Option<usize>,
}

impl<'a> Records<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        Self { bytes, reader: reader(bytes), base: (0, 0), record: csv::ByteRecord::new(), width: None }
    }

    fn restart(&mut self, at: usize, lines_before: u32) {
        self.base = (at, lines_before);
        self.reader = reader(&self.bytes[at..]);
    }
}

fn reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes)
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        // Reading from memory with flexible lengths and byte records has no error of its own.
        if !matches!(self.reader.read_byte_record(&mut self.record), Ok(true)) {
            return None;
        }
        let (first_byte, first_line) = self.record.position().map_or((0, 1), |place| (place.byte(), place.line()));
        let start = self.base.0 + usize::try_from(first_byte).unwrap_or(usize::MAX);
        let end = self.base.0 + usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX);
        // The reader names the place after the record before it; blank lines in between are not part of this one.
        let raw = self.bytes.get(start..end).unwrap_or_default();
        let blank = raw.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let skipped_lines = u32::try_from(raw[..blank].iter().filter(|byte| **byte == b'\n').count()).unwrap_or(0);
        let (start, raw) = (start + blank, &raw[blank..]);
        let line = self.base.1 + u32::try_from(first_line).unwrap_or(u32::MAX) + skipped_lines;

        let is_odd = raw.iter().filter(|byte| **byte == b'"').count() % 2 == 1;
        let is_uneven = self.width.is_some_and(|width| width != self.record.len());
        // The last byte of a record is its own line's end.
        let first_end = raw[..raw.len().saturating_sub(1)].iter().position(|byte| *byte == b'\n');
        if let Some(first_end) = first_end.filter(|_| is_odd || is_uneven) {
            self.restart(start + first_end + 1, line);
            return Some(Record { line, cells: Err(Malformed::Quote) });
        }
        if is_odd {
            return Some(Record { line, cells: Err(Malformed::Quote) });
        }
        self.width = self.width.or(Some(self.record.len()));
        let cells = self.record.iter().map(|cell| std::str::from_utf8(cell).map(|cell| Cow::Borrowed(cell).into_owned()));
        Some(Record { line, cells: cells.collect::<Result<_, _>>().map_err(|_| Malformed::Encoding) })
    }
}
