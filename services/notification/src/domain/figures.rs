//! Figures of messages: which messages each of them counts, and how. The rows that explain a figure are placed by the same rule
//! that counts them.

use steward_kit::calendar::{CalendarId, Span, Unit};
use steward_kit::codes;
use steward_kit::metric::{Figure, Part, Ratio, Tally};

use super::codes::{Class, MessageState, SuppressReason};

/// The rules that messages are counted by, as they are written (`kit_store::rollups`).
pub const RULES: &[&str] = &[include_str!("figures.rs"), include_str!("codes.rs")];

/// What is counted. Messages to customers, by the day they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cohort {
    /// Arrived, of those that went out or should have (NT-36).
    Reach,
    /// Read, of those that arrived by a channel that tells (NT-36).
    Read,
    /// From the fact to the hand-over to the first channel (NT-22). What the rules hold back is not late before they let it go.
    Latency,
    /// Handed over within the plan's limit (NT-18).
    Timely,
    /// Emergencies handed over within the plan's limit (NT-39).
    Emergency,
    /// Held back for good, of those judged (NT-38).
    Suppressed,
}

impl Cohort {
    /// The cohort of a metric; `None` for one that is not ours.
    pub fn of(metric: &str) -> Option<Self> {
        Some(match metric {
            "message_reach_rate" => Self::Reach,
            "message_read_rate" => Self::Read,
            "message_latency" => Self::Latency,
            "message_timely_rate" => Self::Timely,
            "emergency_handover_rate" => Self::Emergency,
            "message_suppressed_rate" => Self::Suppressed,
            _ => return None,
        })
    }
}

codes! {
    /// How a message stands to a figure.
    Standing {
        /// It arrived.
        Arrived = "arrived",
        /// It was read.
        Read = "read",
        /// A channel took it, and told no more.
        Unconfirmed = "unconfirmed",
        /// No channel took it.
        Failed = "failed",
        /// A rule forbade it.
        Suppressed = "suppressed",
        /// A rule lets it wait.
        Deferred = "deferred",
        /// Its turn has not come.
        Waiting = "waiting",
        /// Handed over, however late.
        HandedOver = "handed_over",
        /// Handed over in time.
        InTime = "in_time",
        /// Handed over late, or not at all.
        Late = "late",
        /// From before its times were kept, or without a limit to hold them against.
        Untimed = "untimed",
        /// Not of the class.
        OtherClass = "other_class",
    }
}

/// So many messages that stand alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alike {
    /// Their class.
    pub class: Class,
    /// Where they stand.
    pub state: MessageState,
    /// Why they were suppressed, if they were.
    pub reason: Option<SuppressReason>,
    /// How many.
    pub count: i64,
    /// How many of them have a latency.
    pub timed: i64,
    /// The sum of their latencies, in milliseconds.
    pub latency_ms: i64,
    /// How many of those lie within the limit.
    pub within_limit: i64,
}

/// How many messages that stand alike stand so.
type Placed = (Standing, i64);

impl Alike {
    /// How its messages stand to a figure, and how many of them. `limited`: the plan has a limit.
    pub fn placed(&self, cohort: Cohort, limited: bool) -> Vec<Placed> {
        match cohort {
            Cohort::Emergency if self.class != Class::Emergency => vec![(Standing::OtherClass, self.count)],
            Cohort::Timely | Cohort::Emergency => self.against_the_limit(limited),
            Cohort::Latency => match self.standing() {
                Standing::Read | Standing::Arrived | Standing::Unconfirmed => {
                    vec![(Standing::HandedOver, self.timed), (Standing::Untimed, self.count - self.timed)]
                }
                other @ (Standing::Failed
                | Standing::Suppressed
                | Standing::Deferred
                | Standing::Waiting
                | Standing::HandedOver
                | Standing::InTime
                | Standing::Late
                | Standing::Untimed
                | Standing::OtherClass) => vec![(other, self.count)],
            },
            Cohort::Reach | Cohort::Read | Cohort::Suppressed => vec![(self.standing(), self.count)],
        }
    }

    fn standing(&self) -> Standing {
        match self.state {
            MessageState::Read => Standing::Read,
            MessageState::Delivered => Standing::Arrived,
            MessageState::Sent => Standing::Unconfirmed,
            MessageState::Failed => Standing::Failed,
            MessageState::Suppressed => Standing::Suppressed,
            MessageState::Deferred => Standing::Deferred,
            MessageState::Queued => Standing::Waiting,
        }
    }

    /// One that nobody took is late, whatever its limit; one that rules hold is neither.
    fn against_the_limit(&self, limited: bool) -> Vec<Placed> {
        match self.state {
            MessageState::Suppressed | MessageState::Deferred => vec![(self.standing(), self.count)],
            MessageState::Failed | MessageState::Queued | MessageState::Sent | MessageState::Delivered | MessageState::Read if !limited => {
                vec![(Standing::Untimed, self.count)]
            }
            MessageState::Failed | MessageState::Queued => vec![(Standing::Late, self.count)],
            MessageState::Sent | MessageState::Delivered | MessageState::Read => vec![
                (Standing::InTime, self.within_limit),
                (Standing::Late, self.timed - self.within_limit),
                (Standing::Untimed, self.count - self.timed),
            ],
        }
    }
}

impl Standing {
    /// It counts above the line.
    pub fn in_numerator(self, cohort: Cohort) -> bool {
        match cohort {
            Cohort::Reach => matches!(self, Self::Arrived | Self::Read),
            Cohort::Read => self == Self::Read,
            Cohort::Latency => self == Self::HandedOver,
            Cohort::Timely | Cohort::Emergency => self == Self::InTime,
            Cohort::Suppressed => self == Self::Suppressed,
        }
    }

    /// It counts below the line.
    pub fn in_denominator(self, cohort: Cohort) -> bool {
        match cohort {
            Cohort::Reach => matches!(self, Self::Arrived | Self::Read | Self::Unconfirmed | Self::Failed),
            Cohort::Read => matches!(self, Self::Arrived | Self::Read),
            Cohort::Latency => self == Self::HandedOver,
            Cohort::Timely | Cohort::Emergency => matches!(self, Self::InTime | Self::Late),
            Cohort::Suppressed => matches!(self, Self::Arrived | Self::Read | Self::Unconfirmed | Self::Failed | Self::Suppressed),
        }
    }
}

/// What messages come to in a figure, as numbers that add up: how many stand how, the sum of their latencies, and how many were held back
/// why. `limited`: the plan has a limit.
pub fn tally(cohort: Cohort, limited: bool, messages: &[Alike]) -> Tally {
    let placed: Vec<Placed> = messages.iter().flat_map(|alike| alike.placed(cohort, limited)).collect();
    let standing = |shown: &Standing| placed.iter().filter(|(standing, _)| standing == shown).map(|(_, count)| count).sum();
    let reason = |shown: &SuppressReason| messages.iter().filter(|alike| alike.reason == Some(*shown)).map(|alike| alike.count).sum();
    let latency_ms = messages.iter().map(|alike| alike.latency_ms).sum();
    let numbers = Standing::ALL.iter().map(standing).chain([latency_ms]).chain(SuppressReason::ALL.iter().map(reason));
    Tally::of(numbers.collect::<Vec<i64>>())
}

/// The figure of what messages came to; what is left out, and why messages were held back, stands beside it.
pub fn figure(cohort: Cohort, tally: &Tally) -> Figure {
    let mut numbers = tally.numbers.iter().copied();
    let placed: Vec<Placed> = Standing::ALL.iter().copied().zip(numbers.by_ref()).collect();
    let latency_ms = numbers.next().unwrap_or_default();
    let sum = |counts: &dyn Fn(Standing) -> bool| placed.iter().filter(|(standing, _)| counts(*standing)).map(|(_, count)| count).sum();
    let (above, below): (i64, i64) = (sum(&|one| one.in_numerator(cohort)), sum(&|one| one.in_denominator(cohort)));
    let counts = |shown: &[Standing]| -> Vec<Part> {
        shown.iter().map(|shown| Part::count(shown.as_str(), sum(&|standing| standing == *shown))).collect()
    };
    match cohort {
        Cohort::Reach => Figure::rate(above, below).beside(counts(&[
            Standing::Read,
            Standing::Unconfirmed,
            Standing::Failed,
            Standing::Deferred,
            Standing::Waiting,
            Standing::Suppressed,
        ])),
        Cohort::Read => Figure::rate(above, below),
        Cohort::Latency => Figure::of(Ratio::new(latency_ms.into(), i128::from(below) * 1000), below)
            .beside(counts(&[Standing::Untimed, Standing::Deferred])),
        Cohort::Timely | Cohort::Emergency => Figure::rate(above, below).beside(counts(&[Standing::Untimed, Standing::Deferred])),
        Cohort::Suppressed => {
            let reasons = SuppressReason::ALL.iter().zip(numbers).filter(|(_, count)| *count > 0);
            Figure::rate(above, below).beside(reasons.map(|(reason, count)| Part::rate(reason.as_str(), count, below)))
        }
    }
}

/// A limit in seconds. Messages go at any hour: a limit that is not of the clock around measures nothing here.
pub fn limit_seconds(limit: &Span) -> Option<i64> {
    let each = match limit.unit() {
        Unit::Second => 1,
        Unit::Minute => 60,
        Unit::Hour => 3600,
        Unit::Day | Unit::WorkingDay | Unit::Week | Unit::Month | Unit::Quarter | Unit::HalfYear | Unit::Year => return None,
    };
    (*limit.calendar() == CalendarId::AroundTheClock).then(|| i64::from(limit.value()) * each)
}

#[cfg(test)]
mod tests {
    use steward_kit::metric::{Owner, metrics};

    use super::*;

    fn alike(class: Class, state: MessageState, count: i64) -> Alike {
        Alike { class, state, reason: None, count, timed: 0, latency_ms: 0, within_limit: 0 }
    }

    /// NT-36: forty read and forty arrived of a hundred that went out; what rules held back is no failure to reach.
    #[test]
    fn reach_counts_what_arrived_of_what_went_out() {
        let service = |state, count| alike(Class::Service, state, count);
        let tallies = [
            service(MessageState::Read, 40),
            service(MessageState::Delivered, 40),
            service(MessageState::Sent, 15),
            service(MessageState::Failed, 5),
            service(MessageState::Deferred, 7),
            Alike { reason: Some(SuppressReason::Cap), ..service(MessageState::Suppressed, 25) },
        ];
        let reach = figure(Cohort::Reach, &tally(Cohort::Reach, false, &tallies));
        assert_eq!((reach.numerator, reach.denominator), (80, 100));
        assert_eq!(reach.part("unconfirmed"), Some(&Part::count("unconfirmed", 15)));
        let read = figure(Cohort::Read, &tally(Cohort::Read, false, &tallies));
        assert_eq!((read.numerator, read.denominator), (40, 80));
        let held = figure(Cohort::Suppressed, &tally(Cohort::Suppressed, false, &tallies));
        assert_eq!((held.numerator, held.denominator), (25, 125));
        assert_eq!(held.part("cap"), Some(&Part::rate("cap", 25, 125)));
        assert_eq!(figure(Cohort::Read, &tally(Cohort::Read, false, &[])).value(), None, "never 0 or 100");
    }

    /// NT-39: of 10,000 in an emergency 9,500 were handed over in time, 400 later and 100 never; other classes are not asked.
    #[test]
    fn an_emergency_is_timely_when_it_was_handed_over_in_time() {
        let emergency = |state, count| alike(Class::Emergency, state, count);
        let out = Alike { timed: 9_900, within_limit: 9_500, latency_ms: 1, ..emergency(MessageState::Delivered, 9_900) };
        let slow = Alike { timed: 9, ..alike(Class::Service, MessageState::Delivered, 9) };
        let tallies = [out, emergency(MessageState::Failed, 100), slow];
        let made = figure(Cohort::Emergency, &tally(Cohort::Emergency, true, &tallies));
        assert_eq!((made.numerator, made.denominator), (9_500, 10_000));
        assert_eq!(
            figure(Cohort::Emergency, &tally(Cohort::Emergency, false, &tallies)).value(),
            None,
            "a plan without a limit judges nothing"
        );
    }

    /// NT-22: a mean of seconds, exact to the millisecond; messages from before times were kept are left out.
    #[test]
    fn latency_is_the_mean_of_what_has_one() {
        let some = Alike { timed: 4, latency_ms: 6_002, ..alike(Class::Service, MessageState::Delivered, 5) };
        let made = figure(Cohort::Latency, &tally(Cohort::Latency, false, &[some, alike(Class::Care, MessageState::Deferred, 2)]));
        assert_eq!((made.value(), made.n), (Ratio::new(6_002, 4_000), 4));
        assert_eq!(made.part("untimed"), Some(&Part::count("untimed", 1)));
    }

    /// The catalogue.
    #[test]
    fn every_metric_of_notification_has_a_cohort() {
        for metric in metrics().iter().filter(|metric| metric.owner == Owner::Notification) {
            assert!(Cohort::of(metric.id).is_some(), "{}", metric.id);
        }
    }
}
