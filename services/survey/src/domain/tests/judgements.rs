//! SV-35, SV-39, SV-45, SV-49: which responses count.

use super::build::{answer, of, scale, yearly};
use crate::domain::codes::Verdict;
use crate::domain::{Answer, Circumstances, Instrument, ValidityRules, Value, judge, low_score, walk};

fn rules() -> ValidityRules {
    ValidityRules { min_complete: Some((80, 100)), min_seconds_per_question: 2, straight_line_from: 4, burst_count: 3, burst_within_s: 600 }
}

fn scales() -> Instrument {
    of(["a", "b", "c", "d", "e"].map(scale).into())
}

fn points(points: [u32; 5]) -> Vec<Answer> {
    ["a", "b", "c", "d", "e"].into_iter().zip(points).map(|(code, points)| answer(code, Value::Scale(points))).collect()
}

fn judged(answers: &[Answer], about: &Circumstances) -> (Verdict, Vec<String>) {
    let instrument = scales();
    let (verdict, findings) = judge(&instrument, answers, &walk(&instrument, answers), about, &rules());
    (verdict, findings.into_iter().map(|finding| finding.rule).collect())
}

fn about() -> Circumstances {
    Circumstances { duration_s: Some(60), ..Circumstances::default() }
}

#[test]
fn an_honest_response_counts() {
    assert_eq!(judged(&points([5, 4, 4, 3, 5]), &about()), (Verdict::Valid, vec![]));
}

/// SV-35, SV-39
#[test]
fn each_rule_speaks_for_itself() {
    let full = points([5, 4, 4, 3, 5]);
    let rule = |answers: &[Answer], about: Circumstances| judged(answers, &about);
    assert_eq!(rule(&full[..3], about()), (Verdict::Invalid, vec!["incomplete".to_owned()]), "3 of 5 are less than 80 %");
    assert_eq!(rule(&full[..4], about()).0, Verdict::Valid, "4 of 5 are exactly 80 %");
    let hasty = |seconds| Circumstances { duration_s: Some(seconds), ..Circumstances::default() };
    assert_eq!(rule(&full, hasty(9)), (Verdict::Invalid, vec!["too_fast".to_owned()]));
    assert_eq!(rule(&full, hasty(10)).0, Verdict::Valid);
    assert_eq!(rule(&points([4; 5]), about()), (Verdict::Invalid, vec!["straight_line".to_owned()]));
    let second = Circumstances { household_answered: true, ..about() };
    assert_eq!(rule(&full, second), (Verdict::Invalid, vec!["duplicate_household".to_owned()]));
    let stranger = Circumstances { outside_frame: true, ..about() };
    assert_eq!(rule(&full, stranger), (Verdict::Invalid, vec!["not_in_frame".to_owned()]));
}

/// SV-49: a burst of one device is held until somebody has looked; so is what staff fill in for owners.
#[test]
fn a_burst_is_held_and_not_thrown_away() {
    let full = points([5, 4, 4, 3, 5]);
    let after = |same_device_before| judged(&full, &Circumstances { same_device_before, ..about() });
    assert_eq!(after(1).0, Verdict::Valid);
    assert_eq!(after(2), (Verdict::Held, vec!["device_burst".to_owned()]));
    let staff = Circumstances { by_staff: true, ..about() };
    assert_eq!(judged(&full, &staff), (Verdict::Held, vec!["staff_network".to_owned()]));
    let both = Circumstances { by_staff: true, household_answered: true, ..about() };
    assert_eq!(judged(&full, &both).0, Verdict::Invalid, "what cannot count need not be looked at");
}

/// SV-45: 2 of 5 and 6 of 10 ask for follow-up; the overall question speaks first.
#[test]
fn a_low_score_names_its_question() {
    let instrument = yearly();
    let of = |overall, recommend| {
        let answers = [answer("overall", Value::Scale(overall)), answer("recommend", Value::Scale(recommend))];
        low_score(&instrument, &answers, 2, 6).map(|(code, points, max)| (code.to_owned(), points, max))
    };
    assert_eq!(of(3, 7), None);
    assert_eq!(of(2, 7), Some(("overall".to_owned(), 2, 5)));
    assert_eq!(of(3, 6), Some(("recommend".to_owned(), 6, 10)));
    assert_eq!(of(1, 0).map(|(code, ..)| code), Some("overall".to_owned()));
}
