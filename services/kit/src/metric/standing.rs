//! The edge-case matrix of `metrics.md` §10.1: how a case that is not simply a case stands to each figure.

/// How a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// A case like any other; a suspended, reopened or converted one too.
    Valid,
    /// The same matter as another case, merged into it.
    Duplicate,
    /// Cancelled by staff as entered in error, or a test.
    Error,
    /// Withdrawn by the customer: dissatisfaction was voiced.
    Withdrawn,
    /// Not a real case, approved.
    Invalid,
    /// Not the provider's matter, approved.
    OutOfScope,
    /// Made by staff or a device, without a customer who complains.
    Internal,
    /// Handed to another organisation, as when an estate leaves.
    Transferred,
}

/// How a case enters a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// It counts.
    Counts,
    /// Its household counts, the case does not.
    HouseholdOnly,
    /// It does not count, and is shown on a line of its own.
    Listed,
    /// It does not count.
    Out,
}

impl Standing {
    /// Every one.
    pub const ALL: [Self; 8] =
        [Self::Valid, Self::Duplicate, Self::Error, Self::Withdrawn, Self::Invalid, Self::OutOfScope, Self::Internal, Self::Transferred];

    /// Its code, for columns and explanations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Duplicate => "duplicate",
            Self::Error => "error",
            Self::Withdrawn => "withdrawn",
            Self::Invalid => "invalid",
            Self::OutOfScope => "out_of_scope",
            Self::Internal => "internal",
            Self::Transferred => "transferred",
        }
    }

    /// The standing of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == code)
    }

    /// Complaint rate (F-05a).
    pub fn in_complaint_rate(self) -> Entry {
        match self {
            Self::Valid | Self::Withdrawn | Self::Transferred => Entry::Counts,
            Self::Duplicate => Entry::HouseholdOnly,
            Self::OutOfScope => Entry::Listed,
            Self::Error | Self::Invalid | Self::Internal => Entry::Out,
        }
    }

    /// Timely rate (F-06) of a milestone; `is_first_answer` for the first response, which is owed to every reporter.
    ///
    /// Milestones that were due before a case was withdrawn or handed over stay: whether this one was is the caller's to
    /// say ([`super::Deadline::ended`]).
    pub fn in_timely_rate(self, is_first_answer: bool) -> Entry {
        match self {
            Self::Valid | Self::Withdrawn | Self::Transferred | Self::Internal => Entry::Counts,
            Self::Duplicate | Self::Invalid | Self::OutOfScope if is_first_answer => Entry::Counts,
            Self::Duplicate | Self::Invalid | Self::OutOfScope | Self::Error => Entry::Out,
        }
    }

    /// Resolution rate (F-07).
    pub fn in_resolution_rate(self) -> Entry {
        match self {
            Self::Valid => Entry::Counts,
            Self::Withdrawn => Entry::Listed,
            Self::Duplicate | Self::Error | Self::Invalid | Self::OutOfScope | Self::Internal | Self::Transferred => Entry::Out,
        }
    }

    /// Handled rate (F-07b): any close but as invalid counts as handled.
    pub fn in_handled_rate(self) -> Entry {
        match self {
            Self::Valid | Self::Withdrawn | Self::OutOfScope | Self::Transferred => Entry::Counts,
            Self::Duplicate | Self::Error | Self::Invalid | Self::Internal => Entry::Out,
        }
    }

    /// Callback coverage (F-08): each distinct reporter of a duplicate is due one; an invalid case is due an explanation;
    /// after a withdrawal it is a courtesy.
    pub fn in_callback_coverage(self, has_customer: bool) -> Entry {
        match self {
            _ if !has_customer => Entry::Out,
            Self::Valid | Self::Duplicate | Self::Invalid | Self::OutOfScope => Entry::Counts,
            Self::Withdrawn | Self::Error | Self::Internal | Self::Transferred => Entry::Out,
        }
    }

    /// Satisfaction at the callback (F-01): each reporter's score counts.
    pub fn in_satisfaction(self) -> Entry {
        match self {
            Self::Valid | Self::Duplicate | Self::Withdrawn | Self::Invalid | Self::OutOfScope => Entry::Counts,
            Self::Error | Self::Internal | Self::Transferred => Entry::Out,
        }
    }
}
