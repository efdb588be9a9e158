//! The state machine as a table (WO-42): which verb is allowed where, and where it leads.
//!
//! `golden/state_table.snap` is this table printed; a change of the machine shows there first.

use steward_kit::codes;

codes! {
    /// Where an order stands.
    State {
        /// Taken in, not classified.
        Received = "received",
        /// Category and urgency are set; nobody is accountable.
        Classified = "classified",
        /// Somebody is accountable.
        Assigned = "assigned",
        /// The assignee took it.
        Accepted = "accepted",
        /// The customer was reached.
        Contacted = "contacted",
        /// Someone is on site.
        OnSite = "on_site",
        /// Done; the callback is due.
        Completed = "completed",
        /// Ended.
        Closed = "closed",
        /// Opened again; waits for an assignee in a new cycle.
        Reopened = "reopened",
        /// Ended without being worked.
        Cancelled = "cancelled",
    }
}

codes! {
    /// What can be done to an order, as `allowed_actions` names it.
    Verb {
        /// Sets category and urgency by hand.
        Classify = "classify",
        /// Makes one person accountable.
        Assign = "assign",
        /// One of the roster takes what is nobody's.
        Grab = "grab",
        /// Whoever it is offered to takes it.
        AcceptOffer = "accept_offer",
        /// Whoever it is offered to does not take it.
        DeclineOffer = "decline_offer",
        /// The assignee takes it.
        Accept = "accept",
        /// The customer was contacted, or an attempt failed.
        Contact = "contact",
        /// The case is assessed.
        Assess = "assess",
        /// Someone is on site.
        Arrive = "arrive",
        /// The work is done.
        Complete = "complete",
        /// One callback attempt.
        RecordCallback = "record_callback",
        /// Opens it again.
        Reopen = "reopen",
        /// Ends it after work.
        Close = "close",
        /// Ends it without work.
        Cancel = "cancel",
        /// The customer urges.
        Urge = "urge",
        /// Stops the work.
        Suspend = "suspend",
        /// Takes the work up again.
        Resume = "resume",
        /// Agrees a visit with the customer.
        Appoint = "appoint",
        /// Begins the work on site.
        StartWork = "start_work",
        /// Tells what the work costs.
        QuoteWork = "quote_work",
        /// Agrees to what it costs.
        ConfirmQuote = "confirm_quote",
        /// Agrees to a suspension.
        ApproveSuspension = "approve_suspension",
        /// Becomes a duplicate of another.
        Merge = "merge",
        /// Others are merged into it.
        Lead = "lead",
        /// A part of it becomes an order of its own.
        Split = "split",
        /// Says who is liable.
        SetLiability = "set_liability",
    }
}

/// What a verb does to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Not allowed.
    Refused,
    /// Allowed; the state stays.
    Stays,
    /// Allowed; leads there.
    To(State),
    /// Allowed; leads there under the verb's condition (a contact by the assignee that reached the customer, a callback
    /// with a bad score), and stays otherwise.
    Maybe(State),
}

impl State {
    /// Whether nothing more is done about the order.
    pub const fn is_ended(self) -> bool {
        match self {
            Self::Closed | Self::Cancelled => true,
            Self::Received
            | Self::Classified
            | Self::Assigned
            | Self::Accepted
            | Self::Contacted
            | Self::OnSite
            | Self::Completed
            | Self::Reopened => false,
        }
    }

    /// Whether somebody is looked for.
    pub const fn is_nobodys(self) -> bool {
        match self {
            Self::Classified | Self::Reopened => true,
            Self::Received
            | Self::Assigned
            | Self::Accepted
            | Self::Contacted
            | Self::OnSite
            | Self::Completed
            | Self::Closed
            | Self::Cancelled => false,
        }
    }

    /// Whether it is somebody's to work on.
    pub const fn is_under_way(self) -> bool {
        match self {
            Self::Assigned | Self::Accepted | Self::Contacted | Self::OnSite => true,
            Self::Received | Self::Classified | Self::Completed | Self::Closed | Self::Reopened | Self::Cancelled => false,
        }
    }
}

/// What `verb` does in `state`, work suspended or not.
pub const fn step(state: State, suspended: bool, verb: Verb) -> Step {
    if suspended { while_suspended(state, verb) } else { while_working(state, verb) }
}

/// Verbs that are allowed, in declared order.
pub fn allowed(state: State, suspended: bool) -> Vec<Verb> {
    Verb::ALL.iter().copied().filter(|verb| step(state, suspended, *verb) != Step::Refused).collect()
}

const fn while_working(state: State, verb: Verb) -> Step {
    use State::{Accepted, Assigned, Cancelled, Classified, Closed, Completed, Contacted, OnSite, Received, Reopened};
    match verb {
        Verb::Classify => match state {
            Received => Step::To(Classified),
            Classified | Assigned | Accepted | Contacted | OnSite | Reopened => Step::Stays,
            Completed | Closed | Cancelled => Step::Refused,
        },
        Verb::Assign => match state {
            Classified | Assigned | Accepted | Contacted | OnSite | Reopened => Step::To(Assigned),
            Received | Completed | Closed | Cancelled => Step::Refused,
        },
        Verb::Grab => match state {
            Classified | Reopened => Step::To(Accepted),
            Received | Assigned | Accepted | Contacted | OnSite | Completed | Closed | Cancelled => Step::Refused,
        },
        Verb::AcceptOffer => match state {
            Classified | Reopened => Step::To(Accepted),
            Received | Assigned | Accepted | Contacted | OnSite | Completed | Closed | Cancelled => Step::Refused,
        },
        Verb::DeclineOffer => match state {
            Classified | Reopened => Step::Stays,
            Received | Assigned | Accepted | Contacted | OnSite | Completed | Closed | Cancelled => Step::Refused,
        },
        Verb::Accept => match state {
            Assigned => Step::To(Accepted),
            Received | Classified | Accepted | Contacted | OnSite | Completed | Closed | Reopened | Cancelled => Step::Refused,
        },
        // Whoever takes the phone may answer first; only the assignee's contact moves the order on.
        Verb::Contact => match state {
            Assigned | Accepted => Step::Maybe(Contacted),
            Received | Classified | Contacted | OnSite | Reopened => Step::Stays,
            Completed | Closed | Cancelled => Step::Refused,
        },
        // What is not classified has no category and no urgency to go by.
        Verb::Assess | Verb::SetLiability => match state {
            Classified | Assigned | Accepted | Contacted | OnSite | Reopened => Step::Stays,
            Received | Completed | Closed | Cancelled => Step::Refused,
        },
        Verb::Arrive => match state {
            Assigned | Accepted | Contacted => Step::To(OnSite),
            Received | Classified | OnSite | Completed | Closed | Reopened | Cancelled => Step::Refused,
        },
        // Much is settled without a visit, so being on site is not a condition.
        Verb::Complete => match state {
            Accepted | Contacted | OnSite => Step::To(Completed),
            Received | Classified | Assigned | Completed | Closed | Reopened | Cancelled => Step::Refused,
        },
        // Closing an order does not end the duty to call back; nor does ending it without work, which is told and not undone.
        Verb::RecordCallback => match state {
            Completed | Closed => Step::Maybe(Reopened),
            Cancelled => Step::Stays,
            Received | Classified | Assigned | Accepted | Contacted | OnSite | Reopened => Step::Refused,
        },
        Verb::Reopen => match state {
            Completed | Closed => Step::To(Reopened),
            Received | Classified | Assigned | Accepted | Contacted | OnSite | Reopened | Cancelled => Step::Refused,
        },
        Verb::Close => match state {
            Completed => Step::To(Closed),
            Received | Classified | Assigned | Accepted | Contacted | OnSite | Closed | Reopened | Cancelled => Step::Refused,
        },
        Verb::Cancel | Verb::Merge => match state {
            Received | Classified | Assigned | Accepted | Contacted | OnSite | Reopened => Step::To(Cancelled),
            Completed | Closed | Cancelled => Step::Refused,
        },
        Verb::Urge | Verb::Lead => match state {
            Received | Classified | Assigned | Accepted | Contacted | OnSite | Completed | Reopened => Step::Stays,
            Closed | Cancelled => Step::Refused,
        },
        Verb::Split => match state {
            Received | Classified | Assigned | Accepted | Contacted | OnSite | Reopened => Step::Stays,
            Completed | Closed | Cancelled => Step::Refused,
        },
        Verb::Suspend => match state {
            Classified | Assigned | Accepted | Contacted | OnSite | Reopened => Step::Stays,
            Received | Completed | Closed | Cancelled => Step::Refused,
        },
        // Who comes is agreed before they come; a case without a category has nobody to come.
        Verb::Appoint => match state {
            Classified | Assigned | Accepted | Contacted | Reopened => Step::Stays,
            Received | OnSite | Completed | Closed | Cancelled => Step::Refused,
        },
        Verb::StartWork => match state {
            OnSite => Step::Stays,
            Received | Classified | Assigned | Accepted | Contacted | Completed | Closed | Reopened | Cancelled => Step::Refused,
        },
        Verb::QuoteWork | Verb::ConfirmQuote => match state {
            Assigned | Accepted | Contacted | OnSite => Step::Stays,
            Received | Classified | Completed | Closed | Reopened | Cancelled => Step::Refused,
        },
        Verb::Resume | Verb::ApproveSuspension => Step::Refused,
    }
}

/// Work that stands still can be talked about, handed over and ended, but not done: it is resumed first.
const fn while_suspended(state: State, verb: Verb) -> Step {
    match verb {
        Verb::Resume | Verb::ApproveSuspension => match while_working(state, Verb::Suspend) {
            Step::Stays | Step::To(_) | Step::Maybe(_) => Step::Stays,
            Step::Refused => Step::Refused,
        },
        Verb::Suspend
        | Verb::Grab
        | Verb::AcceptOffer
        | Verb::DeclineOffer
        | Verb::Accept
        | Verb::Arrive
        | Verb::StartWork
        | Verb::Complete => Step::Refused,
        Verb::Classify
        | Verb::Assign
        | Verb::Contact
        | Verb::Assess
        | Verb::SetLiability
        | Verb::RecordCallback
        | Verb::Reopen
        | Verb::Close
        | Verb::Cancel
        | Verb::Urge
        | Verb::Appoint
        | Verb::QuoteWork
        | Verb::ConfirmQuote
        | Verb::Merge
        | Verb::Lead
        | Verb::Split => match while_working(state, Verb::Suspend) {
            // States that cannot be suspended have no such row.
            Step::Refused => Step::Refused,
            Step::Stays | Step::To(_) | Step::Maybe(_) => while_working(state, verb),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WO-42
    #[test]
    fn the_state_table_is_the_golden_one() {
        insta::with_settings!({ snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!("state_table", printed());
        });
    }

    fn printed() -> String {
        let width = 13;
        let mut out = format!("{:<24}", "state");
        for verb in Verb::ALL {
            out.push_str(&format!(" {verb:<width$}"));
        }
        for suspended in [false, true] {
            for state in State::ALL {
                let row: Vec<Step> = Verb::ALL.iter().map(|verb| step(*state, suspended, *verb)).collect();
                if suspended && row.iter().all(|step| *step == Step::Refused) {
                    continue;
                }
                let label = if suspended { format!("{state} (suspended)") } else { state.to_string() };
                out.push_str(&format!("\n{label:<24}"));
                for step in row {
                    let cell = match step {
                        Step::Refused => "-".to_owned(),
                        Step::Stays => "=".to_owned(),
                        Step::To(state) => state.to_string(),
                        Step::Maybe(state) => format!("{state}?"),
                    };
                    out.push_str(&format!(" {cell:<width$}"));
                }
            }
        }
        out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
    }
}
