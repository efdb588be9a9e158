//! Constraint names, and the refusals that they mean.

use steward_kit::Error;
use steward_kit::error::WrongState;
use steward_kit_store::{constraint, store_error};

/// What a failed write answers.
pub(crate) fn refusal(error: sqlx::Error) -> Error {
    match constraint(&error) {
        Some("estates_group_id_code_key") => {
            Error::already_exists("estate", "ESTATE_CODE_TAKEN", "another estate of the group has this code")
        }
        Some("buildings_estate_id_fkey" | "estate_imports_estate_id_fkey") => Error::not_found("estate", "given"),
        Some("buildings_estate_id_code_key") => {
            Error::already_exists("building", "BUILDING_CODE_TAKEN", "another building of the estate has this code")
        }
        Some("entrances_building_id_code_key") => {
            Error::already_exists("entrance", "ENTRANCE_CODE_TAKEN", "another entrance of the building has this code")
        }
        Some("units_estate_id_full_code_key") => {
            Error::already_exists("unit", "UNIT_CODE_TAKEN", "another unit of the estate has this full code")
        }
        Some("customers_group_id_id_number_key") => {
            Error::already_exists("customer", "CUSTOMER_EXISTS", "another customer has this identity number")
        }
        Some("tenures_overlap_excl") => {
            Error::already_exists("tenure", "TENURE_EXISTS", "the customer has this role in the unit on one of the days")
        }
        Some("tenures_sole_owner_excl") => {
            let detail = "another customer is the sole owner on one of the days: end that tenure, or use co_owner";
            WrongState::new("OWNER_EXISTS", "unit", "owned", ["EndTenure"], detail).into()
        }
        Some("tenures_dates_check") => crate::domain::tenure::reversed(),
        Some("estate_imports_open_key") => {
            let detail = "another import of the estate is not ended: apply, resume or cancel it";
            let allowed = ["ApplyEstateImport", "ResumeEstateImport", "CancelEstateImport"];
            WrongState::new("IMPORT_IN_PROGRESS", "estate", "importing", allowed, detail).into()
        }
        Some("renovations_unit_id_open_key") => {
            let detail = "another renovation of the unit is declared or under way";
            WrongState::new("RENOVATION_OPEN", "unit", "renovating", ["FinishRenovation", "CancelRenovation"], detail).into()
        }
        Some("exits_once_key") => Error::already_exists("exit", "EXIT_EXISTS", "the same exit is recorded for that day"),
        Some("tags_code_key") => Error::already_exists("tag", "TAG_CODE_TAKEN", "another tag has this code"),
        Some("segments_estate_id_name_key") => {
            Error::already_exists("segment", "SEGMENT_NAME_TAKEN", "another segment of the estate has this name")
        }
        Some(_) | None => store_error(error),
    }
}
