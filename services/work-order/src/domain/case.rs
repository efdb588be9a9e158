//! What a case is about: kind, urgency, category, and where it came from.

use serde::{Deserialize, Serialize};
use steward_kit::{codes, define_id};

define_id!(TouchpointId, "touchpoint");

/// What care did that a case is about, as whoever took it in said it (WO-67). Care knows whether it did such a thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CausedBy {
    /// One touchpoint.
    Touchpoint(TouchpointId),
    /// A campaign as a whole: code of its programme.
    Campaign(String),
}

impl CausedBy {
    /// As a code of the history; empty for nothing.
    pub(super) fn code(this: Option<&Self>) -> String {
        match this {
            Some(Self::Touchpoint(id)) => format!("touchpoint/{id}"),
            Some(Self::Campaign(code)) => format!("campaign/{code}"),
            None => String::new(),
        }
    }
}

codes! {
    /// Kind of a case (WO-07).
    Kind {
        /// 咨询
        Inquiry = "inquiry",
        /// 报修
        Repair = "repair",
        /// 投诉
        Complaint = "complaint",
        /// 需求
        Request = "request",
        /// 建议
        Suggestion = "suggestion",
        /// 表扬
        Praise = "praise",
    }
}

codes! {
    /// Urgency; the lower the number, the more urgent, and the smaller in order.
    Urgency {
        /// Life safety (WO-70).
        L0 = "l0",
        /// Urgent, such as a burst pipe.
        L1 = "l1",
        /// Such as poor cleaning.
        L2 = "l2",
        /// Everything else.
        L3 = "l3",
    }
}

codes! {
    /// Where a report came from.
    Channel {
        /// Service hotline.
        Hotline = "hotline",
        /// Resident app.
        App = "app",
        /// WeChat.
        Wechat = "wechat",
        /// Website chat.
        Web = "web",
        /// Front desk.
        FrontDesk = "front_desk",
        /// Suggestion box.
        SuggestionBox = "suggestion_box",
        /// A steward's visit or round.
        Visit = "visit",
        /// A device or device platform.
        Device = "device",
        /// Government hotline.
        Government = "government",
    }
}

codes! {
    /// Why work stands still (WO-43).
    SuspensionReason {
        /// Waiting for the customer.
        Customer = "customer",
        /// Waiting for parts.
        Parts = "parts",
        /// Waiting for a third party.
        ThirdParty = "third_party",
        /// Weather.
        Weather = "weather",
    }
}

codes! {
    /// A dated step in an order's life: clocks start and stop on it, KPIs are computed from it.
    Milestone {
        /// Taken in; at a reopening, taken up again.
        Received = "received",
        /// Put before whoever may take it.
        Pushed = "pushed",
        /// A person was made accountable.
        Assigned = "assigned",
        /// The assignee took it.
        Accepted = "accepted",
        /// First human answer; automatic replies do not count (WO-21).
        Responded = "responded",
        /// The customer was reached by the one who does the work.
        Contacted = "contacted",
        /// Someone is on site.
        Arrived = "arrived",
        /// Done, with proof.
        Completed = "completed",
        /// The callback reached the customer, or its attempts were properly exhausted.
        CalledBack = "called_back",
        /// Closed.
        Closed = "closed",
        /// A promise was given to the customer.
        Promised = "promised",
        /// Assessed, and the customer told (WO-20).
        Assessed = "assessed",
        /// It was said who is liable (WO-50).
        LiabilitySet = "liability_set",
    }
}

codes! {
    /// Whose matter a case is (WO-50).
    Liability {
        /// The provider's own.
        Provider = "provider",
        /// The developer's, under warranty.
        Developer = "developer",
        /// The owner's.
        Owner = "owner",
        /// Another party's.
        ThirdParty = "third_party",
        /// An insurer's.
        Insurance = "insurance",
    }
}

/// What rules are matched against.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Kind.
    pub kind: Kind,
    /// Category code; empty while unclassified.
    pub category: &'a str,
    /// Urgency.
    pub urgency: Urgency,
    /// Whose matter it is, as far as it was said.
    pub liability: Option<Liability>,
}

/// Which orders a rule is for: every list that is not empty must contain the order's value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFilter {
    /// Kinds.
    pub kinds: Vec<Kind>,
    /// Category codes; a code also matches the leaves below it.
    pub categories: Vec<String>,
    /// Urgencies.
    pub urgencies: Vec<Urgency>,
    /// Liabilities.
    #[serde(default)]
    pub liabilities: Vec<Liability>,
}

impl CaseFilter {
    /// Whether the case is one of those.
    pub fn matches(&self, case: Case<'_>) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&case.kind))
            && (self.urgencies.is_empty() || self.urgencies.contains(&case.urgency))
            && (self.liabilities.is_empty() || case.liability.is_some_and(|liability| self.liabilities.contains(&liability)))
            && (self.categories.is_empty() || self.categories.iter().any(|code| is_at_or_below(case.category, code)))
    }

    /// How many conditions it has; of two rules that match the one with more decides.
    pub fn conditions(&self) -> usize {
        let given = [!self.kinds.is_empty(), !self.categories.is_empty(), !self.urgencies.is_empty(), !self.liabilities.is_empty()];
        given.into_iter().filter(|is_given| *is_given).count()
    }
}

/// Whether a category is `branch` or a leaf below it: `plumbing.leak` is below `plumbing`, `plumbings` is not.
pub fn is_at_or_below(category: &str, branch: &str) -> bool {
    category.strip_prefix(branch).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_matches_itself_and_the_leaves_below_it() {
        let filter = CaseFilter { categories: vec!["plumbing".into()], ..CaseFilter::default() };
        let case = |category| Case { kind: Kind::Repair, category, urgency: Urgency::L1, liability: None };
        assert!(filter.matches(case("plumbing")));
        assert!(filter.matches(case("plumbing.burst_pipe")));
        assert!(!filter.matches(case("plumbings")));
        assert!(!filter.matches(case("")));
    }

    #[test]
    fn every_code_reads_back() {
        for milestone in Milestone::ALL {
            assert_eq!(Milestone::parse(milestone.as_str()), Some(*milestone));
            assert_eq!(serde_json::to_string(milestone).unwrap(), format!("\"{milestone}\""));
        }
        assert_eq!(Urgency::parse("l9"), None);
    }
}
