//! The spans of one trace as a tree.

use std::collections::{BTreeMap, BTreeSet};

use super::Span;

/// One trace: its spans in the order of a walk from the root, oldest child first.
#[derive(Debug, Clone)]
pub struct Trace {
    pub(super) rows: Vec<Row>,
    /// Spans of other traces that follow from this one so much later that they are traces of their own.
    pub(super) later: Vec<Span>,
}

/// A span, how it hangs in the tree, and how many like it are told by this row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) span: Span,
    /// For each level above, whether it goes on below.
    pub(super) trunk: Vec<bool>,
    /// Others of the same name beside it that have no children.
    pub(super) others: usize,
}

impl Trace {
    /// The biggest trace whose root is a call that `is_root` accepts.
    pub fn biggest(spans: &[Span], is_root: impl Fn(&Span) -> bool) -> Option<Self> {
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        for span in spans {
            *sizes.entry(&span.trace).or_default() += 1;
        }
        let roots = spans.iter().filter(|span| span.is_server && span.parent.is_empty() && is_root(span));
        roots.max_by_key(|root| sizes.get(root.trace.as_str())).map(|root| Self::of(spans, &root.trace))
    }

    /// The trace of this id.
    pub fn of(spans: &[Span], id: &str) -> Self {
        let own: Vec<&Span> = spans.iter().filter(|span| span.trace == id).collect();
        let known: BTreeSet<&str> = own.iter().map(|span| span.id.as_str()).collect();
        let mut children: BTreeMap<&str, Vec<&Span>> = BTreeMap::new();
        for span in &own {
            // What hangs on a span that was never received hangs at the top: better than not shown.
            let parent = if known.contains(span.parent.as_str()) { span.parent.as_str() } else { "" };
            children.entry(parent).or_default().push(span);
        }
        children.values_mut().for_each(|spans| spans.sort_by_key(|span| (span.start_nanos, span.end_nanos)));
        let mut rows = Vec::new();
        walk(&children, "", &mut Vec::new(), &mut rows);
        let mut later: Vec<Span> =
            spans.iter().filter(|span| span.trace != id && span.links.iter().any(|link| link == id)).cloned().collect();
        later.sort_by_key(|span| span.start_nanos);
        Self { rows, later }
    }

    /// Names of the processes that took part.
    pub fn services(&self) -> BTreeSet<&str> {
        self.rows.iter().map(|row| row.span.service.as_str()).collect()
    }

    /// Its spans.
    pub fn spans(&self) -> impl Iterator<Item = &Span> {
        self.rows.iter().map(|row| &row.span)
    }
}

fn walk(children: &BTreeMap<&str, Vec<&Span>>, parent: &str, trunk: &mut Vec<bool>, rows: &mut Vec<Row>) {
    let Some(spans) = children.get(parent) else { return };
    let is_leaf = |span: &Span| !children.contains_key(span.id.as_str());
    let mut left: Vec<(&Span, usize)> = Vec::new();
    for &span in spans {
        let twin = left
            .iter_mut()
            .find(|(first, _)| is_leaf(first) && is_leaf(span) && (&first.name, &first.service) == (&span.name, &span.service));
        match twin {
            Some((_, others)) => *others += 1,
            None => left.push((span, 0)),
        }
    }
    let last = left.len().saturating_sub(1);
    for (place, (span, others)) in left.into_iter().enumerate() {
        trunk.push(place < last);
        rows.push(Row { span: span.clone(), trunk: trunk.clone(), others });
        walk(children, &span.id, trunk, rows);
        trunk.pop();
    }
}
