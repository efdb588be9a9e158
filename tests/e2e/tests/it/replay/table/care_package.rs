//! The mutations of `steward.care.v1` about packages of services, and the parcels that are kept by them.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Entry, unseen, with};
use crate::replay::ground::{Ground, id};

const PACKAGES: &str = "care.v1.ServicePackageService";
const PARCELS: &str = "care.v1.ParcelService";

fn a_package(ground: &Ground<'_, '_>, code: &str) -> Value {
    let cleaning = json!({"code": "cleaning", "nameZh": "保洁", "unitCode": "minute", "freeQuantity": "120", "overagePriceCents": "5000"});
    let parcels = json!({"code": "parcels", "nameZh": "代收快递", "keepWithin": {"value": 2, "unit": "UNIT_DAY", "calendar": "civil"}});
    json!({
        "estateId": ground.estate, "code": code, "nameZh": "青年无忧", "items": [cleaning, parcels], "monthPriceCents": "19900",
        "termMonths": 12,
    })
}

/// A household that has a package of its own code.
async fn enrolled(ground: &Ground<'_, '_>, code: &str) -> Result<String> {
    let enrol = with(&an_enrolment(ground, code).await?, &json!({"requestId": id()}));
    ground.make(&format!("{PACKAGES}/Enrol"), "enrolment", enrol).await
}

async fn an_enrolment(ground: &Ground<'_, '_>, code: &str) -> Result<Value> {
    let package = with(&a_package(ground, code), &json!({"requestId": id()}));
    let package = ground.make(&format!("{PACKAGES}/PutServicePackage"), "servicePackage", package).await?;
    Ok(json!({"servicePackageId": package, "householdId": ground.household, "startDate": "2026-07-15"}))
}

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let of = |rpc: &str, body: Value, other: Value| Entry::new(rpc, body, other);
    let used = json!({"enrolmentId": enrolled(ground, "used").await?, "itemCode": "cleaning", "quantity": "60", "useDate": "2026-07-15"});
    let parcel =
        json!({"enrolmentId": enrolled(ground, "kept").await?, "itemCode": "parcels", "trackingNumber": "SF 1", "shelfCode": "A-1"});
    let received = with(&parcel, &json!({"requestId": id()}));
    let received = ground.make(&format!("{PARCELS}/ReceiveParcel"), "parcel", received).await?;
    Ok(vec![
        of(&format!("{PACKAGES}/PutServicePackage"), a_package(ground, "first"), json!({"nameZh": "商务无忧"})),
        of(&format!("{PACKAGES}/Enrol"), an_enrolment(ground, "second").await?, json!({"startDate": "2026-07-16"})),
        of(&format!("{PACKAGES}/CancelEnrolment"), json!({"enrolmentId": enrolled(ground, "third").await?}), unseen()),
        of(&format!("{PACKAGES}/RecordPackageUse"), used, json!({"quantity": "90"})),
        of(&format!("{PARCELS}/ReceiveParcel"), parcel, json!({"trackingNumber": "SF 2"})),
        of(&format!("{PARCELS}/HandOutParcel"), json!({"parcelId": received}), unseen()),
    ])
}
