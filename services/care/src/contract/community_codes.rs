//! Codes of activities, fund, stock and packages, value by value.

use steward_kit::same_codes;
use steward_proto::care::v1 as pb;

use crate::domain::community_codes::{
    ActivityFamily, ActivityState, EnrolmentState, FundEntryKind, FundPlace, PackagePeriod, ParcelState, RegistrationState, StockItemKind,
    StockMovementKind,
};

same_codes! {
    ActivityFamily = pb::ActivityFamily { ParentChild, Elderly, Young, Festival, Brand, OpenDay };
    ActivityState = pb::ActivityState { Draft, Approved, Published, Closed, Cancelled };
    RegistrationState = pb::RegistrationState { Confirmed, Waiting, CheckedIn, NoShow, Lapsed, Cancelled };
    FundEntryKind = pb::FundEntryKind { Deposit, Commitment, Spending, Release, Reversal };
    FundPlace = pb::FundPlace { Outside, Available, Committed, Spent };
    StockItemKind = pb::StockItemKind { Gift, Material };
    StockMovementKind = pb::StockMovementKind { Received, Issued, Returned, WrittenOff, Counted };
    EnrolmentState = pb::EnrolmentState { Active, Ending, Ended };
    PackagePeriod = pb::Recurrence { Week, Month, Quarter, HalfYear, Year };
    ParcelState = pb::ParcelState { Kept, Overdue, HandedOut };
}
