//! What was answered.

use serde::{Deserialize, Serialize};
use steward_kit::pii::Pii;

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Code of the question.
    pub question: String,
    /// What was answered.
    pub value: Value,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Points of a scale or of NPS.
    Scale(u32),
    /// The option chosen.
    Choice(String),
    /// The options chosen.
    Choices(Vec<String>),
    /// Free text; sealed apart from the rest.
    Text {
        /// What was written.
        #[serde(skip)]
        text: Pii<String>,
    },
    /// Yes or no.
    Yes(bool),
    /// A number.
    Number(f64),
    /// "Does not apply".
    NotApplicable,
}

impl Value {
    /// As a number, for tests of ranges and for figures.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Scale(points) => Some(f64::from(*points)),
            Self::Number(number) => Some(*number),
            Self::Choice(_) | Self::Choices(_) | Self::Text { .. } | Self::Yes(_) | Self::NotApplicable => None,
        }
    }

    /// As points.
    pub fn points(&self) -> Option<u32> {
        match self {
            Self::Scale(points) => Some(*points),
            Self::Number(_) | Self::Choice(_) | Self::Choices(_) | Self::Text { .. } | Self::Yes(_) | Self::NotApplicable => None,
        }
    }

    /// As yes or no.
    pub fn yes(&self) -> Option<bool> {
        match self {
            Self::Yes(yes) => Some(*yes),
            Self::Scale(_) | Self::Number(_) | Self::Choice(_) | Self::Choices(_) | Self::Text { .. } | Self::NotApplicable => None,
        }
    }
}

/// The answer to a question, if there is one.
pub fn answer_to<'a>(answers: &'a [Answer], code: &str) -> Option<&'a Value> {
    answers.iter().find(|answer| answer.question == code).map(|answer| &answer.value)
}
