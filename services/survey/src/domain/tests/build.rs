//! Instruments and answers in one word each.

use uuid::Uuid;

use crate::domain::codes::{Allocation, Method, Mode, Role};
use crate::domain::figures::Row;
use crate::domain::{Answer, AnswerTest, Branch, Dimension, Instrument, Question, QuestionKind, Quota, Sampling, Value, WEIGHT_ONE};

pub(super) fn question(code: &str, kind: QuestionKind) -> Question {
    Question {
        code: code.to_owned(),
        dimension: None,
        kind,
        role: None,
        is_required: true,
        allows_not_applicable: false,
        branches: Vec::new(),
    }
}

pub(super) fn scale(code: &str) -> Question {
    question(code, QuestionKind::Scale { max: 5 })
}

pub(super) fn branch(when: AnswerTest, go_to: &str) -> Branch {
    Branch { when, go_to: go_to.to_owned() }
}

pub(super) fn dimension(code: &str, parent: Option<&str>, weight: u32) -> Dimension {
    Dimension { code: code.to_owned(), parent: parent.map(str::to_owned), weight }
}

pub(super) fn of(questions: Vec<Question>) -> Instrument {
    Instrument { questions, ..Instrument::default() }
}

/// Overall satisfaction, whether somebody complained, and whether that was handled in time, asked only of those who did.
pub(super) fn yearly() -> Instrument {
    let overall = Question { role: Some(Role::Overall), ..scale("overall") };
    let complained = Question {
        role: Some(Role::Complained),
        branches: vec![branch(AnswerTest::Yes(false), "recommend")],
        ..question("complained", QuestionKind::YesNo)
    };
    let timely = Question { role: Some(Role::ComplaintTimely), ..question("timely", QuestionKind::YesNo) };
    let recommend = Question { role: Some(Role::Recommend), ..question("recommend", QuestionKind::Nps) };
    of(vec![overall, complained, timely, recommend])
}

pub(super) fn answer(question: &str, value: Value) -> Answer {
    Answer { question: question.to_owned(), value }
}

pub(super) fn given(weight_ppm: i64, answers: Vec<Answer>) -> Row {
    Row { id: Uuid::now_v7(), at: jiff::Timestamp::UNIX_EPOCH, mode: Mode::Online, weight: weight_ppm, answers }
}

/// So many equal answers of weight one.
pub(super) fn many(n: usize, answers: &[Answer]) -> Vec<Row> {
    (0..n).map(|_| given(WEIGHT_ONE, answers.to_vec())).collect()
}

pub(super) fn sampling(method: Method, size: u32) -> Sampling {
    Sampling {
        method,
        seed: 20_260_301,
        size,
        strata_fields: match method {
            Method::Stratified | Method::Quota => vec!["unit.building_code".to_owned()],
            Method::Census | Method::SimpleRandom => Vec::new(),
        },
        allocation: Allocation::Proportional,
        quotas: Vec::new(),
        oversampling: Vec::new(),
    }
}

pub(super) fn quota(stratum: &str, target: u32) -> Quota {
    Quota { stratum: stratum.to_owned(), target }
}

/// A frame with so many households in each stratum, their ids always the same.
pub(super) fn frame(strata: &[(&str, u32)]) -> Vec<(Uuid, String)> {
    let mut id = 0_u128;
    let mut frame = Vec::new();
    for (stratum, size) in strata {
        for _ in 0..*size {
            id += 1;
            frame.push((Uuid::from_u128(id << 64 | id), (*stratum).to_owned()));
        }
    }
    frame
}
