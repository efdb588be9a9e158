//! The kinds of records: by what each is searched, and what people wrote in it.

use jiff::Timestamp;
use steward_kit::ids::CustomerId;
use steward_kit::pii::Pii;
use uuid::Uuid;

use super::{Keys, Record};
use crate::domain::{FeedbackItem, FrameJob, ImprovementPlan, MysteryVisit, Report, Session, Wave};

macro_rules! records {
    ($($record:ty, $noun:literal, |$of:ident| $parent:expr, $customer:expr, $sort:expr);+ $(;)?) => {$(
        impl Record for $record {
            const NOUN: &'static str = $noun;

            fn keys(&self) -> Keys {
                let $of = self;
                Keys {
                    estate: self.estate_id,
                    id: self.id.as_uuid(),
                    state: self.state.as_str(),
                    parent: $parent,
                    customer: $customer,
                    sort_time: $sort,
                }
            }

            fn row_version(&self) -> i64 {
                self.row_version
            }

            fn set_row(&mut self, row_version: i64, update_time: Timestamp) {
                (self.row_version, self.update_time) = (row_version, update_time);
            }

            fn update_time(&self) -> Timestamp {
                self.update_time
            }

            fn texts(&self) -> Vec<String> {
                Written::written(self)
            }

            fn set_texts(&mut self, texts: Vec<String>) {
                Written::set_written(self, texts);
            }
        }
    )+};
}

records! {
    Wave, "wave", |wave| Some(wave.programme_id.as_uuid()), None, wave.create_time;
    FrameJob, "frame job", |job| Some(job.wave_id.as_uuid()), None, job.create_time;
    Session, "session", |session| session.wave_id.map(Uuid::from), None, session.create_time;
    FeedbackItem, "feedback item", |item| None, item.customer_id.map(CustomerId::as_uuid), item.receive_time;
    ImprovementPlan, "improvement plan", |plan| None, None, plan.create_time;
    Report, "report", |report| None, None, report.create_time;
    MysteryVisit, "mystery visit", |visit| visit.recheck_of.map(Uuid::from), None, visit.create_time;
}

/// The texts of each kind of record.
trait Written {
    fn written(&self) -> Vec<String> {
        Vec::new()
    }

    fn set_written(&mut self, _texts: Vec<String>) {}
}

impl Written for Wave {}
impl Written for FrameJob {}
impl Written for ImprovementPlan {}
impl Written for Report {}

impl Written for Session {
    fn written(&self) -> Vec<String> {
        vec![self.notes.expose().clone()]
    }

    fn set_written(&mut self, texts: Vec<String>) {
        self.notes = Pii::new(texts.into_iter().next().unwrap_or_default());
    }
}

impl Written for FeedbackItem {
    fn written(&self) -> Vec<String> {
        vec![self.text.expose().clone()]
    }

    fn set_written(&mut self, texts: Vec<String>) {
        self.text = Pii::new(texts.into_iter().next().unwrap_or_default());
    }
}

/// What was seen at each item in their order, then the appeal and what was decided about it.
impl Written for MysteryVisit {
    fn written(&self) -> Vec<String> {
        let notes = self.scores.iter().map(|score| score.note.expose().clone());
        let appeal = self.appeal.iter().flat_map(|appeal| [&appeal.reason, &appeal.decision_reason]).map(|text| text.expose().clone());
        notes.chain(appeal).collect()
    }

    fn set_written(&mut self, texts: Vec<String>) {
        let mut texts = texts.into_iter().map(Pii::new);
        for score in &mut self.scores {
            score.note = texts.next().unwrap_or_default();
        }
        if let Some(appeal) = &mut self.appeal {
            (appeal.reason, appeal.decision_reason) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
        }
    }
}
