//! Which cells of a split are not shown (SV-40). A cell below the threshold gives a person away; and when the total is shown
//! beside the split, one hidden cell alone is what is left of it, so the smallest of the others is hidden with it.

/// Whether each cell of a split is hidden, by how many answers it holds. Empty cells hide nobody.
pub fn hidden_cells(counts: &[i64], below: u32) -> Vec<bool> {
    let below = i64::from(below);
    let mut hidden: Vec<bool> = counts.iter().map(|n| *n > 0 && *n < below).collect();
    let answers = |hidden: &[bool]| -> i64 { counts.iter().zip(hidden).filter(|(_, hidden)| **hidden).map(|(n, _)| *n).sum() };
    // What can be computed as the rest of the total must be as large as a cell that may be shown, and not be one cell.
    while hidden.contains(&true) && (answers(&hidden) < below || hidden.iter().filter(|hidden| **hidden).count() == 1) {
        let next = (0..counts.len()).filter(|at| !hidden[*at] && counts[*at] > 0).min_by_key(|at| counts[*at]);
        match next {
            Some(at) => hidden[at] = true,
            None => break,
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::hidden_cells;

    #[test]
    fn one_hidden_cell_takes_the_next_smallest_with_it() {
        assert_eq!(hidden_cells(&[30, 12, 3], 5), [false, true, true]);
        assert_eq!(hidden_cells(&[30, 12, 6], 5), [false, false, false]);
        assert_eq!(hidden_cells(&[30, 1, 1], 5), [true, true, true], "two answers are too few for a rest");
        assert_eq!(hidden_cells(&[30, 2, 4, 0], 5), [false, true, true, false]);
    }

    proptest! {
        /// Either nothing is hidden, or the rest of the total is large enough and more than one cell, or all is hidden.
        #[test]
        fn the_rest_of_the_total_gives_nobody_away(counts in prop::collection::vec(0_i64..20, 1..8), below in 1_u32..8) {
            let hidden = hidden_cells(&counts, below);
            prop_assert!(counts.iter().zip(&hidden).all(|(n, hidden)| *n == 0 || *n >= i64::from(below) || *hidden));
            let rest: i64 = counts.iter().zip(&hidden).filter(|(_, hidden)| **hidden).map(|(n, _)| *n).sum();
            let cells = hidden.iter().filter(|hidden| **hidden).count();
            let all = counts.iter().zip(&hidden).all(|(n, hidden)| *n == 0 || *hidden);
            prop_assert!(cells == 0 || all || (cells > 1 && rest >= i64::from(below)));
        }
    }
}
