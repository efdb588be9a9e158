//! Time on a line: what is worked on is shown to scale, long waits are cut out and marked.

use super::Span;

/// A wait longer than this is cut out.
const LONGEST_WAIT: u64 = 60_000_000;

/// Columns of a wait that was cut out.
const CUT: usize = 1;

/// Where instants lie on a line.
#[derive(Debug)]
pub(super) struct Axis {
    /// When something is worked on, and at which column that begins and ends.
    stretches: Vec<Stretch>,
    width: usize,
}

#[derive(Debug)]
struct Stretch {
    from: u64,
    to: u64,
    left: usize,
    right: usize,
}

impl Axis {
    /// A line of `width` columns over the spans.
    pub(super) fn over<'a>(spans: impl Iterator<Item = &'a Span>, width: usize) -> Self {
        let mut times: Vec<(u64, u64)> = spans.map(|span| (span.start_nanos, span.end_nanos)).collect();
        times.sort_unstable();
        let mut stretches: Vec<(u64, u64)> = Vec::new();
        for (from, to) in times {
            match stretches.last_mut() {
                Some((_, end)) if from <= end.saturating_add(LONGEST_WAIT) => *end = to.max(*end),
                _ => stretches.push((from, to)),
            }
        }
        let worked: u64 = stretches.iter().map(|(from, to)| to - from).sum::<u64>().max(1);
        // Every stretch has a column at least, and a cut before it; the rest is shared by length.
        let fixed = stretches.len() * (1 + CUT);
        let shared = width.saturating_sub(fixed);
        let mut column = 0;
        let stretches = stretches
            .into_iter()
            .map(|(from, to)| {
                let share = usize::try_from(u128::from(to - from) * shared as u128 / u128::from(worked)).unwrap_or_default();
                let stretch = Stretch { from, to, left: column, right: column + 1 + share };
                column = stretch.right + CUT;
                stretch
            })
            .collect();
        Self { stretches, width }
    }

    /// The bar of a span: `━` while it works, `·` across waits that were cut out.
    pub(super) fn bar(&self, span: &Span) -> String {
        let mut bar = vec![' '; self.width];
        let begin = self.column(span.start_nanos);
        let end = self.column(span.end_nanos).max(begin);
        for column in bar.iter_mut().take(end + 1).skip(begin) {
            *column = '━';
        }
        bar.into_iter().collect::<String>().trim_end().to_owned()
    }

    /// Marks where waits were cut out.
    pub(super) fn ruler(&self) -> String {
        let mut ruler = vec!['─'; self.width];
        for stretch in self.stretches.iter().skip(1) {
            if let Some(column) = stretch.left.checked_sub(1).and_then(|cut| ruler.get_mut(cut)) {
                *column = '⋮';
            }
        }
        ruler.into_iter().collect()
    }

    fn column(&self, instant: u64) -> usize {
        let found = self.stretches.iter().rev().find(|stretch| stretch.from <= instant);
        let Some(stretch) = found else { return 0 };
        let columns = stretch.right.saturating_sub(stretch.left).saturating_sub(1);
        let length = (stretch.to - stretch.from).max(1);
        let into = instant.min(stretch.to) - stretch.from;
        let offset = usize::try_from(u128::from(into) * columns as u128 / u128::from(length)).unwrap_or_default();
        (stretch.left + offset).min(self.width.saturating_sub(1))
    }
}
