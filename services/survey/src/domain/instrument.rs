//! What is asked: dimensions, questions and the turns of the path. Texts are no matter of rules and are not here.

use steward_kit::metric::Ratio;

use super::codes::Role;

/// The name of the end of the path in [`Branch::go_to`].
pub const END: &str = "end";

/// A questionnaire as the rules see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instrument {
    /// The dimension tree.
    pub dimensions: Vec<Dimension>,
    /// The questions, in the order in which they are asked.
    pub questions: Vec<Question>,
    /// Points of the answers 1 to n of a scale; empty means the policy's.
    pub score_map: Vec<u32>,
}

/// A node of the dimension tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Its code.
    pub code: String,
    /// The node above; `None` for the first level.
    pub parent: Option<String>,
    /// Weight among its siblings, in millionths; all zero on one level means equal.
    pub weight: u32,
}

/// One question.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Its code.
    pub code: String,
    /// The dimension it measures.
    pub dimension: Option<String>,
    /// What can be answered.
    pub kind: QuestionKind,
    /// What figures use it for.
    pub role: Option<Role>,
    /// It must be answered when it is on the path.
    pub is_required: bool,
    /// "Does not apply" is an answer.
    pub allows_not_applicable: bool,
    /// Where the path goes on; the first that holds decides.
    pub branches: Vec<Branch>,
}

/// What can be answered.
#[derive(Clone, Debug, PartialEq)]
pub enum QuestionKind {
    /// Points from 1 to `max`.
    Scale {
        /// Highest point.
        max: u32,
    },
    /// 0 to 10.
    Nps,
    /// One of the options.
    SingleChoice {
        /// Codes of the options.
        options: Vec<String>,
    },
    /// Some of the options.
    MultipleChoice {
        /// Codes of the options.
        options: Vec<String>,
        /// Most that may be chosen.
        most: usize,
    },
    /// Free text.
    Text {
        /// Most characters.
        max_length: usize,
    },
    /// Yes or no.
    YesNo,
    /// A number.
    Number {
        /// Least.
        min: Option<f64>,
        /// Greatest.
        max: Option<f64>,
    },
}

/// A turn of the path.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// When it is taken.
    pub when: AnswerTest,
    /// Code of a later question, or [`END`].
    pub go_to: String,
}

/// A test of the answer that was just given.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerTest {
    /// One of these options was chosen.
    Options(Vec<String>),
    /// The value lies between these, both included.
    Range {
        /// Least.
        at_least: Option<f64>,
        /// Most.
        at_most: Option<f64>,
    },
    /// Yes or no was answered so.
    Yes(bool),
    /// Nothing was answered (true), or something (false).
    Unanswered(bool),
}

impl Instrument {
    /// The question of a code, with its place.
    pub fn question(&self, code: &str) -> Option<(usize, &Question)> {
        self.questions.iter().enumerate().find(|(_, question)| question.code == code)
    }

    /// The question that figures use for a role.
    pub fn with_role(&self, role: Role) -> Option<&Question> {
        self.questions.iter().find(|question| question.role == Some(role))
    }

    /// The question of a code.
    pub fn coded(&self, code: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.code == code)
    }

    /// What a dimension weighs among its siblings; with all weights zero each weighs the same.
    pub fn weight_of(&self, dimension: &Dimension) -> Ratio {
        let siblings = || self.dimensions.iter().filter(|other| other.parent == dimension.parent);
        let whole: i128 = siblings().map(|other| i128::from(other.weight)).sum();
        let weight = if whole == 0 {
            Ratio::new(1, i128::try_from(siblings().count()).unwrap_or(1))
        } else {
            Ratio::new(dimension.weight.into(), whole)
        };
        weight.unwrap_or(Ratio::ZERO)
    }

    /// Dimensions of the first level.
    pub fn top_dimension_count(&self) -> usize {
        self.dimensions.iter().filter(|dimension| dimension.parent.is_none()).count()
    }
}

impl QuestionKind {
    /// Whether answers are points, and the highest of them.
    pub fn scale_max(&self) -> Option<u32> {
        match self {
            Self::Scale { max } => Some(*max),
            Self::Nps => Some(10),
            Self::SingleChoice { .. } | Self::MultipleChoice { .. } | Self::Text { .. } | Self::YesNo | Self::Number { .. } => None,
        }
    }
}
