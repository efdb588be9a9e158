//! What refuses a questionnaire at publication: what cannot be answered, cannot be finished, or does not add up. Each fault
//! names its place as the contract spells it.

use std::collections::{BTreeMap, BTreeSet};

use super::codes::Role;
use super::instrument::{AnswerTest, Branch, END, Instrument, Question, QuestionKind};

/// All the weight of one level, in millionths.
const WHOLE: u64 = 1_000_000;

/// Something that cannot stay as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Path in the content: `questions[3].branches[0].go_to`.
    pub place: String,
    /// What is wrong, as a code.
    pub code: &'static str,
    /// The same in words.
    pub description: String,
}

/// Every fault of an instrument; none when it may be published. `min_dimensions` is the policy's (SV-04).
pub fn faults(instrument: &Instrument, min_dimensions: u32) -> Vec<Fault> {
    let mut check = Check { instrument, faults: Vec::new() };
    check.dimensions(min_dimensions);
    for (at, question) in instrument.questions.iter().enumerate() {
        check.question(at, question);
    }
    check.roles();
    check.reach();
    check.score_map();
    check.faults
}

struct Check<'a> {
    instrument: &'a Instrument,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn add(&mut self, place: String, code: &'static str, description: impl Into<String>) {
        self.faults.push(Fault { place, code, description: description.into() });
    }

    fn dimensions(&mut self, least: u32) {
        let dimensions = &self.instrument.dimensions;
        let count = self.instrument.top_dimension_count();
        if u64::try_from(count).unwrap_or(u64::MAX) < u64::from(least) {
            self.add("dimensions".to_owned(), "too_few_dimensions", format!("the policy demands {least} dimensions, there are {count}"));
        }
        let mut seen = BTreeSet::new();
        let mut levels: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
        for (at, dimension) in dimensions.iter().enumerate() {
            if !seen.insert(dimension.code.as_str()) {
                self.add(format!("dimensions[{at}].code"), "code_taken", "another dimension has this code");
            }
            // A node stands after its parent, so that the tree has no circle.
            let parent = dimension.parent.as_deref().unwrap_or_default();
            if !parent.is_empty() && !dimensions[..at].iter().any(|other| other.code == parent) {
                self.add(format!("dimensions[{at}].parent_code"), "dimension_unknown", "must be a dimension that stands before this one");
            }
            let level = levels.entry(parent).or_insert((at, 0));
            level.1 += u64::from(dimension.weight);
        }
        for (parent, (at, sum)) in levels {
            if sum != 0 && sum != WHOLE {
                let of = if parent.is_empty() { "the first level".to_owned() } else { format!("the level below {parent}") };
                self.add(
                    format!("dimensions[{at}].weight_millionths"),
                    "weights_not_one",
                    format!("weights of {of} must sum to {WHOLE} millionths, or all be 0; they sum to {sum}"),
                );
            }
        }
    }

    fn question(&mut self, at: usize, question: &Question) {
        let place = |field: &str| format!("questions[{at}].{field}");
        if self.instrument.questions[..at].iter().any(|other| other.code == question.code) || question.code == END {
            self.add(place("code"), "code_taken", "another question has this code");
        }
        if let Some(dimension) = &question.dimension
            && !self.instrument.dimensions.iter().any(|known| known.code == *dimension)
        {
            self.add(place("dimension_code"), "dimension_unknown", "must be a dimension of the questionnaire");
        }
        match &question.kind {
            QuestionKind::Scale { max } if !(2..=11).contains(max) => self.add(place("scale_max"), "scale_invalid", "must be 2 to 11"),
            QuestionKind::SingleChoice { options } => self.options(at, options, options.len()),
            QuestionKind::MultipleChoice { options, most } => self.options(at, options, *most),
            QuestionKind::Number { min: Some(min), max: Some(max) } if min > max => {
                self.add(place("number_max"), "bounds_reversed", "must not be below the least number");
            }
            QuestionKind::Scale { .. }
            | QuestionKind::Nps
            | QuestionKind::Text { .. }
            | QuestionKind::YesNo
            | QuestionKind::Number { .. } => {}
        }
        for (turn, branch) in question.branches.iter().enumerate() {
            self.branch(at, turn, question, branch);
        }
    }

    fn options(&mut self, at: usize, options: &[String], most: usize) {
        if options.len() < 2 {
            self.add(format!("questions[{at}].options"), "options_missing", "a choice needs two options");
        }
        if most > options.len() {
            self.add(format!("questions[{at}].max_choices"), "choices_too_many", "must not be more than there are options");
        }
        let mut seen = BTreeSet::new();
        for (place, option) in options.iter().enumerate() {
            if !seen.insert(option) {
                self.add(format!("questions[{at}].options[{place}].code"), "code_taken", "another option has this code");
            }
        }
    }

    fn branch(&mut self, at: usize, turn: usize, question: &Question, branch: &Branch) {
        let place = |field: &str| format!("questions[{at}].branches[{turn}].{field}");
        let leads_on = branch.go_to == END || self.instrument.question(&branch.go_to).is_some_and(|(target, _)| target > at);
        if !leads_on {
            // Backwards is a circle: somebody who answers the same again never comes to the end.
            self.add(place("go_to"), "path_without_end", "must be a later question, or `end`");
        }
        let suits = match (&branch.when, &question.kind) {
            (AnswerTest::Unanswered(_), _) | (AnswerTest::Yes(_), QuestionKind::YesNo) => true,
            (AnswerTest::Range { .. }, QuestionKind::Scale { .. } | QuestionKind::Nps | QuestionKind::Number { .. }) => true,
            (AnswerTest::Options(codes), QuestionKind::SingleChoice { options } | QuestionKind::MultipleChoice { options, .. }) => {
                for code in codes.iter().filter(|code| !options.contains(code)) {
                    self.add(place("when.options"), "option_unknown", format!("the question has no option {code}"));
                }
                true
            }
            (AnswerTest::Options(_) | AnswerTest::Range { .. } | AnswerTest::Yes(_), _) => false,
        };
        if !suits {
            self.add(place("when"), "test_unsuited", "the question cannot be answered so");
        }
    }

    fn roles(&mut self) {
        for role in Role::ALL.iter().filter(|role| **role != Role::Suggestion) {
            let with = |(_, question): &(usize, &Question)| question.role == Some(*role);
            for (at, _) in self.instrument.questions.iter().enumerate().filter(with).skip(1) {
                self.add(format!("questions[{at}].role"), "role_taken", "another question has this role");
            }
        }
        for (at, question) in self.instrument.questions.iter().enumerate() {
            let suits = match question.role {
                None => true,
                Some(Role::Overall) => matches!(question.kind, QuestionKind::Scale { .. }),
                Some(Role::Recommend) => matches!(question.kind, QuestionKind::Nps | QuestionKind::Scale { .. }),
                Some(Role::Repurchase) => matches!(question.kind, QuestionKind::Scale { .. } | QuestionKind::YesNo),
                Some(Role::Complained | Role::ComplaintTimely) => question.kind == QuestionKind::YesNo,
                Some(Role::Suggestion) => matches!(question.kind, QuestionKind::Text { .. }),
            };
            if !suits {
                self.add(format!("questions[{at}].role"), "role_unsuited", "a question of this kind cannot have this role");
            }
        }
    }

    /// Which questions somebody can come to. One that nobody reaches is a mistake of its author.
    fn reach(&mut self) {
        let questions = &self.instrument.questions;
        let mut reached = vec![false; questions.len()];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        for (at, question) in questions.iter().enumerate() {
            if !reached[at] {
                continue;
            }
            for branch in &question.branches {
                if let Some((target, _)) = self.instrument.question(&branch.go_to) {
                    reached[target] = true;
                }
            }
            if falls_through(question)
                && let Some(next) = reached.get_mut(at + 1)
            {
                *next = true;
            }
        }
        for at in (0..questions.len()).filter(|at| !reached[*at]) {
            self.add(format!("questions[{at}]"), "question_unreachable", "no path leads to this question");
        }
    }

    fn score_map(&mut self) {
        let map = &self.instrument.score_map;
        let Some(max) = self.instrument.with_role(Role::Overall).and_then(|overall| overall.kind.scale_max()) else { return };
        if !map.is_empty() && (u64::try_from(map.len()).ok() != Some(u64::from(max)) || map.iter().any(|points| *points > 100)) {
            self.add("score_map".to_owned(), "score_map_invalid", format!("must have {max} entries of 0 to 100"));
        }
    }
}

/// Whether some answer leads to the next question.
fn falls_through(question: &Question) -> bool {
    let taken = |test: &AnswerTest| question.branches.iter().any(|branch| branch.when == *test);
    let option_taken =
        |code: &String| question.branches.iter().any(|branch| matches!(&branch.when, AnswerTest::Options(codes) if codes.contains(code)));
    let answered = match &question.kind {
        QuestionKind::YesNo => taken(&AnswerTest::Yes(true)) && taken(&AnswerTest::Yes(false)),
        QuestionKind::SingleChoice { options } => options.iter().all(option_taken),
        QuestionKind::Scale { .. }
        | QuestionKind::Nps
        | QuestionKind::MultipleChoice { .. }
        | QuestionKind::Text { .. }
        | QuestionKind::Number { .. } => false,
    };
    let unanswered = question.is_required || taken(&AnswerTest::Unanswered(true));
    !unanswered || !taken(&AnswerTest::Unanswered(false)) && !answered
}
