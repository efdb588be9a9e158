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
    /// Bytes before the place where `reader` began.
    base: usize,
    /// How many lines end before which byte, for the last record.
    counted: (usize, u32),
    record: csv::ByteRecord,
    /// Cells of the header, once it was read.
    width: Option<usize>,
}

impl<'a> Records<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        Self { bytes, reader: reader(bytes), base: 0, counted: (0, 0), record: csv::ByteRecord::new(), width: None }
    }

    fn restart(&mut self, at: usize) {
        self.base = at;
        self.reader = reader(&self.bytes[at..]);
    }

    /// The line that begins at this byte, which is no earlier than that of the last call. Lines end as records do: by CR LF, LF, or a
    /// bare CR, which the reader's own count passes over; so no two records are of one line.
    fn line_at(&mut self, at: usize) -> u32 {
        let (from, before) = self.counted;
        let is_end = |place: &usize| match self.bytes.get(*place) {
            Some(b'\n') => true,
            Some(b'\r') => self.bytes.get(place + 1) != Some(&b'\n'),
            Some(_) | None => false,
        };
        let ended = before + u32::try_from((from..at).filter(is_end).count()).unwrap_or(0);
        self.counted = (at, ended);
        ended + 1
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
        let first_byte = self.record.position().map_or(0, csv::Position::byte);
        let start = self.base + usize::try_from(first_byte).unwrap_or(usize::MAX);
        let end = self.base + usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX);
        // The reader names the place after the record before it; blank lines in between are not part of this one.
        let raw = self.bytes.get(start..end).unwrap_or_default();
        let blank = raw.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let (start, raw) = (start + blank, &raw[blank..]);
        let line = self.line_at(start);

        let is_odd = raw.iter().filter(|byte| **byte == b'"').count() % 2 == 1;
        let is_uneven = self.width.is_some_and(|width| width != self.record.len());
        // The last byte of a record is its own line's end.
        let first_end = raw[..raw.len().saturating_sub(1)].iter().position(|byte| *byte == b'\n');
        if let Some(first_end) = first_end.filter(|_| is_odd || is_uneven) {
            self.restart(start + first_end + 1);
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
