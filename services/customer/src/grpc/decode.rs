//! From requests to commands: the property tree and imports. Every fault of a request is collected: the declared rules first,
//! then what they cannot say.

use prost_types::FieldMask;
use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::ids::{EstateId, Id, UnitId};
use steward_proto::customer::v1 as pb;

use crate::app::{FilePart, NewBuilding, NewEntrance, NewEstate, NewImport, NewUnit, Target};
use crate::contract::Code;
use crate::domain::estate::{EstateChange, is_city_code, is_time_zone};
use crate::domain::ids::EstateImportId;
use crate::domain::premises::Occupancy;
use crate::domain::text::normalised;
use crate::domain::unit::UnitChange;

/// An id; a fault that the declared rules have noted already is not noted twice.
pub(super) fn id<T: Id>(bad: &mut Violations, field: &str, text: &str) -> Option<T> {
    let mut own = Violations::new();
    let id = own.id(field, text);
    if !bad.iter().any(|noted| noted.field == field) {
        own.iter().for_each(|fault| bad.add(fault.field.clone(), fault.reason, fault.description.clone()));
    }
    id
}

/// An id that may be empty.
pub(super) fn optional_id<T: Id>(bad: &mut Violations, field: &str, text: &str) -> Option<T> {
    if text.is_empty() { None } else { id(bad, field, text) }
}

/// One id and nothing else.
pub(super) fn only_id<T: Id>(request: &impl steward_proto::Validate, field: &str, text: &str) -> Result<T> {
    let mut bad = Violations::of(request);
    let id = id(&mut bad, field, text);
    bad.build(|| id)
}

/// A code that may not be missing.
pub(super) fn required<C: Code>(bad: &mut Violations, field: &str, number: i32) -> Option<C> {
    let code = C::of_number(number);
    if code.is_none() && !bad.iter().any(|noted| noted.field == field) {
        bad.add(field, "enum.defined_only", "must be given, as a value this version knows");
    }
    code
}

/// What a change is for.
pub(super) fn target<T: Id>(bad: &mut Violations, field: &str, text: &str, etag: &str) -> Option<Target<T>> {
    let seen = etag.parse().ok();
    if !etag.is_empty() && seen.is_none() {
        bad.add("etag", "etag", "must be an etag of the resource, as it was given out");
    }
    Some(Target { id: id(bad, field, text)?, etag: seen })
}

/// A local date that may be empty.
pub(super) fn optional_date(bad: &mut Violations, field: &str, text: &str) -> Option<jiff::civil::Date> {
    let date = steward_kit::proto::date(text);
    if !text.is_empty() && date.is_none() && !bad.iter().any(|noted| noted.field == field) {
        bad.add(field, "DATE_INVALID", "must be a date written YYYY-MM-DD");
    }
    date
}

/// A local date that may not be empty.
pub(super) fn date(bad: &mut Violations, field: &str, text: &str) -> Option<jiff::civil::Date> {
    if text.is_empty() {
        return bad.required(field, None);
    }
    optional_date(bad, field, text)
}

/// The fields that a change names.
pub(super) struct Mask<'a>(&'a [String]);

impl<'a> Mask<'a> {
    /// Reads the mask; every path must be one of `allowed`.
    pub(super) fn of(bad: &mut Violations, mask: Option<&'a FieldMask>, allowed: &[&str]) -> Self {
        let paths = mask.map_or(&[][..], |mask| mask.paths.as_slice());
        if paths.is_empty() {
            bad.add("update_mask", "MASK_INVALID", "must name at least one field");
        }
        if paths.iter().any(|path| !allowed.contains(&path.as_str())) {
            bad.add("update_mask", "MASK_INVALID", format!("may name: {}", allowed.join(", ")));
        }
        Self(paths)
    }

    /// Whether the change names the field.
    pub(super) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|path| path == field)
    }

    /// The value, if the change names the field.
    pub(super) fn pick<T>(&self, field: &str, value: impl FnOnce() -> Option<T>) -> Option<T> {
        if self.has(field) { value() } else { None }
    }
}

/// A name or code in its one spelling.
pub(super) fn text(bad: &mut Violations, field: &str, value: &str) -> Option<String> {
    let value = normalised(value);
    if value.is_empty() && !bad.iter().any(|noted| noted.field == field) {
        bad.add(field, "required", "must be given");
    }
    Some(value).filter(|value| !value.is_empty())
}

fn city_code(bad: &mut Violations, value: &str) -> Option<String> {
    if !is_city_code(value) && !bad.iter().any(|noted| noted.field == "city_code") {
        bad.add("city_code", "string.pattern", "must be six digits of GB/T 2260");
    }
    Some(value.to_owned())
}

fn time_zone(bad: &mut Violations, value: &str) -> Option<String> {
    let name = if value.is_empty() { "Asia/Shanghai" } else { value };
    if !is_time_zone(name) {
        bad.add("time_zone", "TIME_ZONE_UNKNOWN", "must be a zone of the IANA database, such as Asia/Shanghai");
    }
    Some(name.to_owned())
}

pub(super) fn register_estate(request: &pb::RegisterEstateRequest) -> Result<NewEstate> {
    let mut bad = Violations::of(request);
    let (group_id, region_id) = (id(&mut bad, "group_id", &request.group_id), id(&mut bad, "region_id", &request.region_id));
    let (name, code) = (text(&mut bad, "name", &request.name), text(&mut bad, "code", &request.code));
    let (city_code, time_zone) = (city_code(&mut bad, &request.city_code), time_zone(&mut bad, &request.time_zone));
    let premises_type = required(&mut bad, "premises_type", request.premises_type);
    bad.build(|| {
        Some(NewEstate {
            group_id: group_id?,
            region_id: region_id?,
            name: name?,
            code: code?,
            city_code: city_code?,
            time_zone: time_zone?,
            premises_type: premises_type?,
        })
    })
}

pub(super) fn update_estate(request: &pb::UpdateEstateRequest) -> Result<(Target<EstateId>, EstateChange)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, "estate_id", &request.estate_id, &request.etag);
    let allowed = ["region_id", "name", "code", "city_code", "time_zone", "premises_type"];
    let mask = Mask::of(&mut bad, request.update_mask.as_ref(), &allowed);
    let change = EstateChange {
        region_id: mask.pick("region_id", || id(&mut bad, "region_id", &request.region_id)),
        name: mask.pick("name", || text(&mut bad, "name", &request.name)),
        code: mask.pick("code", || text(&mut bad, "code", &request.code)),
        city_code: mask.pick("city_code", || city_code(&mut bad, &request.city_code)),
        time_zone: mask.pick("time_zone", || time_zone(&mut bad, &request.time_zone)),
        premises_type: mask.pick("premises_type", || required(&mut bad, "premises_type", request.premises_type)),
    };
    bad.build(|| Some((target?, change)))
}

pub(super) fn create_building(request: &pb::CreateBuildingRequest) -> Result<NewBuilding> {
    let mut bad = Violations::of(request);
    let estate_id = id(&mut bad, "estate_id", &request.estate_id);
    let code = text(&mut bad, "code", &request.code);
    bad.build(|| {
        let (name, floor_count) = (normalised(&request.name), request.floor_count);
        Some(NewBuilding { estate_id: estate_id?, code: code?, name, floor_count })
    })
}

pub(super) fn create_entrance(request: &pb::CreateEntranceRequest) -> Result<NewEntrance> {
    let mut bad = Violations::of(request);
    let building_id = id(&mut bad, "building_id", &request.building_id);
    let code = text(&mut bad, "code", &request.code);
    bad.build(|| Some(NewEntrance { building_id: building_id?, code: code? }))
}

pub(super) fn create_unit(request: &pb::CreateUnitRequest) -> Result<NewUnit> {
    let mut bad = Violations::of(request);
    let building_id = id(&mut bad, "building_id", &request.building_id);
    let entrance_id = optional_id(&mut bad, "entrance_id", &request.entrance_id);
    let code = text(&mut bad, "code", &request.code);
    let delivery_date = optional_date(&mut bad, "delivery_date", &request.delivery_date);
    bad.build(|| {
        Some(NewUnit {
            building_id: building_id?,
            entrance_id,
            code: code?,
            floor: request.floor,
            premises_type: Code::of_number(request.premises_type),
            area_square_metres: request.area_square_metres,
            delivery_date,
            occupancy: Code::of_number(request.occupancy).unwrap_or(Occupancy::Unspecified),
        })
    })
}

pub(super) fn update_unit(request: &pb::UpdateUnitRequest) -> Result<(Target<UnitId>, UnitChange)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, "unit_id", &request.unit_id, &request.etag);
    let allowed = ["floor", "premises_type", "area_square_metres", "delivery_date", "occupancy"];
    let mask = Mask::of(&mut bad, request.update_mask.as_ref(), &allowed);
    let change = UnitChange {
        floor: mask.pick("floor", || Some(request.floor)),
        premises_type: mask.pick("premises_type", || required(&mut bad, "premises_type", request.premises_type)),
        area_square_metres: mask.pick("area_square_metres", || Some(request.area_square_metres)),
        delivery_date: mask.pick("delivery_date", || Some(optional_date(&mut bad, "delivery_date", &request.delivery_date))),
        occupancy: mask.pick("occupancy", || Code::of_number(request.occupancy)),
    };
    bad.build(|| Some((target?, change)))
}

pub(super) fn create_estate_import(request: &pb::CreateEstateImportRequest) -> Result<NewImport> {
    let mut bad = Violations::of(request);
    if bad.iter().any(|noted| noted.field == "size_bytes") && request.size_bytes > crate::domain::estate_import::MAX_FILE_BYTES {
        bad.add("size_bytes", "FILE_TOO_LARGE", "must be at most 67108864 bytes; split the file");
    }
    let estate_id = id(&mut bad, "estate_id", &request.estate_id);
    let sha256 = hex::decode(&request.sha256).ok().filter(|hash| hash.len() == 32);
    if sha256.is_none() && !bad.iter().any(|noted| noted.field == "sha256") {
        bad.add("sha256", "string.pattern", "must be 64 hexadecimal digits");
    }
    bad.build(|| {
        let (file_name, size_bytes) = (request.file_name.clone(), request.size_bytes);
        Some(NewImport { estate_id: estate_id?, file_name, size_bytes, sha256: sha256? })
    })
}

pub(super) fn append_estate_import(request: &pb::AppendEstateImportRequest) -> Result<FilePart<'_>> {
    let import_id = only_id(request, "import_id", &request.import_id)?;
    Ok(FilePart { import_id, offset: request.offset, data: &request.data })
}

pub(super) fn upload_estate_import(request: &pb::UploadEstateImportRequest) -> Result<FilePart<'_>> {
    let import_id = only_id(request, "import_id", &request.import_id)?;
    Ok(FilePart { import_id, offset: request.offset, data: &request.data })
}

pub(super) fn import_target(request: &impl steward_proto::Validate, import_id: &str, etag: &str) -> Result<Target<EstateImportId>> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, "import_id", import_id, etag);
    bad.build(|| target)
}
