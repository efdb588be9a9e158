//! The mutations of `steward.customer.v1`.

use anyhow::Result;
use serde_json::{Value, json};

use super::Entry;
use crate::replay::ground::{Ground, id};
use crate::replay::streams::{announced, planned};

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let Ground { estate, building, unit, customer, .. } = ground;
    let spare = ground.a_customer("赵敏").await?;
    let tenure = ground.a_tenure(&ground.a_unit("102").await?, &spare).await?;
    let to_part = ground.make("customer.v1.EstateImportService/CreateEstateImport", "import", announced(estate)).await?;
    let (to_apply, to_cancel) = (planned(ground).await?, planned(ground).await?);
    let entry = |rpc: &str, body: Value, other: Value| Entry::new(&format!("customer.v1.{rpc}"), body, other);
    Ok(vec![
        entry("EstateService/RegisterEstate", without_id(ground.an_estate("JX-2")), json!({"name": "别的花园"})),
        entry(
            "EstateService/UpdateEstate",
            json!({"estateId": estate, "updateMask": "name", "name": "锦绣花园二期"}),
            json!({"name": "锦绣花园三期"}),
        ),
        entry("UnitService/CreateBuilding", json!({"estateId": estate, "code": "2"}), json!({"code": "3"})),
        entry("UnitService/CreateEntrance", json!({"buildingId": building, "code": "1"}), json!({"code": "2"})),
        entry("UnitService/CreateUnit", json!({"buildingId": building, "code": "201"}), json!({"code": "202"})),
        entry("UnitService/UpdateUnit", json!({"unitId": unit, "updateMask": "floor", "floor": 1}), json!({"floor": 2})),
        entry(
            "CustomerService/CreateCustomer",
            json!({
                "kind": "CUSTOMER_KIND_PERSON", "homeEstateId": estate, "name": "李雷", "phone": "13800138001",
                "source": "DATA_SOURCE_STAFF",
            }),
            json!({"name": "韩梅"}),
        ),
        entry(
            "CustomerService/UpdateCustomer",
            json!({"customerId": customer, "updateMask": "preferredLanguage", "preferredLanguage": "en"}),
            json!({"preferredLanguage": "zh-CN"}),
        ),
        entry(
            "TenureService/CreateTenure",
            json!({"unitId": unit, "customerId": spare, "role": "TENURE_ROLE_FAMILY_MEMBER", "fromDate": "2025-01-01"}),
            json!({"fromDate": "2025-02-01"}),
        ),
        entry("TenureService/EndTenure", json!({"tenureId": tenure, "toDate": "2026-07-01"}), json!({"toDate": "2026-07-02"})),
        entry("EstateImportService/CreateEstateImport", without_id(announced(estate)), json!({"fileName": "other.csv"})),
        // Base64 in JSON: the first bytes of a register.
        entry(
            "EstateImportService/AppendEstateImport",
            json!({"importId": to_part, "offset": "0", "data": "5qW85qCL"}),
            json!({"data": "5Y2V5YWD"}),
        ),
        entry("EstateImportService/ApplyEstateImport", json!({"importId": to_apply}), json!({"importId": id()})),
        entry("EstateImportService/CancelEstateImport", json!({"importId": to_cancel}), json!({"importId": id()})),
    ])
}

fn without_id(mut body: Value) -> Value {
    body.as_object_mut().map(|fields| fields.remove("requestId"));
    body
}
